"""From a picture as data to blocks of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup

from nndsl.diagnostics import NndslError
from nndsl.lower.result import Network
from nndsl.render import formulas
from nndsl.render.charts import bar_chart
from nndsl.render.diagram import diagram_svg
from nndsl.render.formula_text import formulas_text
from nndsl.render.plots import Mark, Series, line_chart
from nndsl.render.report.content import (
    Block,
    Formula,
    Formulas,
    Listing,
    Matrix,
    Notice,
    Picture,
    Pictures,
    Table,
)
from nndsl.render.report.tiles import tiles_of
from nndsl.scalar.notation_mathml import to_mathml
from nndsl.vocab.figures import Confusion, Figure, Histogram, Images, Lines

CHART = (440, 260)
SQUARE = (400, 380)
SMALL = (260, 150)
MOST_CLASSES = 24
"""Classes up to which the whole table of mistakes is shown; beyond it the worst pairs."""
WORST_PAIRS = 20
MOST_FORMULAS = 30


def blocks_of(figures: Iterable[Figure]) -> list[Block]:
    """The blocks that show figures; charts stand side by side."""
    found: list[Block] = []
    charts: list[Picture] = []
    small: list[Picture] = []
    for figure in figures:
        if isinstance(figure, Lines):
            charts.append(_lines(figure))
        elif isinstance(figure, Histogram):
            (charts if figure.x_label else small).append(_histogram(figure))
        elif isinstance(figure, Confusion):
            found.append(_confusion(figure))
        elif isinstance(figure, Images):
            found.append(tiles_of(figure))
    side_by_side = [Pictures(tuple(charts)), Pictures(tuple(small), small=True)]
    return [*(block for block in side_by_side if block.items), *found]


def diagram(network: Network) -> Block:
    """The net as a drawing; its size is left to the page, for no element there has a style."""
    try:
        drawing = diagram_svg(network)
    except NndslError as problem:
        return Notice(f"No diagram: {problem.diagnostics[0].title}.")
    sized = re.sub(r' style="[^"]*"', "", drawing, count=1)
    return Picture("Diagram", Markup(sized), wide=True)


def formula_blocks(found: formulas.Formulas) -> list[Block]:
    """The formulas of a network, one block a section, and all of them as text."""
    sections = [
        Formulas(
            section.title,
            tuple(_formula(one) for one in section.formulas[:MOST_FORMULAS]),
            _remark(section),
        )
        for section in found.sections
    ]
    return [*sections, Listing("All formulas as text", formulas_text(found).rstrip(), folded=True)]


def _remark(section: formulas.Section) -> str:
    more = len(section.formulas) - MOST_FORMULAS
    rest = f"The first {MOST_FORMULAS}; {more} more are in the text below." if more > 0 else ""
    return " ".join(part for part in (section.remark, rest) if part)


def _formula(one: formulas.Formula) -> Formula:
    where = Markup(to_mathml(one.where)) if one.where else None
    return Formula(Markup(one.mathml), where, one.note)


def _lines(figure: Lines) -> Picture:
    series = [Series(one.name, one.x, one.y, one.dashed, one.dots) for one in figure.lines]
    drawing = line_chart(
        series,
        x_label=figure.x_label,
        y_label=figure.y_label,
        marks=[Mark(*mark) for mark in figure.marks],
        size=SQUARE if figure.square else CHART,
        y_log=figure.y_log,
        alternative=f"{figure.title}. {figure.alternative}",
    )
    told = []
    if len(series) == 1 and series[0].name.lower() != figure.title.lower():
        told.append(f"{series[0].name[:1].upper()}{series[0].name[1:]}.")  # it has no legend
    if figure.y_log:
        told.append("Logarithmic axis.")
    return Picture(figure.title, Markup(drawing), " ".join(told))


def _histogram(figure: Histogram) -> Picture:
    drawing = bar_chart(
        figure.edges,
        figure.counts,
        f"{figure.title}. {figure.alternative}",
        x_label=figure.x_label,
        size=CHART if figure.x_label else SMALL,
    )
    return Picture(figure.title, Markup(drawing))


def _confusion(figure: Confusion) -> Block:
    if len(figure.classes) > MOST_CLASSES:
        return _worst(figure)
    counts = figure.counts
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = counts / totals
    wrong = shares * (1 - np.eye(len(shares)))
    strength = np.where(wrong > 0, wrong / (wrong.max(initial=0.0) or 1.0), shares)
    return Matrix(
        figure.title,
        figure.classes,
        tuple(tuple(int(n) for n in row) for row in counts),
        tuple(tuple(map(_share, row)) for row in shares.tolist()),
        tuple(tuple(int(np.ceil(9 * share)) for share in row) for row in strength),
        f"{figure.alternative}. Each line is an actual class, each column what was predicted; "
        "below a count its share of the line. Outlined: right. The others are mistakes, the most "
        "frequent one the strongest in colour.",
    )


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if not 0 < share < 0.005 else "< 1 %"


def _worst(figure: Confusion) -> Table:
    """The pairs of classes that are mistaken most often."""
    wrong = figure.counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:WORST_PAIRS]
    rows = []
    for flat in order.tolist():
        actual, said = divmod(flat, len(figure.classes))
        if wrong[actual, said]:
            total = int(figure.counts[actual].sum())
            names = (figure.classes[actual], figure.classes[said])
            rows.append((*names, str(wrong[actual, said]), f"of {total}"))
    title = f"{figure.title}: the most frequent mistakes of {len(figure.classes)} classes"
    return Table(title, ("actual", "taken for", "times", "rows"), rows, frozenset({2, 3}))
