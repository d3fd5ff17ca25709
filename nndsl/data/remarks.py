"""What a person should know of a data set before training on it: doubts, not mistakes."""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np

from nndsl.data.columns import roles_of
from nndsl.data.images.column import ImageColumn
from nndsl.data.series import window_of
from nndsl.data.table import CategoryColumn, NumberColumn, Table, TableColumn, distinct, note
from nndsl.data.text.column import TextColumn
from nndsl.diagnostics import Diagnostic, Severity, counted, first_of
from nndsl.schema import DataSpecification, Schema, TargetKind, TargetSchema

_LISTED = 5
_EMPTY_LISTED = 2
_CODES_FOR_MISSING = (-999.0, -9999.0, -99.0)
_IMBALANCE = 0.9
_FEWEST_PER_CLASS = 5
_SCREEN = 1000  # rows looked at before a whole column is


def remarks(
    table: Table, schema: Schema, specification: DataSpecification
) -> tuple[Diagnostic, ...]:
    """Notes and warnings (NN450 ... NN463) on a table, beside those of reading it."""
    if table.origin.kind == "text":
        return ()  # windows of one text say nothing of each other
    inputs = list(dict.fromkeys(n for declared in schema.inputs for n in declared.columns))
    if window_of(schema):  # a target's own past is an input, and says nothing wrong
        targets = {target.name for target in schema.targets}
        inputs = [name for name in inputs if name not in targets]
    return (
        *_missing(table, {target.name for target in schema.targets}),
        *_target_rule(table, schema),
        *_left_out(table, specification, inputs),
        *_constant(table, inputs),
        *_duplicates(table, inputs),
        *_codes_for_missing(table, inputs),
        *_twins(table, [*inputs, *(target.name for target in schema.targets)]),
        *(found for target in schema.targets for found in _about_classes(table, target)),
        *(found for target in schema.targets for found in _leaks(table, target, inputs)),
    )


def _missing(table: Table, targets: Container[str]) -> Iterator[Diagnostic]:
    found = ((n, int(np.count_nonzero(c.missing))) for n, c in table.columns.items())
    counts = sorted(((n, c) for n, c in found if c and n not in targets), key=lambda one: -one[1])
    if not counts:
        return
    total, rest = sum(count for _, count in counts), counts[_EMPTY_LISTED:]
    shown = [f"{count} in `{name}`" for name, count in counts[:_EMPTY_LISTED]]
    if rest:
        columns = counted(len(rest), "more column")
        shown.append(f"{sum(count for _, count in rest)} in {columns}")
    cells = f"{total} empty cells are" if total > 1 else "an empty cell is"
    yield note(
        "NN450",
        f"{cells} filled: {', '.join(shown)}",
        notes=["numbers get the training part's median, categories a class of their own"],
    )


def _target_rule(table: Table, schema: Schema) -> Iterator[Diagnostic]:
    for target in schema.targets:
        column = table.columns[target.name]
        empty = np.flatnonzero(column.missing)
        if len(empty):
            yield note(
                "NN462",
                f"rows without `{target.name}` are left out: {len(empty)}",
                notes=[f"in {table.row_names(empty)}"],
                place=table.place(int(empty[0]), target.name),
            )
        if target.kind is TargetKind.CLASSES and isinstance(column, NumberColumn):
            yield note(
                "NN451",
                f"`{target.name}` has the whole numbers {target.classes[0]} to "
                f"{target.classes[-1]}: taken as {len(target.classes)} classes",
                help=[f"to predict it as a number: target = {target.name} -> standardize"],
            )
        if target.kind is TargetKind.CLASSES and target.pictures:
            yield note(
                "NN451",
                f"the pictures of `{target.name}` have {len(target.classes)} levels: each pixel "
                f"is one of the classes {', '.join(target.classes[:8])}",
                help=[f"to predict numbers: target = {target.name} -> keep"],
            )
        elif target.kind is TargetKind.NUMBERS and _few_whole(column):
            yield note(
                "NN451",
                f"`{target.name}` has few different whole numbers: taken as numbers",
                help=[f"to predict classes: target = {target.name} -> onehot"],
            )


def _few_whole(column: TableColumn) -> bool:
    if not isinstance(column, NumberColumn) or column.width > 1 or column.range is None:
        return False
    sample = column.values[~column.missing][:_SCREEN]
    return bool(np.all(sample == np.round(sample))) and len(distinct(sample)) <= 10


def _left_out(
    table: Table, specification: DataSpecification, inputs: list[str]
) -> Iterator[Diagnostic]:
    roles = roles_of(table, specification)
    for name, why in roles.left_out.items():
        if why != "dropped" and name not in inputs:
            chain = "onehot" if isinstance(table.columns[name], CategoryColumn) else "standardize"
            yield note(
                "NN458",
                f"column `{name}` is left out: {why}",
                help=[f"to use it all the same: {name} -> {chain}"],
            )
    unused = [name for name in roles.inputs if name not in (*inputs, *roles.targets)]
    if unused:
        yield note("NN458", f"columns of no input: {first_of(unused, _LISTED)}")


def _constant(table: Table, inputs: list[str]) -> Iterator[Diagnostic]:
    if table.rows < 2:
        return
    constant = []
    for name in inputs:
        column = table.columns[name]
        if isinstance(column, TextColumn):
            continue
        if isinstance(column, CategoryColumn):
            same = len(column.categories) + bool(column.missing.any()) < 2
        else:
            low, high = column.range or (0.0, 0.0)
            same = low == high and isinstance(column, NumberColumn) and column.width == 1
        constant += [name] if same else []
    if constant:
        yield note(
            "NN452",
            f"the same in every row, so nothing is learnt from it: {', '.join(constant[:_LISTED])}",
            help=[f"drop = [{', '.join(constant[:_LISTED])}]"],
        )


def _duplicates(table: Table, inputs: list[str]) -> Iterator[Diagnostic]:
    seen: dict[tuple[object, ...], list[str]] = {}
    for name in inputs:
        column = table.columns[name]
        if isinstance(column, ImageColumn | TextColumn):
            continue
        for other in seen.setdefault(_key(column), []):
            if _equal(column, table.columns[other]):
                yield note(
                    "NN453",
                    f"columns `{other}` and `{name}` are equal in every row",
                    help=[f"drop = [{name}]"],
                    severity=Severity.WARNING,
                )
                break
        seen[_key(column)].append(name)


def _key(column: NumberColumn | CategoryColumn) -> tuple[object, ...]:
    if isinstance(column, CategoryColumn):
        return (column.categories, *column.codes[:8].tolist())
    return (column.width, column.range, column.values[:8].tobytes())


def _equal(one: TableColumn, other: TableColumn) -> bool:
    if isinstance(one, CategoryColumn) and isinstance(other, CategoryColumn):
        return bool(np.array_equal(one.codes, other.codes))
    if isinstance(one, NumberColumn) and isinstance(other, NumberColumn):
        floating = one.values.dtype.kind == "f"
        return bool(np.array_equal(one.values, other.values, equal_nan=floating))
    return False


def _codes_for_missing(table: Table, inputs: list[str]) -> Iterator[Diagnostic]:
    """Numbers such as -999 that stand far below all others, more than once."""
    for name in inputs:
        column = table.columns[name]
        if not isinstance(column, NumberColumn) or column.width > 1 or column.range is None:
            continue
        low = column.range[0]
        if low not in _CODES_FOR_MISSING:
            continue
        rows = np.flatnonzero(column.values == low)
        others = column.values[(column.values != low) & ~column.missing]
        if len(rows) > 1 and len(others) and others.min() > low / 2:
            yield note(
                "NN459",
                f"column `{name}` is {low:g} in {len(rows)} rows: does it stand for missing?",
                help=[f"missing=[{low:g}]"],
                severity=Severity.WARNING,
                place=table.place(int(rows[0]), name),
            )


def _twins(table: Table, names: list[str]) -> Iterator[Diagnostic]:
    """Texts that differ only in case or spaces."""
    for name in names:
        column = table.columns[name]
        if not isinstance(column, CategoryColumn):
            continue
        seen: dict[str, str] = {}
        pairs = []
        for text in column.categories:
            folded = " ".join(text.casefold().split())
            pairs += [f"`{seen[folded]}` and `{text}`"] if folded in seen else []
            seen.setdefault(folded, text)
        if pairs:
            yield note(
                "NN456",
                f"texts of `{name}` differ only in case or spaces: {', '.join(pairs[:3])}",
                help=["write them alike, or they are different categories"],
                severity=Severity.WARNING,
            )


def _about_classes(table: Table, target: TargetSchema) -> Iterator[Diagnostic]:
    if target.kind is not TargetKind.CLASSES or target.shape:
        return
    codes = table.columns[target.name].to_categories().codes
    counts = np.bincount(codes[codes >= 0], minlength=len(target.classes))
    share = counts.max() / counts.sum()
    if share >= _IMBALANCE:
        most = target.classes[int(counts.argmax())]
        yield note(
            "NN455",
            f"{share:.1%} of the rows are `{most}`: always saying so is right as often",
            help=["watch another measure than accuracy, or weigh the classes in the loss"],
            severity=Severity.WARNING,
        )
    few = [f"`{target.classes[i]}` {counts[i]}" for i in np.flatnonzero(counts < _FEWEST_PER_CLASS)]
    if few:
        yield note(
            "NN463",
            f"classes of `{target.name}` with fewer than {_FEWEST_PER_CLASS} rows: "
            f"{first_of(few, _LISTED)}",
            notes=["they may be missing in a part"],
            severity=Severity.WARNING,
        )


def _leaks(table: Table, target: TargetSchema, inputs: list[str]) -> Iterator[Diagnostic]:
    """Input columns that say the target outright."""
    if table.rows < 20 or target.shape:
        return
    column = table.columns[target.name]
    answers = column if target.kind is TargetKind.NUMBERS else column.to_categories()
    for name in inputs:
        if name != target.name and _says(table.columns[name], answers):
            yield note(
                "NN454",
                f"column `{name}` alone says the target `{target.name}` in every row",
                help=[f"if it is not known before the target is: drop = {name}"],
                severity=Severity.WARNING,
            )


def _says(column: TableColumn, answers: TableColumn) -> bool:
    if isinstance(column, ImageColumn | TextColumn) or max(column.width, answers.width) > 1:
        return False
    if isinstance(answers, NumberColumn):
        return isinstance(column, NumberColumn) and _proportional(column.values, answers.values)
    assert isinstance(answers, CategoryColumn)
    rows = np.flatnonzero(~answers.missing & ~column.missing)
    if len(rows) < 20 or not _one_to_one(column, answers.codes, rows[:_SCREEN]):
        return False
    return _one_to_one(column, answers.codes, rows)


def _one_to_one(
    column: NumberColumn | CategoryColumn, classes: np.ndarray, rows: np.ndarray
) -> bool:
    """Whether values and classes determine each other on these rows."""
    values = column.codes[rows] if isinstance(column, CategoryColumn) else column.values[rows]
    different, index = np.unique(values, return_inverse=True)
    labels = distinct(classes[rows])
    if len(different) != len(labels) or len(labels) < 2:
        return False
    pairs = distinct(index * (int(classes.max()) + 1) + classes[rows])
    return len(pairs) == len(different)


def _proportional(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns are the same but for an offset and a factor."""
    both = ~(np.isnan(one) | np.isnan(other))
    first, second = one[both][:_SCREEN], other[both][:_SCREEN]
    if not _correlated(first, second):
        return False
    return _correlated(one[both], other[both])


def _correlated(one: np.ndarray, other: np.ndarray) -> bool:
    if len(one) < 20 or one.std() == 0 or other.std() == 0:
        return False
    return bool(abs(np.corrcoef(one, other)[0, 1]) > 1 - 1e-12)
