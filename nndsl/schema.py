"""What a data set is, as data: columns, types, classes, shapes. Knows nothing of files.

Three things live here because several stages exchange them: the request (`DataSpecification`,
read off a `.nn` file by `lower`), the answer (`Schema`, found by `data`), and the steps of
preprocessing with what they learnt from the training part (`FittedStep`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any

from nndsl.diagnostics import Span
from nndsl.records import dataclass

SOURCE_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": ("target", "header", "sep", "decimal", "missing", "encoding", "time"),
    "parquet": ("target", "missing", "time"),
    "idx": ("target", "labels"),
    "array": ("target", "labels"),
    "images": ("target", "labels", "size", "channels"),
    "table": ("target",),
    "text": ("window", "stride", "level"),
}
"""What may be written beside each kind of data source, by the source's word."""

SERIES_SETTINGS = ("window", "horizon", "stride")
DATA_SETTINGS = (
    *("target", "drop", "where", "split", "time", "shuffle", "missing"),
    *SERIES_SETTINGS,
)
"""What may be set in the body of a `data` section."""
TEXT_SPLIT = (0.8, 0.1, 0.1)
"""How a text is cut in time where nothing is said."""
TEXT_SETTINGS = ("split", "window", "stride")
"""What may be set in the body of a `data` section that is a text."""


class ColumnKind(Enum):
    """What the cells of a column are."""

    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True)
class Column:
    """One column of a table, as inferred from all its rows."""

    name: str
    kind: ColumnKind
    missing: int = 0
    categories: tuple[str, ...] = ()  # sorted; for CATEGORY only
    minimum: float | None = None
    maximum: float | None = None
    distinct: int | None = None


@dataclass(frozen=True)
class FittedStep:
    """A preprocessing word, its arguments, and what it learnt from the training part.

    `learnt` holds only numbers, strings, and lists of them: it is written to `schema.json`.
    """

    word: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    learnt: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputSchema:
    """One named input of a network: its columns in order, their steps, its width in numbers."""

    name: str
    columns: tuple[str, ...]
    shape: tuple[int, ...]  # of one example, e.g. (4,); known after fitting
    steps: Mapping[str, tuple[FittedStep, ...]] = field(default_factory=dict)  # by column


class TargetKind(Enum):
    """What is to be predicted."""

    CLASSES = "classes"  # one index per example, 0..n-1
    NUMBERS = "numbers"


@dataclass(frozen=True)
class TargetSchema:
    """One target column: its kind, classes (sorted), and the steps to be turned back.

    `shape` is that of one example where it is not a single value: [channels, height, width] of a
    picture, whose classes stand in one channel; [length] of a sequence with a class at each place,
    or of numbers that are told for several rows ahead.
    """

    name: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    steps: tuple[FittedStep, ...] = ()
    shape: tuple[int, ...] = ()

    @property
    def pictures(self) -> bool:
        """Whether it is a picture: each pixel is to be answered."""
        return len(self.shape) == 3

    @property
    def sequence(self) -> bool:
        """Whether there is a class to be told at each place of a sequence."""
        return len(self.shape) == 1 and self.kind is TargetKind.CLASSES


@dataclass(frozen=True)
class Schema:
    """All that the rest of nndsl needs to know of a data set."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    inputs: tuple[InputSchema, ...]
    targets: tuple[TargetSchema, ...]


@dataclass(frozen=True)
class Setting:
    """A value written in the source, with its place."""

    value: Any
    span: Span | None = None


@dataclass(frozen=True)
class StepRequest:
    """A preprocessing word as written: `standardize`, `clip(0, 1)`."""

    word: str
    arguments: Mapping[str, Any]
    span: Span | None = None


@dataclass(frozen=True)
class ChainRequest:
    """`columns -> steps` in a `data` body, or `input name = columns -> steps`.

    `columns` are names as written; the groups `numeric`, `categories` stay as these words with
    `group` true. `input` is the declared name, or None for a chain that only changes columns.
    """

    columns: tuple[str, ...]
    steps: tuple[StepRequest, ...]
    input: str | None = None
    group: bool = False
    span: Span | None = None


@dataclass(frozen=True)
class PictureRequest:
    """`target = images("masks/")`: pictures to be predicted, as the column `name`.

    `options` are those written beside the path.
    """

    name: str
    path: str
    options: Mapping[str, Setting] = field(default_factory=dict)
    span: Span | None = None
    path_span: Span | None = None


@dataclass(frozen=True)
class DataSpecification:
    """A `data` section as a request to the reader.

    `kind` is the source word, one of `SOURCE_OPTIONS`, `path` as written in
    the source, `options` its other arguments by name (`target`, `header`, `sep`, `labels`, ...),
    `table` the columns of `table(...)`. `settings` holds `target`, `drop`, `split`, ... after
    evaluation. Expressions over columns (`where`, `let`, a computed target) are
    `ColumnExpression`s. `pictures` are read beside the source, as a column of its table.
    """

    name: str
    kind: str
    path: str | None
    options: Mapping[str, Setting] = field(default_factory=dict)
    table: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    chains: tuple[ChainRequest, ...] = ()
    columns: Mapping[str, ColumnExpression] = field(default_factory=dict)  # `let c = ...`
    span: Span | None = None
    path_span: Span | None = None
    pictures: PictureRequest | None = None


@dataclass(frozen=True)
class ColumnExpression:
    """Arithmetic over columns as a closed tree: no code, only the operators listed.

    `op` is one of: column (value = name), constant (value), the binary `+ - * / ^ == != < <= > >=
    and or`, the unary `neg not`, and calls `log log1p exp sqrt abs sin cos`.
    """

    op: str
    arguments: tuple[ColumnExpression, ...] = ()
    value: Any = None
    span: Span | None = None
