"""The other views of a network: in a terminal, by kernels, as a graph, beside another one."""

from __future__ import annotations

import re

import pytest

from nndsl import compilation, driver
from nndsl.diagnostics import NndslError, Source
from nndsl.render.diagram import dot_source
from nndsl.render.diagram_compiler import MOST_BOXES, graph_picture, kernels_picture
from nndsl.render.diagram_diff import Difference, difference, difference_picture, difference_rows
from nndsl.render.diagram_fold import picture_of
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture
from nndsl.render.diagram_terminal import can_show, terminal_text
from tests.render.networks import DEEP, GATED, MODELS, NESTED, OUTPUTS, RESIDUAL, WIDE, network

NETWORKS = {
    "residual": (RESIDUAL, ()),
    "residual_open": (RESIDUAL, ("residual",)),
    "gated": (GATED, ("gate",)),
    "nested": (NESTED, ("level",)),
    "outputs": (OUTPUTS, ()),
    "wide": (WIDE, ()),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_in_a_terminal(golden, name):
    text, opened = NETWORKS[name]
    drawn = terminal_text(picture_of(network(text), opened))
    assert max(map(len, drawn.splitlines())) <= 80
    golden(f"render/{name}.txt", drawn)


def test_in_a_terminal_without_box_characters():
    picture = picture_of(network(GATED), ["gate"])
    plain = terminal_text(picture, ascii_only=True)
    assert plain.isascii()
    assert len(plain.splitlines()) == len(terminal_text(picture).splitlines())
    assert can_show("utf-8")
    assert not can_show("ascii")
    assert not can_show(None)


@pytest.mark.parametrize(
    "name", ["\u202eevil", "\U0001f642" * 60, "a\nb", "x" * 200, "\u4e00" * 50]
)
def test_odd_names_in_a_terminal(name):
    frame = Frame(name, times=2)
    boxes = [Box("input", (name,)), Box("dense", (name, name), (name,), frame, 3, True)]
    arrows = [Arrow(boxes[0], boxes[1], name), Arrow(boxes[1], None, name, name)]
    from rich.cells import cell_len

    lines = terminal_text(Picture(name, (name,), boxes, [frame], arrows)).split("\n")
    assert max(map(cell_len, lines)) <= 80
    assert all(line.isprintable() for line in lines)


def test_a_hundred_branches_in_a_terminal():
    branches = "\n".join(f"b{i} = t -> dense({i})" for i in range(1, 101))
    names = ", ".join(f"b{i}" for i in range(1, 101))
    text = f"net A {{ input x: [4]\nt = dense(8)\n{branches}\n[{names}] -> concat -> dense(2)\n}}"
    lines = terminal_text(picture_of(network(text))).splitlines()
    assert max(map(len, lines)) <= 80


def test_kernels_over_their_stages(golden):
    picture = kernels_picture(network(GATED))
    golden("render/gated_kernels.dot", dot_source(picture))
    inside = [box.lines[0] for box in picture.boxes if box.frame is picture.frames[1]]
    assert {"sigmoid", "dense(12)", "1 - x", "×", "+"} <= set(inside)


def test_every_stage_is_in_a_kernel():
    for text in (RESIDUAL, NESTED, OUTPUTS, WIDE):
        net = network(text)
        picture = kernels_picture(net)
        shown = {box.tooltip for box in picture.boxes}
        computed = {part.path for part in net.parts if not part.is_block}
        missing = {path for path in computed - shown if "dropout" not in path}
        assert not missing
        assert all(box.frame is not None for box in picture.boxes if box.kind != "input")


def test_kernels_of_a_sequence_with_an_end() -> None:
    """Where it ends is told by a kernel of no line."""
    ids = "net A { input text: ids(5, padding=0)[6]; embed(4) -> attention(2) -> last }"
    drawn = dot_source(kernels_picture(network(ids)))
    assert "x != 0" in drawn
    assert re.search("<FONT[^>]*></FONT>", drawn) is None


def graph_after(name: str):
    text = (MODELS / "10_lecture.nn").read_text(encoding="utf-8")
    recipe = driver.open_source(Source("m.nn", text), MODELS).module.recipes[-1]
    found = []
    compilation.training_graph(
        recipe, observe=lambda step, before, after: found.append(after) if step.name == name else 0
    )
    return found[-1]


def test_a_recurrence_has_the_kernels_that_passes_made_of_it() -> None:
    found = kernels_picture(network("net A { input x: [T, 3]; gru(4) -> last -> dense(2) }"))
    frames = {box.frame.note: box.lines[0] for box in found.boxes if box.frame is not None}
    assert frames["fused matmul, scan"] == "gru(4)"
    assert frames["fused matmul"] == "dense(2)"
    gru = next(box for box in found.boxes if box.frame and "scan" in box.frame.note)
    assert "input" in {arrow.source.lines[0] for arrow in found.arrows if arrow.target is gru}


def test_kernels_are_joined_across_views() -> None:
    found = kernels_picture(network("net A { input x: [T, 8]; attention(2) -> dense(3) }"))
    read = {arrow.target for arrow in found.arrows}
    assert all(box in read for box in found.boxes if box.kind != "input")
    assert sum(any("einsum" in line for line in box.small) for box in found.boxes) == 2


def test_the_graph_after_a_pass(golden):
    picture = graph_picture(graph_after("fuse_epilogues"), "Lecture")
    golden("render/lecture_fused.dot", dot_source(picture))
    updates = [line for box in picture.boxes for line in box.small if line.startswith("updates")]
    assert "updates dense[1].weight, dense[1].weight:v" in updates


def kernels_if_few(net):
    """The kernels of a net; none of one too large to look at, which is an error of its own."""
    try:
        return [kernels_picture(net)]
    except NndslError as problem:
        assert [d.code for d in problem.diagnostics] == ["NN006"]
        return []


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.nn")), ids=lambda path: path.stem)
def test_every_model(path):
    opened = driver.open_file(path, data_needed=False)
    for net in opened.module.networks.values():
        whole = [picture_of(net, ["all"])] if len(net.parts) < MOST_BOXES else []
        for picture in (picture_of(net), *whole, *kernels_if_few(net)):
            lines = terminal_text(picture).splitlines()
            assert max(map(len, lines)) <= 80
            dot_source(picture)


def test_a_graph_too_large_to_look_at():
    with pytest.raises(NndslError, match="NN006"):
        graph_picture(network(DEEP).graph, "Deep")
    with pytest.raises(NndslError, match="NN006"):
        kernels_picture(network(DEEP))


CHANGED = (
    RESIDUAL.replace("residual(32) * 3 -> relu", "residual(32) * 4 -> dense(8)")
    .replace("-> sigmoid", "-> elu")
    .replace("  dense(iris", "  dense(5) -> tanh -> dense(iris")
)


def compared(before: str, after: str) -> Difference:
    return difference(picture_of(network(before)), picture_of(network(after)))


def test_what_changed(golden):
    found = compared(RESIDUAL, CHANGED)
    rows = difference_rows(found)
    golden("render/difference.txt", "".join("  ".join(row).rstrip() + "\n" for row in rows))
    golden("render/difference.dot", dot_source(difference_picture(found)))
    statuses = [(p.status, (p.after or p.before).lines[0]) for p in found.pairs]
    assert ("removed", "relu") in statuses
    assert ("added", "dense(5)") in statuses
    assert ("changed", "residual(32)") in statuses


def test_nothing_changed():
    for text in (RESIDUAL, GATED, OUTPUTS):
        found = compared(text, text)
        assert found.is_empty
        assert not difference_rows(found)


def test_a_skip_arrow_less_is_a_change():
    plain = RESIDUAL.replace(
        "x + (x -> dense(n) -> relu -> dense(n))", "dense(n) -> relu -> dense(n)"
    )
    assert not compared(RESIDUAL, plain).is_empty


def test_other_names_of_outputs_are_a_change():
    assert not compared(OUTPUTS, OUTPUTS.replace("second", "other")).is_empty
