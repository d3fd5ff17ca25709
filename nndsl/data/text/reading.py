"""Reading a text: its parts in time, the vocabulary of the first, and windows of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.data.formats import undecodable
from nndsl.data.images.lazy import LazyRows, as_rows
from nndsl.data.memory import require_memory
from nndsl.data.options import setting, value_of
from nndsl.data.table import Origin, Table
from nndsl.data.text.column import TextColumn
from nndsl.data.text.vocabulary import Vocabulary, learnt, parts_of
from nndsl.diagnostics import NndslError, error
from nndsl.schema import (
    TEXT_SPLIT,
    DataSpecification,
    FittedStep,
    InputSchema,
    Schema,
    TargetKind,
    TargetSchema,
)
from nndsl.vocab.arguments import call
from nndsl.vocab.preprocessing import IDS
from nndsl.vocab.registry import WordCall, words

INPUT, TARGET = "text", "next"
WINDOW = 64
USES = (" to train on", " to validate on", " to test on")
"""What the parts of a text are for."""
_MOST_COPIED = 1 << 23
"""Numbers of windows that are kept as they are; longer ones are cut out when they are needed."""
_BYTES_PER_BYTE = 20.0


def read_text(
    specification: DataSpecification,
    path: Path | None,
    content: bytes | None,
    name: str,
    expected: Schema | None,
) -> Table:
    """The windows of a text file as a table; with `expected` the units are those of a run.

    Raises NN403 for what is no UTF-8, NN410 for a text shorter than a window, NN414 for a unit that
    a run does not know, NN417 for a split that a text cannot have, NN418 for options.
    """
    size = path.stat().st_size if path is not None else len(content or b"")
    require_memory(name, size * _BYTES_PER_BYTE, f"{size / 1e6:,.0f} MB of text")
    data = path.read_bytes() if path is not None else (content or b"")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise undecodable(name, path, content, "save the file as UTF-8") from None
    level = level_of(specification)
    window, stride = _sizes(specification)
    if expected is not None:
        vocabulary = vocabulary_of(specification, expected)
        parts = [text]
        window = expected.inputs[0].shape[0]
    else:
        parts = _cut(text, specification)
        vocabulary = learnt(level, parts[0], parts[1:])
    ids = [known_ids(vocabulary, part, name) for part in parts]
    uses = ("",) if expected is not None else USES
    for use, part, numbers in zip(uses, parts, ids, strict=False):
        if len(numbers) <= window and (part or use in uses[:1]):
            raise _too_short(specification, name, len(numbers), window, use)
    return _table(specification, Origin(name, "text", path, content), vocabulary, ids,
                  window, stride)  # fmt: skip


def _too_short(
    specification: DataSpecification, name: str, count: int, window: int, use: str
) -> NndslError:
    """A part of a text without a window; where a run knows its window only another text helps."""
    fitting = (count - 1) // 2
    shorter = f"a smaller window: window={fitting}" if use and fitting > 0 else "a longer text"
    parts = ", or no such part: split = all" if use in USES[1:] else ""
    return error(
        "NN410",
        f"{name} has {count:,} unit{'' if count == 1 else 's'}{use}, fewer than a window of "
        f"{window} and what comes after it",
        specification.span,
        help=shorter + parts,
    )


def level_of(specification: DataSpecification) -> WordCall:
    """How the text of a data section is taken apart: into characters, if nothing is said."""
    found = value_of(specification, "level", None)
    return found if isinstance(found, WordCall) else call(words("level")["character"])


def vocabulary_of(specification: DataSpecification, schema: Schema) -> Vocabulary:
    """The units that a run knows."""
    (declared,) = schema.inputs
    (step,) = declared.steps[INPUT]
    pairs = tuple(step.learnt.get("pairs", ()))
    return Vocabulary(level_of(specification), schema.targets[0].classes, pairs)


def _sizes(specification: DataSpecification) -> tuple[int, int]:
    """Units of a window, and from one window to the next."""
    window = _whole(specification, "window", WINDOW)
    return window, _whole(specification, "stride", window)


def _whole(specification: DataSpecification, name: str, default: int) -> int:
    value: Any = value_of(specification, name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        found = setting(specification, name)
        raise error(
            "NN418",
            f"`{name}` must be a whole number of at least 1",
            found.span if found is not None else None,
            "cannot be used",
        )
    return value


def _cut(text: str, specification: DataSpecification) -> list[str]:
    """The training, validation and test part of a text."""
    found = setting(specification, "split")
    value: Any = TEXT_SPLIT if found is None else found.value
    if value == "all":
        return [text, "", ""]
    shares = list(value) if isinstance(value, list | tuple) else []
    good = all(isinstance(n, int | float) and not isinstance(n, bool) for n in shares)
    if len(shares) not in (2, 3) or not good or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise _bad_split(specification)
    first, second, _ = [*shares, 0.0][:3]
    ends = [round(len(text) * first), round(len(text) * (first + second))]
    ends = ends if len(shares) == 3 else [ends[0], len(text)]
    return [text[: ends[0]], text[ends[0] : ends[1]], text[ends[1] :]]


def _bad_split(specification: DataSpecification) -> NndslError:
    found = setting(specification, "split")
    return error(
        "NN417",
        f"the text `{specification.name}` is cut in time, into two or three shares",
        found.span if found is not None else specification.span,
        "its windows are no rows that could be dealt out",
        help="split = [80%, 10%, 10%]",
    )


def known_ids(vocabulary: Vocabulary, text: str, name: str) -> np.ndarray:
    """The numbers of a text's units; NN414 for one that a run does not know."""
    ids = vocabulary.ids(text)
    if (ids < 0).any():
        unit = parts_of(vocabulary.level, text)[int(np.argmax(ids < 0))]
        raise error(
            "NN414",
            f"{name} has {unit!r}, which the network does not know",
            help="replace it, or train on a text that has it",
        )
    return ids


def _table(
    specification: DataSpecification,
    origin: Origin,
    vocabulary: Vocabulary,
    ids: Sequence[np.ndarray],
    window: int,
    stride: int,
) -> Table:
    starts, parts, begin = [], [], 0
    for part, numbers in enumerate(ids):
        places = np.arange(0, max(0, len(numbers) - window), stride, dtype=np.int64)
        starts.append(begin + places)
        parts.append(np.full(len(places), part, np.int8))
        begin += len(numbers)
    whole, rows = np.concatenate(ids), np.concatenate(starts)
    columns = {
        name: TextColumn(name, whole, rows, window, vocabulary, ahead)
        for ahead, name in enumerate((INPUT, TARGET))
    }
    return Table(origin, columns, len(rows), rows // stride, parts=np.concatenate(parts))


def text_schema(table: Table, specification: DataSpecification) -> Schema:
    """What a text is to a network: ids in a window, and the unit that follows each of them."""
    column = table.columns[INPUT]
    assert isinstance(column, TextColumn)
    units, shape = column.vocabulary.units, column.shape
    learnt = {"pairs": list(column.vocabulary.pairs)} if column.vocabulary.pairs else {}
    steps = {INPUT: (FittedStep(IDS, {"count": len(units)}, learnt),)}
    return Schema(
        specification.name,
        table.rows,
        tuple(found.describe() for found in table.columns.values()),
        (InputSchema(INPUT, (INPUT,), shape, steps),),
        (TargetSchema(TARGET, TargetKind.CLASSES, units, (), shape),),
    )


def windows(column: TextColumn) -> np.ndarray:
    """All windows int32 [rows, window], cut out later where they overlap and would be many."""
    numbers = len(column.rows) * column.window
    if numbers > max(_MOST_COPIED, 2 * len(column.ids)):
        return as_rows(LazyRows(column, _same, np.dtype(np.int32)))
    return column.read(np.arange(len(column.rows)))


def _same(block: np.ndarray) -> np.ndarray:
    return block
