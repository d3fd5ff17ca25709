"""Which columns of a table are targets, which are inputs, and which are left out and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from nndsl.data.expressions import columns_in
from nndsl.data.images.column import ImageColumn
from nndsl.data.options import setting
from nndsl.data.table import CategoryColumn, NumberColumn, Table, TableColumn, distinct, listed
from nndsl.diagnostics import Diagnostic, Fix, NndslError, Span, error, nearest
from nndsl.records import dataclass
from nndsl.schema import ChainRequest, ColumnExpression, ColumnKind, DataSpecification, Setting

COMPUTED_TARGET = "target"
EVERY_ROW = "all"
"""The `split` that trains on all rows."""
GROUPS = {"numeric": ColumnKind.NUMBER, "categories": ColumnKind.CATEGORY}

_FEW_TEXTS = 20


@dataclass(frozen=True)
class Roles:
    """The targets by name with their chains, the input columns, and what was left out why."""

    targets: dict[str, ChainRequest | None]
    inputs: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)


def roles_of(table: Table, specification: DataSpecification) -> Roles:
    """What each column is for; NN411 for names that are no columns, NN412 without a target."""
    _require_columns(table, specification)
    targets = _targets(table, specification)
    dropped = {name: "dropped" for name in _names(table, setting(specification, "drop"))}
    named = _named_in_chains(table, specification)
    reasons = {
        **{name: "a target" for name in targets},
        **_sources_of_target(table, specification, targets, dropped),
        **_of_order(table, specification),
        **_unusable(table),
    }
    left_out = {n: r for n, r in reasons.items() if n not in named or n in targets} | dropped
    inputs = tuple(name for name in table.columns if name not in left_out)
    if not inputs:  # of pictures that are all there is, the network gives themselves again
        inputs = tuple(n for n in targets if isinstance(table.columns[n], ImageColumn))
    return Roles(targets, inputs, {n: r for n, r in left_out.items() if n not in targets})


def column_names(table: Table, written: Iterable[Any], span: Span | None) -> tuple[str, ...]:
    """Names as written (numbers for files without header) that all are columns, else NN411."""
    names = tuple(str(name) for name in written)
    for name in names:
        if name not in table.columns:
            raise unknown_column(table, name, span)
    return names


def _require_columns(table: Table, specification: DataSpecification) -> None:
    """NN411 for every name of a section that is no column, all of them together."""
    problems: dict[tuple[str, Span | None], Diagnostic] = {}
    for names, span, words in _written(specification):
        for name in (str(name) for name in names):
            if name not in table.columns:
                (problem,) = unknown_column(table, name, span, words).diagnostics
                place = problem.primary.span if problem.primary is not None else None
                problems.setdefault((name, place), problem)
    if problems:
        raise NndslError(problems.values())


def _written(
    specification: DataSpecification,
) -> Iterator[tuple[Iterable[Any], Span | None, Iterable[str]]]:
    """The names of columns that a section writes, with the places they stand in, and the words
    that may stand there too.
    """
    for key in ("target", "drop", "time", "split"):
        found = setting(specification, key)
        if found is None or (key == "split" and not _names_parts(found)):
            continue
        if key == "target" and found.value == NO_TARGET:
            continue
        for item in found.value if isinstance(found.value, list | tuple) else (found.value,):
            if not isinstance(item, ColumnExpression):
                yield (item,), found.span, (EVERY_ROW,) if key == "split" else ()
    for chain in specification.chains:
        yield [c for c in chain.columns if not (chain.group and c in GROUPS)], chain.span, GROUPS


def _names_parts(split: Setting) -> bool:
    """Whether a `split` is the column that names the part of each row."""
    return isinstance(split.value, str) and split.value != EVERY_ROW


def unknown_column(
    table: Table, name: str, span: Span | None, words: Iterable[str] = ()
) -> NndslError:
    """NN411 with the nearest names, of columns and of `words` that may stand there too. `span` is
    where the name stands, or a longer piece with it.
    """
    span = _place_of(name, span)
    near = nearest(name, [*table.columns, *words])
    return error(
        "NN411",
        f"{table.origin.name} has no column `{name}`",
        span,
        f"did you mean `{near[0]}`?" if near else "not a column",
        help=f"the columns are {listed(table.columns)}",
        fix=_fix(span, near[0]) if near and span is not None else None,
        place=table.place() if span is None else None,
    )


def _place_of(name: str, span: Span | None) -> Span | None:
    """The first place in a span where the name stands, in quotation marks or alone."""
    if span is None:
        return None
    found = re.search(rf'"{re.escape(name)}"|(?<![\w."]){re.escape(name)}(?![\w"])', span.text)
    if found is None:
        return span
    return Span(span.source, span.start + found.start(), span.start + found.end())


def _fix(span: Span, name: str) -> Fix:
    """The name put in the place of the wrong one, quoted where that was."""
    return Fix(span, f'"{name}"' if span.text.startswith('"') else name)


def _names(table: Table, found: Setting | None) -> tuple[str, ...]:
    if found is None:
        return ()
    items = found.value if isinstance(found.value, list | tuple) else (found.value,)
    return column_names(table, items, found.span)


NO_TARGET = "none"
"""What `target` says where nothing is to be predicted: a network makes the columns again."""


def _targets(table: Table, specification: DataSpecification) -> dict[str, ChainRequest | None]:
    found = setting(specification, "target")
    if found is None and table.origin.kind in ("idx", "array", "images"):
        found = _usual_target(table)
    if found is None:
        raise _no_target(table, specification)
    if found.value == NO_TARGET and NO_TARGET not in table.columns:
        return {}
    items = found.value if isinstance(found.value, list | tuple) else (found.value,)
    targets: dict[str, ChainRequest | None] = {}
    for item in items:
        if isinstance(item, ColumnExpression):
            targets[COMPUTED_TARGET] = None
        else:
            targets[column_names(table, [item], found.span)[0]] = None
    for chain in specification.chains:
        if not chain.group and chain.input is None:
            targets.update({str(c): chain for c in chain.columns if targets.get(str(c), 0) is None})
    return targets


def _usual_target(table: Table) -> Setting | None:
    """The labels of arrays and pictures, or the only column beside the pictures."""
    others = [name for name in table.columns if name != "image"]
    if "label" in others and table.columns["label"].width == 1:
        return Setting("label")
    return Setting(others[0]) if table.origin.kind == "images" and len(others) == 1 else None


def _no_target(table: Table, specification: DataSpecification) -> NndslError:
    if set(names := list(table.columns)) == {"image"}:
        return error(
            "NN412",
            f"the pictures of `{specification.name}` have no labels: what is to be predicted?",
            specification.span,
            place=table.place(),
            help='one sub-folder for each class, or a file of labels: `labels="labels.csv"`',
        )
    candidates = [names[-1], *[n for n in names[:-1] if _could_be_target(table.columns[n])]]
    return error(
        "NN412",
        f"the target of `{specification.name}` is not said: which column is to be predicted?",
        specification.span,
        f"the columns are {listed(names)}",
        help=f"target = {listed(candidates[:1])}"
        + (f" (or {listed(candidates[1:4])})" if len(candidates) > 1 else "")
        + ", or `target = none` where nothing is",
    )


def _could_be_target(column: TableColumn) -> bool:
    return isinstance(column, CategoryColumn) and 2 <= len(column.categories) <= _FEW_TEXTS


def _named_in_chains(table: Table, specification: DataSpecification) -> set[str]:
    """Columns that a chain names one by one: these are wanted, whatever they look like."""
    named: set[str] = set()
    for chain in specification.chains:
        written = [c for c in chain.columns if not (chain.group and c in GROUPS)]
        named.update(column_names(table, written, chain.span))
    return named


def _sources_of_target(
    table: Table,
    specification: DataSpecification,
    targets: Iterable[str],
    dropped: Iterable[str],
) -> dict[str, str]:
    """Columns that a computed target is made of, unless nothing else would be left."""
    found = setting(specification, "target")
    items: Sequence[Any] = ()
    if found is not None:
        items = found.value if isinstance(found.value, list | tuple) else (found.value,)
    expressions = [item for item in items if isinstance(item, ColumnExpression)]
    sources = {name for expression in expressions for name in columns_in(expression)}
    rest = set(table.columns) - sources - set(targets) - set(dropped)
    if not rest:
        return {}
    return {name: "the target is computed from it" for name in sources}


def _of_order(table: Table, specification: DataSpecification) -> dict[str, str]:
    """The columns that only say the order of rows or the part that a row belongs to."""
    left = {}
    time = setting(specification, "time")
    if time is not None:
        left[column_names(table, [time.value], time.span)[0]] = "it orders the rows"
    split = setting(specification, "split")
    if split is not None and _names_parts(split):
        left[column_names(table, [split.value], split.span)[0]] = "it names the parts"
    return left


def _unusable(table: Table) -> dict[str, str]:
    """Columns without any value, and texts that differ from row to row."""
    left = {}
    for name, column in table.columns.items():
        present = table.rows - int(np.count_nonzero(column.missing))
        if table.rows and not present:
            left[name] = "it has no value in any row"
        elif isinstance(column, CategoryColumn):
            distinct = len(column.categories)
            if distinct > _FEW_TEXTS and distinct > present / 2:
                left[name] = f"it has {distinct:,} different texts in {present:,} rows"
    return left


def is_class_number(column: NumberColumn) -> bool:
    """Whether numbers are class labels: at most 20 whole numbers in a row from 0 or from 1."""
    found = column.range
    if column.width > 1 or found is None:
        return False
    low, high = found
    if low not in (0.0, 1.0) or high - low >= _FEW_TEXTS:
        return False
    values = distinct(column.values[~column.missing])
    return len(values) == high - low + 1 and bool(np.all(values == np.round(values)))
