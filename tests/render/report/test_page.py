"""The page of a report: nothing a person wrote becomes markup, everybody can read it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

import nndsl.render.report.page as page_module
from nndsl.render.charts import Ranged, memory_map, range_chart, spark_bars
from nndsl.render.report import content
from nndsl.render.report.figures import blocks_of
from nndsl.render.report.page import page, prose
from nndsl.vocab.figures import Confusion, Histogram, Images, Line, Lines, Scale
from tests.render.report.structure import complaints, read

HOSTILE = (
    '</style></script><script>alert("x")</script>',
    '" onload="alert(1)',
    "<img src=x onerror=alert(1)>",
    "--><!-- ]]>",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "a\x00b\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
)


SQUARES = np.linspace(-1, 1, 8).reshape(2, 2, 2)


def sample(name: str) -> content.Report:
    """A report with `name` wherever a text may come from a file or its data."""
    figures = (
        Lines(name, name, (Line(name, [1.0, 2], [3.0, 4]), Line(name, [1.0, 2], [4.0, 3])), name,
              name, ((1.0, 3.0, name),)),
        Histogram(name, name, [0.0, 1, 2], [1.0, 2], name),
        Histogram(name, name, [0.0, 1, 2], [1.0, 2]),
        Confusion(name, name, np.array([[3, 1], [0, 2]]), (name, "b")),
        Confusion(name, name, np.eye(30, dtype=int)[::-1], (name,) * 30),
        *(Images(name, name, numbers, (name, name), scale)
          for numbers in (SQUARES, np.repeat(SQUARES[..., None], 3, axis=3)) for scale in Scale),
    )  # fmt: skip
    tile = content.Tile(name, "data:image/png;base64,", name, (2, 2), name)
    blocks = (
        content.Tiles(name, name, (tile,)),
        content.Paragraph(name),
        content.Notice(f"`{name}`"),
        content.Table(name, (name, "b"), [(name, "1"), ("x", Markup(spark_bars([1, 2], name)))],
                      frozenset({1}), [(name, "2")]),
        *blocks_of(figures),
        content.Picture(name, Markup(range_chart([Ranged(name, 1.0, (0.5, 1.5))], name)), name),
        content.Picture(name, Markup(memory_map([], 1, name)), wide=True),
        content.Listing(name, f"{name}\nsecond line", numbered=True),
        content.Listing(name, name, folded=True),
        content.Formulas(name, (content.Formula(Markup("<math><mi>x</mi></math>"), None, name),)),
    )  # fmt: skip
    section = content.Section("one", name, name, blocks)
    comparison = content.Picture(name, Markup(range_chart([], name)))
    return content.Report(name, f"It is `{name}`.", (name,), comparison,
                          (content.Fact(name, name, name),), (section,), name)  # fmt: skip


@pytest.mark.parametrize("name", ["Plain", *HOSTILE])
def test_anybody_can_read_it(name: str) -> None:
    assert complaints(page(sample(name))) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(name: str) -> None:
    text = page(sample(name))
    plain, tame = read(page(sample("Plain"))), read(text)
    assert [e.name for e in tame.all()] == [e.name for e in plain.all()]
    assert len(list(tame.all("script"))) == 1
    assert not any(c for c in text if not c.isprintable() and c not in "\n")
    shown = name.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "<U+202E>")
    shown = shown.replace("\x00", "<U+0000>").replace("\x1b", "<U+001B>")
    assert next(tame.all("h1")).text == shown


def test_nothing_may_load_or_run_but_the_page_itself() -> None:
    text = page(sample("Plain"))
    policy = next(m for m in read(text).all("meta") if "http-equiv" in m.attributes)
    rules = dict(rule.split(" ", 1) for rule in policy.attributes["content"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for name in ("style-src", "script-src"):
        assert re.fullmatch(r"('sha256-[A-Za-z0-9+/]{43}='( |$))+", rules[name])
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert "url(" not in text and "@import" not in text


def test_backticks_set_code() -> None:
    assert prose("a `b<` c") == "a <code>b&lt;</code> c"
    assert prose("a ` b") == "a ` b"


def test_no_line_ends_before_a_per_cent_sign() -> None:
    assert prose("88.6 % to 95 % of `5 %`") == "88.6&nbsp;% to 95&nbsp;% of <code>5 %</code>"


def test_mistakes_are_coloured_by_how_frequent_they_are() -> None:
    counts = np.array([[997, 2, 1], [50, 949, 1], [0, 0, 1000]])
    (matrix,) = blocks_of([Confusion("title", "told", counts, ("a", "b", "c"))])
    assert isinstance(matrix, content.Matrix)
    assert matrix.shades == ((9, 1, 1), (9, 9, 1), (0, 0, 9))
    assert matrix.shares[0] == ("100 %", "< 1 %", "< 1 %") and matrix.shares[2][0] == "0 %"


# --- colours --------------------------------------------------------------------------------

CSS = (Path(page_module.__file__).parent / "page.css").read_text(encoding="utf-8")
PALETTE = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
ON_CARD = ("ink", "quiet", "accent", *(f"series-{i}" for i in range(1, 7)))


def luminance(color: tuple[float, ...]) -> float:
    """Relative luminance of a colour of parts 0 to 1 (WCAG 2.2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette(scheme: int) -> dict[str, tuple[float, ...]]:
    return {
        found[0]: tuple(int(found[1 + scheme][i : i + 2], 16) / 255 for i in (1, 3, 5))
        for found in PALETTE
    }


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrasts(scheme: int) -> None:
    colors = palette(scheme)
    assert set(ON_CARD) < set(colors)
    for name in ON_CARD:  # text, and lines that mean something
        assert contrast(colors[name], colors["card"]) >= 4.5, name
    for name in ("ink", "quiet", "accent"):
        assert contrast(colors[name], colors["paper"]) >= 4.5, name
    for i in range(1, 6):
        assert contrast(colors["on-fill"], colors[f"series-{i}"]) >= 4.5, i
    assert contrast(colors["warn"], colors["warn-soft"]) >= 4.5
    assert contrast(colors["ink"], colors["warn-soft"]) >= 4.5
    for name, share in re.findall(r"color-mix\(in srgb, var\(--([\w-]+)\) (\d+)%", CSS):
        part = int(share) / 100
        mixed = tuple(part * a + (1 - part) * b
                      for a, b in zip(colors[name], colors["card"], strict=True))  # fmt: skip
        assert contrast(colors["ink"], mixed) >= 4.5, share
