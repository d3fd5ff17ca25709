"""What diagrams show, as Graphviz source held by golden files and as structure."""

from __future__ import annotations

import pytest

from nndsl.render.diagram import diagram_source, escape
from nndsl.render.structure import picture_of
from tests.render.networks import GATED, OUTPUTS, RESIDUAL, network


@pytest.mark.parametrize(
    ("name", "text"), [("residual", RESIDUAL), ("gated", GATED), ("outputs", OUTPUTS)]
)
def test_the_source_of_a_diagram(golden, name, text):
    golden(f"render/{name}.dot", diagram_source(network(text)))


def test_every_box_is_reached_from_an_input():
    for text in (RESIDUAL, GATED, OUTPUTS):
        picture = picture_of(network(text))
        reached = [box for box in picture.boxes if box.kind == "input"]
        for source, target in picture.arrows():
            if source in reached and target not in reached:
                reached.append(target)
        assert len(reached) == len(picture.boxes)
        assert set(picture.outputs.values()) <= set(reached)


def test_a_stage_that_changes_nothing_when_used_is_in_the_line():
    picture = picture_of(network(RESIDUAL))
    arrows = [(a.lines[0], b.lines[0]) for a, b in picture.arrows()]
    assert ("dense(32)", "dropout(0.2)") in arrows
    assert arrows.count(("dropout(0.2)", "dense(16)")) == 2


def test_repeated_blocks_are_one_frame_with_a_count():
    picture = picture_of(network(RESIDUAL))
    assert [(f.path, f.times) for f in picture.frames] == [("residual[1]", 3)]
    inside = [box.lines[0] for box in picture.boxes if box.parent == "residual[1]"]
    assert inside == ["dense(32)", "dense(32)", "+"]
    nested = picture_of(network(GATED))
    assert [(f.text, f.times) for f in nested.frames] == [("pair(12)", 2), ("gate(n)", 2)]


def test_blocks_that_differ_are_not_folded():
    text = """block x -> unit(n) { x -> dense(n) -> relu }
net A { input x: [4]; unit(8) -> unit(8) -> unit(8) -> unit(6) }
"""
    frames = picture_of(network(text)).frames
    assert [(f.text, f.times) for f in frames] == [("unit(8)", 1), ("unit(8)", 2), ("unit(6)", 1)]


def test_shared_weights_are_counted_once():
    picture = picture_of(network(GATED))
    assert [box.small for box in picture.boxes if box.lines[0] == "dense(12)"][-2:] == [
        "156 parameters",
        "the same weights",
    ]


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


def test_odd_names_stay_text():
    text = 'data d = table("a\\<b>"=[1, 2, 3, 4], "t]; x"=[1, 2, 3, 5]) { target = "t]; x" }\n'
    text += "net A on d { dense(1) }\n"
    source = diagram_source(network(text))
    assert source.count("n0 [label") == 1
    assert "]; x" not in source
