"""How pictures lie on the page: U-Nets as a U, long chains in columns, titles beside arrows."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from nndsl import driver
from nndsl.render.diagram import _clear_source, _depths, diagram_svg, dot_source, picture_bytes
from nndsl.render.diagram_compiler import kernels_picture
from nndsl.render.diagram_fold import picture_of
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture
from nndsl.render.diagram_shape import shape_of
from nndsl.render.diagram_titles import clear_sides
from tests.render.networks import MODELS, network

U = """block x -> level(c, depth) {
  e = x -> conv(c, 3, pad=1) -> relu
  if depth > 0 {
    u = e -> maxpool(2) -> level(2 * c, depth - 1) -> conv_transpose(c, 2, stride=2)
    [e, u] -> concat -> conv(c, 3, pad=1) -> relu
  }
}
net U { input x: 1x16x16; level(4, DEPTH) -> conv(1, 1) -> sigmoid }
"""


def chain(length: int, frames: int = 0) -> Picture:
    """Boxes one below the other, those at odd places in frames of their own."""
    picture = Picture("chain")
    for number in range(length):
        frame = Frame(f"frame {number}") if frames and number % 2 else None
        picture.frames += [frame] if frame is not None else []
        picture.boxes.append(Box("dense", (str(number),), frame=frame))
    boxes = picture.boxes
    picture.arrows += [Arrow(a, b, "4") for a, b in pairwise(boxes)]
    picture.arrows.append(Arrow(boxes[-1], None, "4"))
    return picture


def words_of(boxes) -> list[str]:
    return sorted(box.lines[0].partition("(")[0] for box in boxes)


@pytest.mark.parametrize("depth", [2, 3])
def test_a_u_net_is_a_u(depth: int) -> None:
    picture = picture_of(network(U.replace("DEPTH", str(depth))))
    shape = shape_of(picture, _depths(picture))
    up = ["concat", "conv", "conv_transpose"] * depth + ["conv"]
    assert words_of(shape.rising) == sorted(up)
    assert {a.target.lines[0] for a in shape.level} == {"concat"} and len(shape.level) == depth
    source = dot_source(picture)
    assert source.count("dir=back") == 3 * depth + 2
    assert source.count("rank=same") == depth
    assert diagram_svg(network(U.replace("DEPTH", str(depth)))).startswith("<svg")


def test_all_levels_of_a_block_within_itself_are_seen() -> None:
    picture = picture_of(network(U.replace("DEPTH", "3")))
    assert len([frame for frame in picture.frames if frame.text.startswith("level")]) == 4
    deep = picture_of(network(U.replace("DEPTH", "9").replace("16x16", "512x512")))
    assert len([box for box in deep.boxes if box.folded]) == 1


def test_one_long_arrow_or_arrows_that_cross_make_no_u() -> None:
    for text in (U.replace("DEPTH", "1"), U.replace("DEPTH", "0")):
        picture = picture_of(network(text))
        assert shape_of(picture, _depths(picture)).rising == frozenset()
    picture = chain(10)
    boxes = picture.boxes
    picture.arrows += [Arrow(boxes[0], boxes[5]), Arrow(boxes[2], boxes[8])]
    assert shape_of(picture, _depths(picture)).rising == frozenset()


@pytest.mark.parametrize(("length", "turns"), [(15, 0), (17, 1), (40, 1), (50, 2)])
def test_long_chains_stand_in_columns(length: int, turns: int) -> None:
    picture = chain(length)
    shape = shape_of(picture, _depths(picture))
    assert len(shape.turns) == turns
    assert set(shape.turns.values()) <= {picture.boxes[0]}
    columns = dict(re.findall(r"\tn(\d+) \[label=.* group=n(\d+) ", dot_source(picture)))
    assert len(set(columns.values())) == turns + 1
    assert picture_bytes(picture, "svg").startswith(b"<?xml")


def test_columns_turn_where_one_arrow_leads_on_within_a_frame() -> None:
    picture = chain(20)
    picture.arrows.append(Arrow(picture.boxes[1], picture.boxes[18]))
    assert not shape_of(picture, _depths(picture)).turns
    picture = chain(20, frames=1)
    (turn,) = shape_of(picture, _depths(picture)).turns
    assert turn.target is not None and turn.target.frame is None


def test_the_largest_models_fit_a_page() -> None:
    module = driver.open_file(MODELS / "24_googlenet.nn").module
    picture = picture_of(module.networks["GoogLeNet"])
    shape = shape_of(picture, _depths(picture))
    (turn,) = shape.turns
    assert turn.source.lines[0].startswith("inception") and turn.target.lines[0] == "pool"
    small = [box.small[0] for box in picture.boxes if box.lines[0].startswith("inception")]
    assert set(small) == {"conv_bn × 5 · maxpool · conv_bn · concat"}


def test_titles_go_where_no_arrow_crosses_them() -> None:
    module = driver.open_file(MODELS / "14_two_branches.nn").module
    picture = kernels_picture(module.networks["TwoBranch"])
    source = _clear_source(picture, "#ffffff")
    sides = re.findall(r"label=<(kernel \d)\b.* labeljust=(\w)", source)
    assert ("kernel 4", "r") in sides and ("kernel 5", "l") in sides


def test_a_title_that_is_crossed_everywhere_goes_to_the_bottom() -> None:
    source = """digraph { a; b; c; {rank=same a b c}
      subgraph cluster_0 { label="a long title of a frame"; labeljust=l; d; e; f }
      a -> d; b -> e; c -> f; a -> e; b -> d; b -> f; c -> e; a -> f; c -> d }"""
    assert clear_sides(source, {"cluster_0": 23}) == {"cluster_0": "b"}
    assert clear_sides(source, {"cluster_0": 0}) == {}


def test_a_net_used_as_a_stage_is_one_box() -> None:
    stages = " -> ".join(["dense(16) -> relu"] * 5)
    text = f"net Inner {{ input x: [8]; {stages} -> dense(4) }}\n"
    text += "net Pair { input a: [8]; input b: [8]; u = a -> Inner; v = b -> Inner\n"
    text += "[u, v] -> concat -> dense(1) }"
    picture = picture_of(network(text))
    first, second = (box for box in picture.boxes if box.lines == ("Inner",))
    assert first.folded and first.small[1].startswith("1,300 parameters")
    assert second.small[1].startswith("the same weights")
    assert "(dense · relu) × 4" in first.small[0]
    opened = picture_of(network(text), ("Inner",))
    assert [frame.text for frame in opened.frames] == ["Inner", "Inner"]
