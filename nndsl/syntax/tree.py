"""The syntax tree: what a `.nn` file says, as frozen dataclasses with spans. No meaning yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from nndsl.diagnostics import Span
from nndsl.records import dataclass


@dataclass(frozen=True)
class Tree:
    """Every node knows where it stands."""

    span: Span


def nodes(item: object, is_closed: Callable[[Tree], bool] = lambda node: False) -> Iterator[Tree]:
    """A tree, or a tuple of trees, and all within it in the order of the text.

    Nothing within a node that is closed is given.
    """
    if isinstance(item, tuple):
        for child in item:
            yield from nodes(child, is_closed)
    elif isinstance(item, Tree):
        yield item
        if not is_closed(item):
            for child in vars(item).values():
                yield from nodes(child, is_closed)


# --- expressions ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Name(Tree):
    """A bare word: `relu`, `x`, `true`."""

    name: str


@dataclass(frozen=True)
class Number(Tree):
    """A number; `10%` has value 0.1 and `percent` true. Whole numbers are ints."""

    value: int | float
    percent: bool = False


@dataclass(frozen=True)
class Quantity(Tree):
    """A length of time: `5 epochs`, `300 steps`, `30 minutes`. `unit` is singular."""

    value: int | float
    unit: Literal["epoch", "step", "minute", "hour"]


@dataclass(frozen=True)
class Dimensions(Tree):
    """`3x32x32` or `3xHxW`: sizes, names for those known only at run time."""

    sizes: tuple[int | str, ...]


@dataclass(frozen=True)
class String(Tree):
    """A text in double quotes, without them."""

    value: str


@dataclass(frozen=True)
class Argument(Tree):
    """One item of a call or list: positional (`name` None) or `name=value`."""

    value: Expression
    name: str | None = None
    name_span: Span | None = None


@dataclass(frozen=True)
class ListOf(Tree):
    """`[a, b]` or the table form `[no=1, "no show"=3]`."""

    items: tuple[Argument, ...]


@dataclass(frozen=True)
class TupleOf(Tree):
    """`(a, b)`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Call(Tree):
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Index(Tree):
    """`base[i, j]`, counted from 1."""

    base: Expression
    indices: tuple[Argument, ...]


@dataclass(frozen=True)
class Field(Tree):
    """`base.name`."""

    base: Expression
    name: str
    name_span: Span


@dataclass(frozen=True)
class Pipe(Tree):
    """`left -> right`."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Choose(Tree):
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Binary(Tree):
    """`left operator right`: + - * / ^ .. == != < <= > >= and or."""

    operator: str
    left: Expression
    right: Expression
    operator_span: Span


@dataclass(frozen=True)
class Unary(Tree):
    """`-operand` or `not operand`."""

    operator: Literal["-", "not"]
    operand: Expression


Expression = (
    Name
    | Number
    | Quantity
    | Dimensions
    | String
    | ListOf
    | TupleOf
    | Call
    | Index
    | Field
    | Pipe
    | Choose
    | Binary
    | Unary
)


# --- statements ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Let(Tree):
    """`let name = value` or `let name = value ~ space`."""

    name: str
    name_span: Span
    value: Expression
    space: Expression | None = None


@dataclass(frozen=True)
class Defaults(Tree):
    """`defaults word(args)` or `defaults train(...)`; `word` is "train" for the latter."""

    word: str
    word_span: Span
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Expect(Tree):
    """`expect condition`."""

    condition: Expression


@dataclass(frozen=True)
class InputShape(Tree):
    """`input name: shape` in a net."""

    name: str
    name_span: Span
    shape: Expression | None


@dataclass(frozen=True)
class InputColumns(Tree):
    """`input name = columns -> steps` in a data section."""

    name: str
    name_span: Span
    value: Expression


@dataclass(frozen=True)
class Share(Tree):
    """`share name = stage`: one set of weights however often it is used."""

    name: str
    name_span: Span
    value: Expression


@dataclass(frozen=True)
class Bind(Tree):
    """`target = value`: a name, a tuple of names, or a path like `Net.trunk.rate`."""

    target: Expression
    value: Expression


@dataclass(frozen=True)
class Flow(Tree):
    """A line that is just an expression."""

    value: Expression


@dataclass(frozen=True)
class For(Tree):
    """`for names in items { body }`, resolved at compile time."""

    names: tuple[str, ...]
    items: Expression
    body: Body


@dataclass(frozen=True)
class If(Tree):
    """`if condition { body } else { otherwise }`, resolved at compile time."""

    condition: Expression
    body: Body
    otherwise: Body | None


@dataclass(frozen=True)
class Update(Tree):
    """`update Net { ... }` in a train section."""

    target: Expression
    body: Body


@dataclass(frozen=True)
class Minimize(Tree):
    """`minimize expression` in a train or update section."""

    value: Expression


Statement = (
    Let
    | Defaults
    | Expect
    | InputShape
    | InputColumns
    | Share
    | Bind
    | Flow
    | For
    | If
    | Update
    | Minimize
)


@dataclass(frozen=True)
class Body(Tree):
    """`{ statements }`."""

    statements: tuple[Statement, ...]


# --- items of a file -----------------------------------------------------------------------


@dataclass(frozen=True)
class Import(Tree):
    """`import "file.nn" as name`."""

    path: str
    path_span: Span
    alias: str | None


@dataclass(frozen=True)
class Data(Tree):
    """`data name = source { settings }`."""

    name: str
    name_span: Span
    source: Expression
    body: Body | None


@dataclass(frozen=True)
class Port(Tree):
    """A port of a block or cell: `x`, or `h: [n]` for a cell's memory."""

    name: str
    shape: Expression | None = None


@dataclass(frozen=True)
class FormalParameter(Tree):
    """A parameter of a block or cell, with its default if it has one."""

    name: str
    default: Expression | None = None


@dataclass(frozen=True)
class Block(Tree):
    """`block ports -> name(parameters) { body }`. `ports` is empty when none are written."""

    name: str
    name_span: Span
    ports: tuple[Port, ...]
    parameters: tuple[FormalParameter, ...]
    body: Body


@dataclass(frozen=True)
class Cell(Tree):
    """`cell (x, h: [n]) -> name(parameters) { body }`."""

    name: str
    name_span: Span
    ports: tuple[Port, ...]
    parameters: tuple[FormalParameter, ...]
    body: Body


@dataclass(frozen=True)
class Net(Tree):
    """`net name on data { body }`."""

    name: str
    name_span: Span
    data: str | None
    data_span: Span | None
    body: Body


@dataclass(frozen=True)
class Train(Tree):
    """`train target on data { body }`; `target` may be a net, a part, or a tuple of nets."""

    target: Expression
    data: Expression | None
    body: Body


Item = Import | Data | Block | Cell | Net | Train | Let | Defaults | Expect


@dataclass(frozen=True)
class File(Tree):
    """A whole source file."""

    items: tuple[Item, ...]
