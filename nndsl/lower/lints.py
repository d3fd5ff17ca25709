"""Lints on data and network together: what runs, but is seldom meant."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span
from nndsl.lower.problems import Problems
from nndsl.lower.result import Stop
from nndsl.lower.values import DataSource
from nndsl.schema import DataSpecification, InputSchema, Schema

LARGE = 10.0
SCALING = frozenset(
    (
        *("standardize", "minmax", "robust", "scale", "log1p", "log", "clip"),
        *("onehot", "ordinal", "ids", "cycle"),
    )
)


def lint_data(source: DataSource, stops: Sequence[Stop], problems: Problems) -> None:
    """Unscaled inputs, no validation part."""
    if source.schema is None:
        return
    for declared in source.schema.inputs:
        _lint_scale(declared, source.schema, source, problems)
    ends_by_itself = any(stop.word == "no_mistakes" for stop in stops)
    if _without_validation(source.specification) and not ends_by_itself:
        problems.lint(
            "NN804",
            f"`{source.name}` has no validation part: nothing tells when to stop learning",
            source.specification.settings["split"].span if source.specification else None,
            "every row trains",
            help="split = [64%, 16%, 20%]",
        )


def _without_validation(specification: DataSpecification | None) -> bool:
    setting = specification.settings.get("split") if specification is not None else None
    value = setting.value if setting is not None else None
    return isinstance(value, list) and len(value) > 1 and value[1] == 0


def _lint_scale(
    declared: InputSchema, schema: Schema, source: DataSource, problems: Problems
) -> None:
    """Numbers far from 1 go in as they are: learning becomes slow or diverges."""
    columns = {column.name: column for column in schema.columns}
    for name in declared.columns:
        column = columns.get(name)
        steps = declared.steps.get(name, ())
        if column is None or any(step.word in SCALING for step in steps):
            continue
        low, high = column.minimum, column.maximum
        if low is None or high is None or max(abs(low), abs(high)) <= LARGE:
            continue
        chain = _chain_span(source.specification, name)
        problems.lint(
            "NN803",
            f"`{name}` goes into the network unscaled, from {low:g} to {high:g}",
            chain or source.span,
            "weights of this input learn at another pace than the others",
            help=f"{name} -> standardize",
        )


def _chain_span(specification: DataSpecification | None, column: str) -> Span | None:
    for chain in specification.chains if specification is not None else ():
        if column in chain.columns:
            return chain.span
    return None
