"""What an expression may be: constants, stages and tensors, and the things that names stand for.

Constants are plain Python (int, float, bool, str), NumPy arrays, `TimeLength`, `Shape`, and the
classes here that stand for something known at compile time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any, Protocol

from nndsl.diagnostics import Span
from nndsl.ir.graph import Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema
from nndsl.syntax import tree


@dataclass(frozen=True)
class Poison:
    """Stands for a value whose error has been reported."""


POISON = Poison()


@dataclass(frozen=True)
class Unknown:
    """A number that only the data can tell: `iris.classes` in a check without the file."""

    name: str


@dataclass(frozen=True)
class Shape:
    """The shape of one example; a size known only at run time is a name."""

    sizes: tuple[Dimension, ...]


@dataclass(frozen=True)
class Given:
    """One argument as written and evaluated; `name` None for a positional one.

    `source` is the expression that its value comes from: for the name of a `let` what stands there.
    """

    value: Any
    span: Span
    name: str | None = None
    name_span: Span | None = None
    source: tree.Expression | None = None


Query = tuple[tuple[str, int | None], ...]
"""A path as people write it: names with the index where one was given."""


@dataclass(frozen=True, eq=False)
class DefaultsLine:
    """One `defaults word(args)`; `before` are those already in force: the nearest wins."""

    word: str
    given: tuple[Given, ...]
    span: Span
    before: DefaultsLine | None = None


def defaults_for(line: DefaultsLine | None, word: str) -> dict[str, tuple[Given, Span]]:
    """The arguments set for a word, each with the line that set it, the nearest line first."""
    found: dict[str, tuple[Given, Span]] = {}
    while line is not None:
        if line.word == word:
            for given in line.given:
                if given.name is not None:
                    found.setdefault(given.name, (given, line.span))
        line = line.before
    return found


@dataclass(frozen=True, eq=False)
class Mention:
    """A word, with arguments (None: bare); what it means depends on where it stands.

    `operands` are tensors among the arguments, `defaults` the `defaults` lines in force there.
    """

    name: str
    span: Span
    given: tuple[Given, ...] | None = None
    operands: tuple[Tensor, ...] = ()
    defaults: DefaultsLine | None = None
    names: Names | None = None  # own names in reach there, for suggestions

    def own_names(self) -> list[str]:
        """The own names that may have been meant."""
        return list(self.names.visible()) if self.names is not None else []


@dataclass(frozen=True, eq=False)
class Composite:
    """Arithmetic or composition of words that are no stages: `0.1 * one_cycle`, `bce + mse`,
    `warmup(5) -> cosine`, `patience(20) or 30 minutes`. `symbol` is + - * / ^ -> or.
    """

    symbol: str
    left: Any
    right: Any
    span: Span


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph. `span` is what made it, `arose` how its shape came about, `keeping`
    the argument that would have kept the size. `sized` is the tensor that had this shape first,
    where stages have kept it since.
    """

    value: Value
    span: Span | None = None
    arose: str = ""
    keeping: str = ""
    sized: Tensor | None = None

    @property
    def shape(self) -> tuple[Dimension, ...]:
        """The shape of one example, without the batch."""
        shape = self.value.type.shape
        return shape[1:] if shape[:1] == (BATCH,) else shape


@dataclass(frozen=True, eq=False)
class Later:
    """A `let` of a training whose value is a tensor: it is made anew for each objective."""

    name: str
    value: tree.Expression
    names: Names


@dataclass(frozen=True, eq=False)
class Group:
    """Several tensors side by side: `[a, b]`, `(a, b)`, the outputs of several branches."""

    tensors: tuple[Tensor, ...]
    names: tuple[str | None, ...] = ()


class Stage(ABC):
    """Something that takes the flow and gives a tensor. Subclasses are in `lower.stages`."""

    span: Span

    @abstractmethod
    def apply(self, elaboration: Any, operands: Sequence[Tensor]) -> Tensor | Group:
        """The result on these operands, as new nodes of the elaboration's graph."""

    def cost(self) -> int:
        """How many words it expands to, at least, for the bound on repeats."""
        return 1


class Definition(ABC):
    """A `block` or `net` by its name; a call or a bare mention makes a stage of it."""

    name: str
    name_span: Span
    answers = False  # whether it can be called on constants: a net

    @abstractmethod
    def stage(
        self,
        given: tuple[Given, ...],
        operands: tuple[Tensor, ...],
        span: Span,
        defaults: DefaultsLine | None,
    ) -> Stage:
        """The stage that `name(arguments)` is; tensors among the arguments are its operands."""


class NetLike(Definition):
    """A `net` by its name, with what other parts of the file may ask of it."""

    answers = True

    @abstractmethod
    def parameter_count(self, query: Query) -> int | Unknown:
        """How many numbers are learnt, in the part named or (empty query) in all."""

    @abstractmethod
    def shape_of(self, query: Query, span: Span) -> tuple[Dimension, ...]:
        """The shape of a named line, part or output, for one example."""


class Names(Protocol):
    """What another file offers."""

    def lookup(self, name: str) -> Any | None:
        """The value of a name, or None."""

    def visible(self) -> Iterator[str]:
        """All names."""


@dataclass(frozen=True, eq=False)
class DataSource:
    """A `data` section under its name. `schema` is None when no data is at hand.

    `resized` is the distortion by which its pictures have another size while a net is trained.
    """

    name: str
    specification: DataSpecification | None
    schema: Schema | None
    span: Span | None = None
    resized: Span | None = None


@dataclass(frozen=True, eq=False)
class Namespace:
    """What `import ... as name` brings: the names of another file."""

    name: str
    scope: Names


@dataclass(frozen=True)
class Part:
    """A part of a net, `N.trunk.dense[2]`, as written; resolved against the net's paths."""

    net: NetLike
    query: Query
    span: Span


@dataclass(frozen=True, eq=False)
class Record:
    """A few named constants, as `least_squares(oaks)` gives."""

    what: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Table:
    """The table form of a list: `[no=1, "no show"=3]`."""

    items: dict[str, Any]


def kind_of(value: Any) -> str:
    """The word that messages use: 'a tensor', 'a stage' or 'a constant'."""
    if isinstance(value, Tensor | Group):
        return "a tensor"
    if isinstance(value, Stage | Definition):
        return "a stage"
    return "a constant"


def is_tensor(value: Any) -> bool:
    """Whether the value is one tensor or several."""
    return isinstance(value, Tensor | Group)


def tensors_of(value: Tensor | Group) -> tuple[Tensor, ...]:
    """The tensors as operands."""
    return value.tensors if isinstance(value, Group) else (value,)
