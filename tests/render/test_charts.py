import math
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

from nndsl.render.charts import (
    Life,
    Ranged,
    bar_chart,
    memory_map,
    range_chart,
    share_bar,
    spark_bars,
)
from nndsl.render.png import coloured, png

NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(text):
    picture = ElementTree.fromstring(text)
    assert picture.get("role") == "img"
    return picture


def rectangles(picture):
    return [
        [float(r.get(side, 0)) for side in ("x", "y", "width", "height")]
        for r in picture.iter(f"{NAMESPACE}rect")
    ]


def test_bars_stand_on_the_ground_as_high_as_their_counts():
    bars = rectangles(parsed(bar_chart([0, 1, 2, 3], [2, 0, 4], "told")))
    (_, y1, _, h1), (_, y2, _, h2) = bars
    assert h2 == pytest.approx(2 * h1, abs=0.2)
    assert y1 + h1 == pytest.approx(y2 + h2, abs=0.2)


@pytest.mark.parametrize("counts", [[], [0], [0, 0], [1e9, 1]])
def test_small_bars(counts):
    parsed(spark_bars(counts, "told"))
    parsed(share_bar(len(counts) / 2, "told"))


def test_ranges_are_in_proportion_and_leave_out_what_is_no_number():
    items = [Ranged("a", 0.5, (0.25, 0.75)), Ranged("b", 1.0), Ranged("c", math.nan)]
    picture = parsed(range_chart(items, "told", bounds=(0, 1)))
    centres = [float(c.get("cx")) for c in picture.iter(f"{NAMESPACE}circle")]
    line = next(p.get("d") for p in picture.iter(f"{NAMESPACE}path"))
    start, end = float(line[1:].split()[0]), float(line.split("H")[1].split("M")[0])
    assert len(centres) == 2
    assert centres[0] == pytest.approx((start + end) / 2, abs=0.2)
    assert end - start == pytest.approx(centres[1] - centres[0], abs=0.2)


def test_ranges_say_their_numbers():
    items = [Ranged("a", 0.96, (0.95, 0.97), "0.960 (0.950 to 0.970)"), Ranged("b", 0.1234)]
    picture = parsed(range_chart(items, "told", bounds=(0, 1)))
    shown = {t.text: float(t.get("x")) for t in picture.iter(f"{NAMESPACE}text")}
    assert {"a", "b", "0.960 (0.950 to 0.970)", "0.123"} <= set(shown)
    assert shown["0.960 (0.950 to 0.970)"] + 22 * 6 < float(picture.get("width"))


def test_names_are_cut_to_their_shape_or_left_out():
    name = "gradient:first.weight"
    lives = [Life(name, 0, 1024, 0, last) for last in (100, 12, 4)]
    shown = [
        [t.text for t in parsed(memory_map([life], 100, "told")).iter(f"{NAMESPACE}text")
         if t.text.startswith("grad")]
        for life in lives
    ]  # fmt: skip
    assert shown[0] == [name] and shown[2] == []
    assert shown[1][0].endswith("…") and name.startswith(shown[1][0][:-1])


def test_memory_lies_where_it_was_planned():
    lives = [Life("low", 0, 1024, -1, 3), Life("high", 1024, 2048, 2, 4)]
    (x1, y1, _, h1), (x2, y2, _, h2) = rectangles(parsed(memory_map(lives, 5, "told")))
    assert x1 < x2 and y2 < y1
    assert h2 == pytest.approx(2 * h1, abs=1)
    parsed(memory_map([], 0, "told"))


def test_png_reads_back():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    data = png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (3, 2)
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    lines = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8)
    assert (lines.reshape(2, 10)[:, 1:].reshape(2, 3, 3) == pixels).all()


def test_colours_grow_lighter_with_the_number():
    light = coloured(np.linspace(-2, 2, 41), 1.0) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) >= 0).all() and light[-1] > light[0] + 150
    assert (coloured(np.zeros(1), 0.0) == coloured(np.zeros(1), 1.0)).all()


def test_what_is_no_number_is_clear():
    clear, seen = coloured(np.array([math.nan, 0.0]), 1.0)
    assert (clear[3], seen[3]) == (0, 255)
    assert (seen[:3] == coloured(np.zeros(1), 1.0)[0]).all()
