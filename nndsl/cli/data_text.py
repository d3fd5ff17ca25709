"""`nndsl show data`: the tables of a file, what is taken for what, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl import driver
from nndsl.cli.output import table
from nndsl.lower.result import Recipe
from nndsl.model.training import split_of
from nndsl.report_text import render_text, visible
from nndsl.schema import Column, ColumnKind, FittedStep, Schema, TargetKind

MOST_COLUMNS = 40
SHOWN_CATEGORIES = 3


def data_text(opened: driver.Opened) -> str:
    """One part for each data section: rows, columns, remarks."""
    return "\n\n".join(_section(opened, name) for name in opened.tables)


def _section(opened: driver.Opened, name: str) -> str:
    schema = opened.module.schemas[name]
    heading = f"data {name}: {visible(opened.tables[name].origin.name)}, {schema.rows} rows"
    recipe = next((r for r in opened.module.recipes if r.data == name), None)
    if recipe is None:
        return f"{heading}\n{table(_rows(schema))}"
    return "\n".join(_trained(opened, recipe, heading))


def _trained(opened: driver.Opened, recipe: Recipe, heading: str) -> Iterator[str]:
    """With the parts of the rows, and the steps learnt from the training part."""
    split = split_of(opened, recipe)
    rows = driver.rows_of(opened, recipe, split)
    parts = (len(split.train), len(split.validation), len(split.test))
    yield f"{heading}: {parts[0]} train, {parts[1]} validation, {parts[2]} test"
    yield table(_rows(rows.schema))
    for note in rows.notes:
        yield "\n" + render_text(note)


def _rows(schema: Schema) -> list[list[str]]:
    rows = [["column", "kind", "values", "empty", "used as"]]
    for column in schema.columns[:MOST_COLUMNS]:
        missing = str(column.missing) if column.missing else ""
        used = "; ".join(_uses(schema, column.name)) or "not used"
        rows.append([visible(column.name), column.kind.value, _values(column), missing, used])
    if len(schema.columns) > MOST_COLUMNS:
        rows.append([f"and {len(schema.columns) - MOST_COLUMNS} more", "", "", "", ""])
    return rows


def _values(column: Column) -> str:
    if column.kind is ColumnKind.NUMBER:
        known = column.minimum is not None and column.maximum is not None
        return f"{column.minimum:g} to {column.maximum:g}" if known else ""
    shown = ", ".join(c[:20] for c in column.categories[:SHOWN_CATEGORIES])
    more = ", ..." if len(column.categories) > SHOWN_CATEGORIES else ""
    return visible(f"{len(column.categories)}: {shown}{more}")


def _uses(schema: Schema, name: str) -> Iterator[str]:
    for given in schema.inputs:
        if name in given.columns:
            yield " -> ".join([given.name, *_words(given.steps.get(name, ()))])
    for target in schema.targets:
        if target.name == name:
            classes = target.kind is TargetKind.CLASSES
            what = f"target, {len(target.classes)} classes" if classes else "target"
            yield " -> ".join([what, *_words(target.steps)])


def _words(steps: tuple[FittedStep, ...]) -> list[str]:
    return [step.word for step in steps]
