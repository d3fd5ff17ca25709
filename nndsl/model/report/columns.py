"""The columns of the data: what is in them, how they are spread, what the network sees of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from nndsl.data.images.column import ImageColumn
from nndsl.data.table import CategoryColumn, NumberColumn, TableColumn
from nndsl.data.text.column import TextColumn
from nndsl.diagnostics import first_of
from nndsl.ir.types import format_shape
from nndsl.model.report.evidence import Evidence
from nndsl.model.report.numbers import number
from nndsl.render.charts import spark_bars
from nndsl.render.report.content import Cell, Table
from nndsl.schema import Column, ColumnKind, FittedStep, Schema, TargetKind

SHOWN = 16
MOST = 200
BARS = 24
MOST_TEXT = 24


def columns_table(evidence: Evidence) -> Table:
    """One line a column: kind, empty cells, values, spread, and what becomes of it."""
    schema = evidence.loaded.schema
    lines = [_line(evidence, schema, column) for column in schema.columns[:MOST]]
    title = "Columns"
    if len(schema.columns) > MOST:
        title = f"The first {MOST} of {len(schema.columns)} columns"
    heads = ("column", "kind", "empty", "values", "spread", "used as")
    return Table(title, heads, lines[:SHOWN], frozenset({2}), lines[SHOWN:])


def _line(evidence: Evidence, schema: Schema, column: Column) -> tuple[Cell, ...]:
    rows = evidence.rows
    found = rows.table.columns.get(column.name) if rows is not None else None
    used = "; ".join(_uses(schema, column.name)) or "not used"
    spread = _spread(found) if found is not None else ""
    values = _values(found) if found is not None else _known_values(column)
    empty = str(column.missing) if column.missing else "–"
    return (column.name, column.kind.value, empty, values, spread, used)


def _known_values(column: Column) -> str:
    """What the schema alone says."""
    if column.kind is ColumnKind.NUMBER:
        if column.minimum is None or column.maximum is None:
            return "–"
        return f"{number(column.minimum)} to {number(column.maximum)}"
    names = [name[:MOST_TEXT] for name in column.categories]
    return f"{len(names)}: {first_of(names, 4)}"


def _values(column: TableColumn) -> str:
    if isinstance(column, CategoryColumn):
        counts = _counts(column)
        order = np.argsort(-counts, kind="stable")
        names = [f"{column.categories[i][:MOST_TEXT]} ({counts[i]})" for i in order]
        return f"{len(names)}: {first_of(names, 4)}"
    if isinstance(column, ImageColumn):
        return f"pictures of {format_shape(column.shape)}"
    if isinstance(column, TextColumn):
        known_units = len(column.vocabulary.units)
        return f"windows of {column.window} units, {known_units} different ones"
    known = column.values[np.isfinite(column.values)]
    if not known.size:
        return "–"
    quarters = np.quantile(known.astype(np.float64), (0, 0.25, 0.5, 0.75, 1))
    width = f"{column.width} numbers each, " if column.width > 1 else ""
    low, first, middle, last, high = (number(float(q)) for q in quarters)
    return f"{width}{low} to {high}, median {middle}, half within {first} to {last}"


def _counts(column: CategoryColumn) -> np.ndarray:
    return np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))


def _spread(column: TableColumn) -> Cell:
    """A small histogram of the column."""
    if isinstance(column, CategoryColumn):
        counts = np.sort(_counts(column))[::-1][:BARS]
        told = f"rows of the most frequent of {len(column.categories)} categories"
        return Markup(spark_bars(counts.tolist(), f"{column.name}: {told}"))
    return _number_spread(column) if isinstance(column, NumberColumn) else ""


def _number_spread(column: NumberColumn) -> Cell:
    known = column.values[np.isfinite(column.values)].reshape(-1)
    if not known.size:
        return ""
    counts, edges = np.histogram(known.astype(np.float64), BARS)
    told = f"{column.name}: histogram from {number(edges[0])} to {number(edges[-1])}"
    return Markup(spark_bars(counts.tolist(), told))


def _uses(schema: Schema, name: str) -> Iterator[str]:
    for given in schema.inputs:
        if name in given.columns:
            yield " → ".join([f"input {given.name}" if len(schema.inputs) > 1 else "input",
                              *map(_step, given.steps.get(name, ()))])  # fmt: skip
    for target in schema.targets:
        if target.name == name:
            classes = target.kind is TargetKind.CLASSES
            what = f"target, {len(target.classes)} classes" if classes else "target"
            yield " → ".join([what, *map(_step, target.steps)])


def _step(step: FittedStep) -> str:
    """A step with the numbers that it learnt."""
    learnt = []
    for key, value in step.learnt.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            learnt.append(f"{key} {number(float(value))}")
        elif isinstance(value, str):
            learnt.append(f"{key} {value[:MOST_TEXT]}")
    return f"{step.word} ({', '.join(learnt)})" if learnt else step.word
