import math

from nndsl.render.plots import Series
from nndsl.render.terminal_plot import COLUMNS, EMPTY, ROWS, terminal_plot


def dots(text):
    """(row, column) of every character with a dot."""
    lines = text.splitlines()[:ROWS]
    start = lines[0].index("┤") + 1
    return [
        (r, c)
        for r, line in enumerate(lines)
        for c, letter in enumerate(line[start:])
        if EMPTY < ord(letter) < EMPTY + 256
    ]


def test_a_rising_line_goes_from_below_left_to_above_right():
    found = dots(terminal_plot([Series("a", [0.0, 1.0], [0.0, 1.0])], "x"))
    assert min(found, key=lambda place: place[1])[0] >= ROWS - 2
    assert max(found, key=lambda place: place[1])[0] <= 1
    assert {column for _, column in found} == set(range(COLUMNS))


def test_edges_and_names_are_written():
    x = [-2.0, 2.0]
    text = terminal_plot([Series("up", x, [-1.0, 3.0]), Series("down", x, [3.0, -1.0], True)], "z")
    last, legend = text.splitlines()[-2:]
    assert last.split() == ["−2", "z", "2"]
    assert "up" in legend and "down" in legend
    assert any(line.strip().startswith("0 ┤") for line in text.splitlines())


def test_a_dashed_line_has_fewer_dots():
    x = [0.0, 1.0]
    full = terminal_plot([Series("a", x, x)])
    dashed = terminal_plot([Series("a", x, x, dashed=True)])
    weight = lambda text: sum(bin(ord(c) - EMPTY).count("1") for c in text if ord(c) > EMPTY)  # noqa: E731
    assert weight(dashed) < weight(full) / 2


def test_numbers_that_are_none_are_left_out():
    assert terminal_plot([Series("a", [0.0, 1.0], [math.nan, math.inf])]) == ""
    assert terminal_plot([Series("a", [0.0, 1.0, 2.0], [1.0, math.nan, 1.0])])
