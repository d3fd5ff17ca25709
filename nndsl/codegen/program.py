"""The program: kernels as text, buffers, and the table of calls that one step walks through.

Calling convention, the same for every kernel, glue or contraction:

    void kernel(int64* slots, int64* sizes, int64 low, int64 high)

`slots` are the call's own arguments: pointers and 64-bit integers, laid out by the kernel's
signature. `sizes` is the run's table of run-time sizes (see `SIZES`). A kernel does its share
`low <= i < high` of the call's extent and nothing else; it never raises and never allocates.
An integer slot that depends on a run-time size takes two slots: factor and index into `sizes`;
its value is `factor * sizes[index]`, and `sizes[0]` is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from math import prod

from nndsl.diagnostics import Span
from nndsl.ir.types import Dimension
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression

SIZES = ("one", "N", "step", "epoch", "first_row", "data_rows", "seed", "shuffle", "total_steps",
         "steps_per_epoch")  # fmt: skip
"""Names of the first entries of `sizes`; further run-time sizes (T, H, W) follow. `N` is the
number of rows of the present batch, `first_row` its first position in the epoch's order,
`shuffle` 1 when that order is a permutation and 0 when it is the file's."""


class Region(Enum):
    """The separately allocated memories that slots point into."""

    PARAMETERS = "parameters"
    STATE = "state"
    WORKSPACE = "workspace"
    CLOCK = "clock"  # float64 scalars: CLOCK_NAMES, then SETTING inputs
    DATA = "data"  # arrays bound by the caller, one base pointer for each input

    __hash__ = object.__hash__


class Element(Enum):
    """Machine types of buffers."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT32 = "int32"

    __hash__ = object.__hash__  # each is one object: there is no need to ask for its name

    @property
    def bytes(self) -> int:
        """Size of one element."""
        return 4 if self is not Element.FLOAT64 else 8


@dataclass(frozen=True)
class Size:
    """`factor * sizes[symbol]`; a plain number has the symbol "one"."""

    factor: int
    symbol: str = "one"


@dataclass(frozen=True)
class Buffer:
    """Where a value lives: `offset` in bytes from the region's start (for DATA: of input `name`).

    `size` is the number of elements; a batch dimension counts with the largest batch.
    """

    name: str
    region: Region
    element: Element
    offset: int
    size: int


class Split(Enum):
    """How a call's extent is shared among threads."""

    ROWS = "rows"  # by rows of the batch, in the same shares for every call
    OWN = "own"  # by the call's own extent
    ONE = "one"  # all of it by thread 0


@dataclass(frozen=True)
class Kernel:
    """One compiled unit. Two kernels with equal `key()` are the same machine code.

    `kind` is "glue" (text in the raw-pointer dialect, compiled by Numba) or "contraction" (a
    `Contraction` specification, compiled from LLVM IR). `signature` names the slots in order:
    "pointer:float32", "size", "integer".
    """

    name: str
    kind: str
    text: str
    signature: tuple[str, ...]
    element: Element
    contraction: Contraction | None = None


@dataclass(frozen=True)
class Operand:
    """What an epilogue reads beside the sum.

    `kind`: "columns" (one number a column, stride 1), "tile" (one a row and column, at
    `row_stride * m + n`), "rows" (one number a row, at `row_stride * m`), "scalar" (one float64
    number for all). Along each axis of the grid it moves on by `grid` elements (none: not at all).
    """

    name: str
    kind: str
    row_stride: int = 0
    element: Element | None = None  # None: that of the contraction
    grid: tuple[int, ...] = ()


@dataclass(frozen=True)
class Axis:
    """A further axis of a contraction: at each of its `count` places A, B and C stand so many
    elements further on.
    """

    count: Size
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True)
class Contraction:
    """C[m, n] = epilogue(sum over k of A[m, k] * B[k, n]), accumulators in registers.

    Elements stand at `a_row*m + a_depth*k` of A, `b_depth*k + b_column*n` of B, `c_row*m +
    c_column*n` of each output. `rows`, `depth` may be run-time sizes; `columns` and all strides
    are numbers, not negative. The call's extent is m (n when `split_columns`).

    `reduced` axes, outermost first, belong to the sum like k; any count may be a run-time size.
    Where C moves along one of them, its sums go to places that overlap (the gradient of a
    convolution's input); such axes come first, need a grid, and allow no epilogue. `clear`
    elements of C from each place of the grid on are then set to 0 before. `grid` axes repeat all
    of it at places of C that do not overlap; the first count may be a run-time size, and the call's
    extent is the product of the counts.

    `epilogue` has one expression for each output, over the variable `sum` and the operands.
    With `accumulate`, the sum starts from what the (only) output holds.
    With `b_panel`, the axis of B whose stride is 1 is cut into panels of so many numbers that stand
    one after another, the last one narrower; the other stride is that inside a panel. With
    `c_panel`, the same holds for the columns of the outputs and of "tile" operands.
    With `ones`, A is a single row of ones, and is not read.
    Slots: A, B, one pointer an operand, one pointer an output, then `sizes`.
    """

    element: Element
    columns: int
    rows: Size
    depth: Size
    a_row: int
    a_depth: int
    b_depth: int
    b_column: int
    c_row: int
    c_column: int = 1
    reduced: tuple[Axis, ...] = ()
    grid: tuple[Axis, ...] = ()
    epilogue: tuple[Expression, ...] = ()
    operands: tuple[Operand, ...] = ()
    accumulate: bool = False
    clear: int = 0
    split_columns: bool = False
    b_panel: int = 0
    c_panel: int = 0
    ones: bool = False

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Rows, depth, and the counts of reduced axes that are known at run time only."""
        counts = (axis.count for axis in self.reduced)
        return self.rows, self.depth, *(count for count in counts if count.symbol != "one")

    @property
    def extent(self) -> Size:
        """What the call's shares are shares of."""
        if self.grid:
            first, *others = (axis.count for axis in self.grid)
            return Size(first.factor * prod(count.factor for count in others), first.symbol)
        return Size(self.columns) if self.split_columns else self.rows


@dataclass(frozen=True)
class Call:
    """One entry of the table: a kernel with its slots filled, its extent, and who shares it.

    `slots` holds Buffers (pointer), (Buffer, bytes) for a pointer inside one, Sizes and ints.
    `barrier` true: all threads wait for each other before this call. `align`: shares start at
    multiples of this. `label` and `spans` say where it came from, for `show kernels`. `reach` has
    for each pointer slot the number of elements from the pointer on that the call may touch with
    the largest batch: the loader checks it against the buffers, the kernel never does.
    """

    kernel: int  # index into Program.kernels
    slots: tuple[Buffer | tuple[Buffer, int] | Size | int, ...]
    extent: Size
    split: Split
    barrier: bool = False
    align: int = 1
    label: str = ""
    spans: tuple[Span, ...] = ()
    flops: int = 0
    reach: tuple[int, ...] = ()


@dataclass(frozen=True)
class Program:
    """All that is needed to run a graph: kernels, calls, buffers, sizes of the regions.

    `buffers` has every value of the graph, `inputs` and `outputs` those by their names in the
    graph. `shapes` gives the shape of each input and output, `results` that of an output which
    may be called as an input is. `gathers` tells a training program, which copies the batch's
    rows out of the bound data, from one that reads the bound rows themselves. `constants` are
    written once, when the program is loaded; `defaults` are the numbers of settings; class
    numbers of an input must lie below its entry in `limits`. `starts` are the numbers other than
    0 that fill states at first.
    """

    kernels: tuple[Kernel, ...]
    calls: tuple[Call, ...]
    buffers: Mapping[str, Buffer]  # by name of the graph's value
    inputs: Mapping[str, Buffer]
    outputs: Mapping[str, Buffer]
    region_bytes: Mapping[Region, int]
    precision: Element
    batch: int
    symbols: tuple[str, ...] = SIZES
    settings: tuple[str, ...] = ()  # SETTING inputs, in their order after the clock
    watch: str | None = None  # output that must stay finite: the loss
    shapes: Mapping[str, tuple[Dimension, ...]] = field(default_factory=dict)
    results: Mapping[str, tuple[Dimension, ...]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    gathers: bool = False
    constants: tuple[tuple[Buffer, tuple[float, ...]], ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    defaults: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
    panels: Mapping[str, int] = field(default_factory=dict)  # width, of inputs kept in panels
