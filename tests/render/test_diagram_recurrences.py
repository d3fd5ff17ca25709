"""Recurrences in diagrams: one box with a loop, its inside, its steps one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl.driver import open_file
from nndsl.render.diagram import dot_source
from nndsl.render.diagram_fold import picture_of
from nndsl.render.diagram_picture import Picture
from nndsl.render.diagram_unroll import unrolled
from tests.lower.helpers import lowered

MODELS = Path(__file__).parents[2] / "models"
CELL = (
    "cell (x, h: [n]) -> mgu(n) {\n"
    "  f = (x, h) -> dense(n) -> sigmoid\n"
    "  c = (x, f * h) -> dense(n) -> tanh\n"
    "  (1 - f) * h + f * c\n}\n"
)


def picture(lines: str, *opened: str, shape: str = "[T, 3]") -> Picture:
    network = lowered(f"{CELL}net A {{\n  input x: {shape}\n  {lines}\n}}\n").networks["A"]
    return picture_of(network, opened)


def firsts(found: Picture) -> list[str]:
    return [box.lines[0] for box in found.boxes]


def pairs(arrows) -> list[tuple[str, str]]:
    return [(a.source.lines[0], a.target.lines[0] if a.target else "") for a in arrows]


@pytest.mark.parametrize("word", ["rnn", "lstm", "gru"])
def test_a_recurrent_layer_is_one_box_with_a_loop(word: str) -> None:
    found = picture(f"{word}(4) -> last -> dense(2)")
    assert firsts(found) == ["input", f"{word}(4)", "last", "dense(2)"]
    assert pairs(found.loops) == [(f"{word}(4)", f"{word}(4)")]
    assert "constraint=false" in dot_source(found)


def test_the_inside_of_an_lstm() -> None:
    found = picture("lstm(4) -> dense(2)", "lstm")
    assert [frame.text for frame in found.frames] == ["lstm(4)"]
    for text in ("h before", "c before", "i = sigmoid(x)", "c = f * c + i * g", "h = o * tanh(c)"):
        assert text in firsts(found)
    assert pairs(found.loops) == [
        ("h = o * tanh(c)", "h before"),
        ("c = f * c + i * g", "c before"),
    ]


def test_a_cell_is_drawn_as_its_lines_say() -> None:
    found = picture("mgu(4) -> last -> dense(2)", "mgu")
    assert pairs(found.loops) == [("+", "h before")]
    assert ("+", "last") in pairs(found.arrows)


def test_both_directions_meet_before_what_follows() -> None:
    found = picture("both(mgu(4)) -> last -> dense(2)")
    assert ("concat", "last") in pairs(found.arrows)
    assert len(found.loops) == 2


def test_steps_of_stacked_recurrences_meet_one_by_one() -> None:
    found = unrolled(picture("lstm(4) -> gru(4) -> last -> dense(2)"), 3)
    assert firsts(found) == ["input", *["lstm(4)"] * 3, *["gru(4)"] * 3, "last", "dense(2)"]
    assert found.loops == []
    assert pairs(found.carried) == [("lstm(4)", "lstm(4)")] * 2 + [("gru(4)", "gru(4)")] * 2
    assert pairs(found.arrows).count(("lstm(4)", "gru(4)")) == 3
    (ending,) = [a for a in found.arrows if a.target and a.target.lines[0] == "last"]
    assert ending.source.small == ("step 3 …",)


def test_steps_of_an_open_cell_stand_below_one_another() -> None:
    found = unrolled(picture("mgu(4) -> last -> dense(2)", "mgu"), 2)
    assert [frame.text for frame in found.frames] == ["mgu(4), step 1", "mgu(4), step 2 …"]
    assert pairs(found.arrows).count(("+", "h before")) == 1


def test_each_of_two_open_cells_is_handed_its_memory() -> None:
    found = unrolled(picture("lstm(4) -> lstm(4) -> last -> dense(2)", "lstm"), 3)
    handed = [target for _, target in pairs(found.arrows) if target.endswith(" before")]
    assert sorted(handed) == ["c before"] * 4 + ["h before"] * 4  # two layers, twice to the next


def test_what_settles_is_a_loop_of_its_state() -> None:
    found = picture("settle(dense(3) -> tanh, limit=9) -> dense(2)", shape="[3]")
    assert [frame.text for frame in found.frames] == ["settle, at most 9 steps"]
    assert pairs(found.loops) == [("dense(3)", "y before")]
    assert ("input", "y before") in pairs(found.arrows)
    shown = unrolled(found, 2)
    assert pairs(shown.arrows).count(("dense(3)", "dense(2)")) == 1


def test_a_recurrence_has_its_colour_wherever_it_starts() -> None:
    found = picture("first = x -> gru(4) -> last\n  x -> gru(first, 4) -> last")
    assert [box.kind for box in found.boxes if box.lines[0].startswith("gru")] == [
        "recurrence",
        "recurrence",
    ]


@pytest.mark.parametrize(
    ("opened", "source"), [((), "gru(16)"), (("gru",), "h = (1 - z) * n + z * h")]
)
def test_the_end_of_a_sequence_is_read_from_what_computes_it(
    opened: tuple[str, ...], source: str
) -> None:
    network = open_file(MODELS / "27_bidirectional.nn").module.networks["Sentiment"]
    arrows = pairs(picture_of(network, opened).arrows)
    assert arrows.count((source, "last")) == 2


def test_an_opened_cell_leaves_its_memory_below() -> None:
    source = dot_source(picture("mgu(4) -> last -> dense(2)", "mgu"))
    assert "h before" in source
    assert "h next" in source
    assert "constraint=false" not in source
    assert "newrank=true" in source


def test_both_directions_read_the_dropout_before_them() -> None:
    network = open_file(MODELS / "27_bidirectional.nn").module.networks["Sentiment"]
    assert pairs(picture_of(network).arrows).count(("dropout(0.3)", "gru(16)")) == 2
