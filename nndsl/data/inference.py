"""`schema_of`: what a table is to a network. Kinds, classes, inputs, and the steps of each column.

Nothing is learnt here: the steps get what they learn from the training part in `prepare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nndsl.data.columns import GROUPS, Roles, column_names, is_class_number, roles_of
from nndsl.data.images.column import ImageColumn
from nndsl.data.images.decoding import MOST_LEVELS
from nndsl.data.mistakes import Mistakes
from nndsl.data.options import setting
from nndsl.data.series import series_of, with_windows
from nndsl.data.table import (
    CategoryColumn,
    NumberColumn,
    Table,
    TableColumn,
    describe_columns,
)
from nndsl.data.text.reading import text_schema
from nndsl.diagnostics import NndslError, error
from nndsl.records import dataclass
from nndsl.schema import (
    ChainRequest,
    Column,
    ColumnKind,
    DataSpecification,
    FittedStep,
    InputSchema,
    Schema,
    StepRequest,
    TargetKind,
    TargetSchema,
)
from nndsl.vocab import words
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.preprocessing import numbers_of, padding_of

INPUT = "input"
"""The name of the only input when the source names none."""

FILLING = ("median", "mean", "fill")
_WIDEST = 100_000


def schema_of(table: Table, specification: DataSpecification) -> Schema:
    """Columns, inputs and targets of a table, by the rules of the language reference.

    Texts and few consecutive whole numbers are classes, other targets are numbers, standardised.
    Without chains: numbers get the median where missing and are standardised, categories become
    one-hot. Raises NN410 (no rows), NN411, NN412, NN413 (one class), NN419 (a step that does not
    fit its column).
    """
    if table.rows == 0:
        raise _no_rows(table, specification)
    if table.origin.kind == "text":
        return text_schema(table, specification)
    roles = roles_of(table, specification)
    if not roles.inputs and not series_of(specification):
        raise error(
            "NN412",
            f"`{specification.name}` has no column left as input",
            specification.span,
            "every column is a target or left out",
            notes=[f"`{name}`: {why}" for name, why in list(roles.left_out.items())[:5]],
        )
    mistakes = Mistakes()
    chains = _chains_by_column(table, specification, roles)
    inputs: tuple[InputSchema, ...] = ()
    targets = []
    with mistakes.caught():
        inputs = tuple(_inputs(table, specification, roles, chains))
    for name, chain in roles.targets.items():
        with mistakes.caught():
            targets.append(_target(table, name, chain))
    mistakes.raise_any()
    if empty := [declared.name for declared in inputs if not declared.columns]:
        raise error(
            "NN412",
            f"the input `{empty[0]}` of `{specification.name}` has no columns",
            specification.span,
            "a column that is a target is no input",
        )
    schema = Schema(
        specification.name,
        table.rows,
        _described(table, inputs),
        inputs,
        tuple(targets),
    )
    series = series_of(specification)
    if series:
        schema = with_windows(table, schema, series, specification.settings["window"].span)
    if "where" not in specification.settings:  # a part may be of one class: the ones of a table
        require_variety(table, schema, specification)
    return schema


def _described(table: Table, inputs: Sequence[InputSchema]) -> tuple[Column, ...]:
    """The columns; of texts that are read word by word only what they are, not all of them."""
    read = {n for i in inputs for n, s in i.steps.items() if padding_of(s) is not None}
    found = describe_columns(table)
    return tuple(replace(c, categories=()) if c.name in read else c for c in found)


def _no_rows(table: Table, specification: DataSpecification) -> NndslError:
    filtered = "where" in specification.settings
    reason = "no row fulfils `where`" if filtered else "only a header"
    return error(
        "NN410",
        f"{table.origin.name} has no rows: {reason}",
        specification.settings["where"].span if filtered else specification.path_span,
        reason,
        place=None if filtered else table.place(),
        help="at least a few rows for each class are needed",
    )


# --- chains --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chains:
    """Chains written for a column, those of groups for the rest."""

    own: dict[str, ChainRequest]
    groups: dict[ColumnKind, ChainRequest]

    def steps(self, name: str, kind: ColumnKind) -> tuple[StepRequest, ...]:
        chain = self.own.get(name) or self.groups.get(kind)
        return chain.steps if chain is not None else ()


def _chains_by_column(table: Table, specification: DataSpecification, roles: Roles) -> _Chains:
    own: dict[str, ChainRequest] = {}
    groups: dict[ColumnKind, ChainRequest] = {}
    for chain in specification.chains:
        if chain.input is not None:
            continue
        for name in chain.columns:
            if chain.group and name in GROUPS:
                groups[GROUPS[name]] = chain
            elif name in own and name not in roles.targets:
                raise error(
                    "NN419",
                    f"the column `{name}` has two chains",
                    chain.span,
                    "the second one",
                    secondary=[(own[name].span, "the first one")],
                    help="write its steps in one chain",
                )
            else:
                own[str(name)] = chain
    return _Chains(own, groups)


def _inputs(
    table: Table, specification: DataSpecification, roles: Roles, chains: _Chains
) -> Iterator[InputSchema]:
    declared = [chain for chain in specification.chains if chain.input is not None]
    if not declared:
        past = tuple(roles.targets) if series_of(specification) else ()  # is known as well
        yield _input(table, INPUT, tuple(dict.fromkeys((*past, *roles.inputs))), (), chains)
    for chain in declared:
        assert chain.input is not None
        names: list[str] = []
        for written in chain.columns:
            if chain.group and written in GROUPS:
                names += [n for n in roles.inputs if table.columns[n].kind is GROUPS[written]]
            else:
                names += column_names(table, [written], chain.span)
        yield _input(table, chain.input, tuple(dict.fromkeys(names)), chain.steps, chains)


def _input(
    table: Table,
    input_name: str,
    names: Sequence[str],
    shared: tuple[StepRequest, ...],
    chains: _Chains,
) -> InputSchema:
    steps: dict[str, tuple[FittedStep, ...]] = {}
    width = 0
    pictures = [c for c in (table.columns[name] for name in names) if isinstance(c, ImageColumn)]
    if pictures:
        _require_alone(input_name, names)
    mistakes = Mistakes()
    for name in names:
        column = table.columns[name]
        requests = (*chains.steps(name, column.kind), *shared)
        with mistakes.caught():
            steps[name] = input_steps(column, requests)
            width += _width(column, steps[name])
    mistakes.raise_any()
    if pictures:
        return InputSchema(input_name, tuple(names), pictures[0].shape, steps)
    if width > _WIDEST:
        raise error(
            "NN419",
            f"the input `{input_name}` would have {width:,} numbers for each row",
            help="drop the columns with very many different texts",
            place=table.place(),
        )
    return InputSchema(input_name, tuple(names), (width,), steps)


def _require_alone(input_name: str, names: Sequence[str]) -> None:
    if len(names) > 1:
        raise error(
            "NN419",
            f"the input `{input_name}` joins pictures with other columns: {', '.join(names)}",
            help=f"two inputs: `input picture = {names[0]}` and `input facts = [{names[1]}]`",
        )


def _width(column: TableColumn, steps: Sequence[FittedStep]) -> int:
    """Numbers that a column becomes, as far as known before fitting."""
    if any(step.word == "onehot" for step in steps):
        categories = column.to_categories()
        return len(categories.categories) + bool(categories.missing.any())
    return column.width * numbers_of(steps)


def input_steps(column: TableColumn, requests: Sequence[StepRequest]) -> tuple[FittedStep, ...]:
    """The steps of an input column: those written, else the default of its kind.

    Numbers always get a step that fills missing ones, so that no NaN reaches a network.
    """
    steps = [FittedStep(request.word, request.arguments) for request in requests]
    kind = column.kind
    if steps:
        kind = _check_kinds(column, requests, steps)
    elif kind is ColumnKind.CATEGORY:
        steps = [FittedStep("onehot", {})]
    elif _has_bytes(column):
        steps = [FittedStep("scale", {"factor": 1 / 255})]
    else:
        steps = [FittedStep("standardize", {})]
    may_miss = isinstance(column, NumberColumn) and column.values.dtype.kind == "f"
    fills = any(step.word in FILLING for step in steps)
    if kind is ColumnKind.NUMBER and may_miss and not fills:
        steps.insert(0, FittedStep("median", {}))
    return tuple(steps)


def _has_bytes(column: TableColumn) -> bool:
    if isinstance(column, ImageColumn):
        return column.pixels.dtype == np.uint8
    return isinstance(column, NumberColumn) and column.values.dtype == np.uint8


def word_of(step: FittedStep) -> Preprocessing:
    """The definition of a step."""
    word = words("preprocessing")[step.word]
    assert isinstance(word, Preprocessing)
    return word


def _check_kinds(
    column: TableColumn, requests: Sequence[StepRequest], steps: Sequence[FittedStep]
) -> ColumnKind:
    """The kind as which a chain takes its column; NN419 when a step cannot take what it gets."""
    first = word_of(steps[0]).accepts
    kind = ColumnKind.CATEGORY if first == "category" else column.kind
    text = kind is ColumnKind.CATEGORY
    _check_several(column, requests, steps)
    for request, step in zip(requests, steps, strict=True):
        accepts = word_of(step).accepts
        if text and accepts == "number":
            raise error(
                "NN419",
                f"`{step.word}` needs numbers, but column `{column.name}` is text",
                request.span,
                _sample(column),
                help=f"{column.name} -> onehot",
            )
        if not text and accepts == "category":
            raise error(
                "NN419",
                f"`{step.word}` needs categories, but gets numbers here",
                request.span,
                help="put it first in the chain",
            )
        text = False
    return kind


def _check_several(
    column: TableColumn, requests: Sequence[StepRequest], steps: Sequence[FittedStep]
) -> None:
    """NN419 for a step that makes several numbers of one and is not the last, or has several."""
    for place, (request, step) in enumerate(zip(requests, steps, strict=True), 1):
        if word_of(step).numbers is None:
            continue
        if place < len(steps) or column.width > 1:
            many = column.width > 1
            raise error(
                "NN419",
                f"`{step.word}` makes several numbers of one"
                + (f", and `{column.name}` has {column.width} in each row" if many else ""),
                request.span,
                "only for single numbers" if many else "it must be the last step",
                help=() if many else f"{column.name} -> {steps[place].word} -> {step.word}",
            )


def _sample(column: TableColumn) -> str:
    if isinstance(column, CategoryColumn):
        return "its texts are " + ", ".join(f"`{text}`" for text in column.categories[:3])
    return "numbers"


# --- targets -------------------------------------------------------------------------------


def _target(table: Table, name: str, chain: ChainRequest | None) -> TargetSchema:
    column = table.columns[name]
    requests = chain.steps if chain is not None else ()
    steps = tuple(FittedStep(request.word, request.arguments) for request in requests)
    if isinstance(column, ImageColumn):
        return _picture_target(column, requests, steps)
    as_classes = _is_classes(column, steps)
    if not as_classes:
        if requests:
            _check_kinds(column, requests, steps)
            _check_invertible(name, requests, steps)
        return TargetSchema(name, TargetKind.NUMBERS, (), steps or (FittedStep("standardize"),))
    return TargetSchema(name, TargetKind.CLASSES, column.to_categories().categories)


def _picture_target(
    column: ImageColumn, requests: Sequence[StepRequest], steps: tuple[FittedStep, ...]
) -> TargetSchema:
    """Few levels in one channel are a class for each pixel, other pictures are numbers."""
    name = column.name
    if steps and word_of(steps[0]).accepts != "category":
        _check_invertible(name, requests, steps)
        return TargetSchema(name, TargetKind.NUMBERS, (), steps, column.shape)
    levels = column.levels
    if steps or 2 <= len(levels) <= MOST_LEVELS:
        if not levels:
            raise error(
                "NN419",
                f"the pictures of `{name}` are no classes: they are not of one channel of bytes",
                requests[0].span,
                help="save a class as a level of grey or as a colour's number (a palette)",
            )
        classes = tuple(str(level) for level in levels)
        return TargetSchema(name, TargetKind.CLASSES, classes, (), column.shape)
    default = FittedStep("scale", {"factor": 1 / 255}) if _has_bytes(column) else FittedStep("keep")
    return TargetSchema(name, TargetKind.NUMBERS, (), (default,), column.shape)


def _is_classes(column: TableColumn, steps: Sequence[FittedStep]) -> bool:
    if steps:
        return word_of(steps[0]).accepts == "category"
    if isinstance(column, CategoryColumn):
        return True
    return isinstance(column, NumberColumn) and is_class_number(column)


def _check_invertible(
    name: str, requests: Sequence[StepRequest], steps: Sequence[FittedStep]
) -> None:
    for request, step in zip(requests, steps, strict=True):
        if word_of(step).invert is None:
            raise error(
                "NN419",
                f"`{step.word}` cannot be turned back, so it cannot change the target `{name}`",
                request.span,
                help="targets take keep, standardize, minmax, log1p and others with an inverse",
            )


def require_variety(table: Table, schema: Schema, specification: DataSpecification) -> None:
    """NN413 when a target is the same in every row, or in none."""
    written = setting(specification, "target")
    for target in schema.targets:
        column = table.columns[target.name]
        said = _sameness(column, target)
        if said:
            raise error(
                "NN413",
                f"the target `{target.name}` {said}: there is nothing to learn",
                written.span if written is not None else specification.span,
                place=table.place(None, target.name),
                help="at least two different values are needed; is it the right column?",
            )


def _sameness(column: TableColumn, target: TargetSchema) -> str:
    """What is wrong with a target that does not vary, empty when it does."""
    if bool(column.missing.all()):
        return "has no value in any row"
    if target.kind is TargetKind.CLASSES:
        return f"is `{target.classes[0]}` in every row" if len(target.classes) < 2 else ""
    if isinstance(column, NumberColumn) and column.width == 1 and len(column.values) > 1:
        low, high = column.range or (0.0, 0.0)
        return f"is {low:g} in every row" if low == high else ""
    return ""


def with_shapes(schema: Schema, shapes: dict[str, tuple[int, ...]]) -> Schema:
    """The schema with the shapes of its inputs as found by fitting."""
    return replace(
        schema, inputs=tuple(replace(i, shape=shapes.get(i.name, i.shape)) for i in schema.inputs)
    )
