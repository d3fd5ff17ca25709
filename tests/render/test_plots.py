import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from nndsl.render.axes import ticks
from nndsl.render.plots import Mark, Series, line_chart

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(*series, **options):
    return ElementTree.fromstring(line_chart(series, **options))


def texts(picture):
    return [element.text for element in picture.iter(f"{NAMESPACE}text")]


def coordinates(picture):
    """Of the first line."""
    path = next(p for p in picture.iter(f"{NAMESPACE}path") if "L" in p.get("d"))
    return [tuple(map(float, pair.split())) for pair in re.split("[ML]", path.get("d"))[1:]]


@pytest.mark.parametrize("low, high", [(0, 1), (-3.2, 17), (1e-9, 3e-9), (5e6, 7e6), (-1, -0.99)])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_ticks_are_few_round_and_inside(low, high, count):
    found = ticks(low, high, count)
    assert 1 <= len(found) <= count + 1
    room = 1e-6 * (high - low)
    assert all(low - room <= tick <= high + room for tick in found)


def test_ticks_of_epochs_are_whole():
    assert ticks(1, 3, 9, whole=True) == [1, 2, 3]


def test_lines_keep_order_and_frame():
    picture = drawn(Series("a", [0, 1, 2], [0.0, 10.0, 5.0]))
    (x0, y0), (x1, y1), (x2, y2) = coordinates(picture)
    assert x0 < x1 < x2
    assert y1 < y2 < y0  # up is smaller
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)


def test_log_heights():
    picture = drawn(Series("a", [0, 1, 2], [1.0, 0.1, 0.01]), y_log=True)
    (_, y0), (_, y1), (_, y2) = coordinates(picture)
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2)
    assert {"1", "0.1", "0.01"} <= set(texts(picture))


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_lines_break_where_numbers_end(hole):
    picture = drawn(Series("a", range(5), [1.0, 2.0, hole, 3.0, 4.0]))
    path = next(iter(picture.iter(f"{NAMESPACE}path")))
    assert path.get("d").count("M") == 2
    assert "nan" not in line_chart([Series("a", range(3), [hole] * 3)])


@pytest.mark.parametrize("y", [[], [2.0], [0.0, 0.0], [-1e300, 1e300]])
def test_few_or_extreme_points(y):
    assert "nan" not in line_chart([Series("a", range(len(y)), y)])


def test_dots_are_not_joined():
    picture = drawn(Series("a", [0, 1, math.nan, 2], [1.0, 2.0, 3.0, math.inf], dots=True))
    path = next(iter(picture.iter(f"{NAMESPACE}path"))).get("d")
    assert path.count("M") == 2 and "L" not in path


@pytest.mark.parametrize("y", [[0.1, 0.5, 0.9, 0.95], [9, 4, 2, 1.8], [1, 1, 1, 1]])
@pytest.mark.parametrize("where", [0, 1, 3])
def test_the_words_of_a_mark_hide_no_line(y, where):
    x = [0.0, 10, 20, 30]
    picture = drawn(Series("a", x, y), marks=[Mark(x[where], y[where], "kept: epoch")])
    words = next(t for t in picture.iter(f"{NAMESPACE}text") if t.text == "kept: epoch")
    left, base = float(words.get("x")), float(words.get("y"))
    left -= 70 * (words.get("text-anchor") == "end")
    below = np.linspace(left, left + 70, 71)
    heights = np.interp(below, *np.array(coordinates(picture)).T, left=math.nan, right=math.nan)
    assert ((base - 9 < heights) & (heights < base)).sum() < 10


def test_text_cannot_become_markup():
    name = '<script>"&'
    picture = drawn(Series(name, [0, 1], [0, 1]), Series("b", [0, 1], [1, 0]), title=name,
                    x_label=name, y_label=name, marks=[Mark(0, 0, name)])  # fmt: skip
    assert texts(picture).count(name) == 5
    assert picture.get("aria-label") == name


def test_a_page_may_rule_the_colours():
    text = line_chart([Series("a", [0, 1], [0, 1]), Series("b", [0, 1], [1, 0], dashed=True)])
    assert 'class="plot-1"' in text and 'class="plot-2"' in text
    assert "currentColor" in text and "<style" not in text


def test_the_same_picture_each_time():
    series = [Series("a", [0, 1, 2], [0.1, 0.2, 0.4])]
    assert line_chart(series) == line_chart(series)
