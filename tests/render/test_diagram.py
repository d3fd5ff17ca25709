"""What diagrams show, as Graphviz source held by golden files and as structure."""

from __future__ import annotations

import time

import pytest

from nndsl.diagnostics import NndslError
from nndsl.render.diagram import diagram_source, diagram_svg, escape
from nndsl.render.diagram_fold import picture_of
from nndsl.render.diagram_picture import Picture, flops_text
from tests.render.networks import DEEP, GATED, NESTED, OUTPUTS, RESIDUAL, WIDE, network


@pytest.mark.parametrize(
    ("name", "text", "opened"),
    [
        ("residual", RESIDUAL, ()),
        ("residual_open", RESIDUAL, ("residual",)),
        ("gated", GATED, ("all",)),
        ("nested_one", NESTED, ("level[2].residual[2]",)),
        ("outputs", OUTPUTS, ()),
        ("wide", WIDE, ()),
    ],
)
def test_the_source_of_a_diagram(golden, name, text, opened):
    golden(f"render/{name}.dot", diagram_source(network(text), opened))


@pytest.mark.parametrize("opened", [(), ("all",)])
@pytest.mark.parametrize("text", [RESIDUAL, GATED, OUTPUTS, WIDE, NESTED])
def test_every_box_is_reached_from_an_input(text, opened):
    picture = picture_of(network(text), opened)
    reached = {box for box in picture.boxes if box.kind == "input"}
    for arrow in picture.arrows * 2:
        if arrow.source in reached and arrow.target is not None:
            reached.add(arrow.target)
    assert reached == set(picture.boxes)
    assert {a.source for a in picture.arrows if a.target is None} <= reached


def pairs(picture: Picture) -> list[tuple[str, str]]:
    return [(a.source.lines[0], a.target.lines[0]) for a in picture.arrows if a.target is not None]


def test_a_stage_that_changes_nothing_when_used_is_in_the_line():
    boxes = picture_of(network(RESIDUAL)).boxes
    assert ("dense(32)", "relu", "dropout(0.2)") in [box.lines for box in boxes]
    arrows = pairs(picture_of(network(WIDE)))
    assert ("dense(64)", "dropout(0.5)") in arrows
    assert ("dropout(0.5)", "dense(4)") in arrows
    assert ("dense(64)", "concat") in arrows


def frames(picture: Picture) -> list[tuple[str, int]]:
    return [(frame.text, frame.times) for frame in picture.frames]


def folded(picture: Picture) -> list[tuple[str, int]]:
    return [(box.lines[0], box.times) for box in picture.boxes if box.folded]


def test_repeated_blocks_are_one_box_with_a_count():
    picture = picture_of(network(RESIDUAL))
    assert folded(picture) == [("residual(32)", 3)]
    (box,) = (box for box in picture.boxes if box.folded)
    assert box.small == ("dense · relu · dense · +", "6,336 parameters (2,112 each)", "12.8 kflop")


def test_blocks_open_by_name_or_path():
    by_name = picture_of(network(RESIDUAL), ["residual"])
    assert frames(by_name) == [("residual(32)", 3)]
    inside = [box.lines[0] for box in by_name.boxes if box.frame is not None]
    assert inside == ["dense(32)", "dense(32)", "+"]
    one = picture_of(network(RESIDUAL), ["residual[2]"])
    assert frames(one) == [("residual(32)", 1)]
    assert folded(one) == [("residual(32)", 1), ("residual(32)", 1)]
    everything = picture_of(network(GATED), ["all"])
    assert frames(everything) == [("pair(12)", 1), ("gate(12)", 1), ("gate(12)", 1)] * 2
    assert not folded(everything)
    inner = picture_of(network(GATED), ["gate"])
    assert frames(inner) == [("pair(12)", 2), ("gate(12)", 2)]


def test_a_function_of_an_expression_is_a_box_after_it():
    text = "net A { input x: [4]; input y: [4]; abs(x - y) -> dense(1) }"
    boxes = picture_of(network(text)).boxes
    assert [box.lines for box in boxes] == [("x",), ("y",), ("−",), ("abs",), ("dense(1)",)]


def test_a_block_that_is_not_there():
    with pytest.raises(NndslError, match="NN019") as caught:
        picture_of(network(RESIDUAL), ["residul"])
    assert "residual" in caught.value.diagnostics[0].help[0]


def test_a_net_of_one_block_shows_its_inside():
    text = """block x -> residual(n) { x + (x -> dense(n) -> relu -> dense(n)) }
net A { input x: [8]; residual(8) * 20 }
"""
    assert frames(picture_of(network(text))) == [("residual(8)", 20)]


def test_layers_that_repeat_fold_whoever_repeats_them():
    text = """net A {
  input x: [8]
  for i in 1..5 { dense(8) -> relu }
  for i in 1..4 { dense(16) -> tanh; dense(8) }
}
"""
    picture = picture_of(network(text))
    assert [(b.lines[0], b.times) for b in picture.boxes if b.times > 1] == [("dense(8)", 5)]
    assert frames(picture) == [("", 4)]


@pytest.mark.parametrize(
    "body",
    [
        "a = unit(8)\n b = unit(8)\n [a, b] -> concat",
        "a = unit(8)\n b = a -> unit(8)\n [a, b] -> concat",
        "unit(8) -> relu -> unit(8)",
    ],
)
def test_a_chain_that_others_read_is_not_folded(body):
    text = f"block x -> unit(n) {{ x -> dense(n) -> relu }}\nnet A {{ input x: [8]\n {body} }}\n"
    assert all(times == 1 for _, times in folded(picture_of(network(text))))


def test_blocks_that_differ_are_not_folded_together():
    text = """block x -> unit(n) { x -> dense(n) -> relu }
net A { input x: [4]; unit(8) -> unit(8) -> unit(8) -> unit(6) }
"""
    shown = folded(picture_of(network(text)))
    assert shown == [("unit(8)", 1), ("unit(8)", 2), ("unit(6)", 1)]


def test_blocks_that_grow_are_one_box_with_all_their_parameters():
    text = """block x -> grow(k) { [x, dense(k) -> relu] -> concat }
net A { input x: [4]; grow(2) * 3; dense(5) -> relu -> dense(1) }
"""
    picture = picture_of(network(text))
    assert folded(picture) == [("grow(2)", 3)]
    (box,) = (box for box in picture.boxes if box.folded)
    assert box.small[1].startswith("42 parameters")
    (label,) = (arrow.label for arrow in picture.arrows if arrow.source is box)
    assert label == "10"
    assert folded(picture_of(network(text), ["grow[2]"])) == [("grow(2)", 1)] * 2


def test_pooling_is_shown_as_such_whatever_its_stride():
    picture = picture_of(network("net A { input x: 1x4x4; maxpool(3, stride=1, pad=1) }"))
    assert [box.kind for box in picture.boxes] == ["input", "pooling"]


def test_what_holds_most_of_a_net_is_open():
    text = """block unit(n) { dense(n) -> relu -> dense(n) -> relu -> dense(n) }
block trunk(n, k) { dense(n) -> unit(n) * k -> tanh -> dense(n) -> unit(2 * n) }
net A { input x: [4]; dense(8) -> relu -> trunk(8, 4) -> dense(2) -> tanh -> dense(1) }
"""
    picture = picture_of(network(text))
    assert frames(picture) == [("trunk(8, 4)", 1)]
    assert folded(picture) == [("unit(8)", 4), ("unit(16)", 1)]


def test_shared_weights_are_counted_once():
    picture = picture_of(network(GATED))
    assert [box.small for box in picture.boxes if box.lines[0] == "dense(12)"] == [
        ("156 parameters · 324 flop",),
        ("the same weights · 300 flop",),
    ]


def test_a_thousand_layers_take_no_time():
    start = time.perf_counter()
    picture = picture_of(network(DEEP))
    assert [box.times for box in picture.boxes] == [1, 1, 500, 1]
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    ("flops", "text"),
    [(144, "144 flop"), (12_345, "12.3 kflop"), (999_960, "1.00 Mflop"), (182e7, "1.82 Gflop")],
)
def test_flops(flops, text):
    assert flops_text(int(flops)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<b>&"', "&lt;b&gt;&amp;&quot;"),
        ("a\u202eb\x00", "a\ufffdb\ufffd"),
        ("x" * 60, "x" * 47 + "…"),
    ],
)
def test_escape(text, shown):
    assert escape(text) == shown


ODD = ["a\\<b>", "t]; x", "\U0001f642\u200d", "\u202eevil", "x" * 200, "&amp;", "-->", "%s{{"]


def test_odd_names_stay_text():
    columns = ", ".join(f'"{name}"=[1, 2, 3, 4]' for name in ODD)
    text = f'data d = table({columns}) {{ target = "t]; x" }}\nnet A on d {{ dense(1) }}\n'
    source = diagram_source(network(text))
    assert source.count("n0 [label") == 1
    assert "]; x" not in source
    assert "\u202e" not in diagram_svg(network(text))


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_inputs_and_labels(name):
    from nndsl.render.diagram import dot_source
    from nndsl.render.diagram_picture import Arrow, Box, Frame
    from nndsl.render.diagram_theme import embedded
    from nndsl.render.layout import draw

    frame = Frame(name)
    box = Box("dense", (name, name), (name,), frame, tooltip=name)
    picture = Picture(name, (name,), [box], [frame], [Arrow(box, None, name, name)])
    source = dot_source(picture)
    draw(source, "pdf")
    text = embedded(draw(source, "svg").decode(), name)
    assert "<b>" not in text.lower()
    assert "\u202e" not in text


def test_an_svg_for_a_page():
    text = diagram_svg(network(RESIDUAL), label='the "net"')
    assert text.startswith("<svg ")
    assert text.endswith("</svg>\n")
    assert 'aria-label="the &quot;net&quot;"' in text
    assert "light-dark(#ffebc4,#4a3812)" in text
    assert "<title>trunk.dense: line 4</title>" in text
    assert " id=" not in text
    assert "<!--" not in text
    assert "xlink" not in text
    assert text == diagram_svg(network(RESIDUAL), label='the "net"')


def test_a_sum_reads_the_dropout_before_it() -> None:
    text = (
        "block wide(n) {\n  dense(9) -> relu\n  dense(9) -> tanh\n  dense(n)\n}\n"
        "net A {\n  input x: [4]\n  h = x + (x -> wide(4) -> dropout(0.1))\n"
        "  k = h + (h -> wide(4) -> dropout(0.1))\n  k -> dense(2)\n}\n"
    )
    arrows = picture_of(network(text)).arrows
    found = {(a.source.lines[0], a.target.lines[0]) for a in arrows if a.target is not None}
    assert ("dense(4)", "dropout(0.1)") in found
    assert ("dropout(0.1)", "+") in found
    assert ("dense(4)", "+") not in found
