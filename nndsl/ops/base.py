"""What an operation of the IR must say of itself; each op is a frozen dataclass of its options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import Enum
from typing import Any, ClassVar, cast

import numpy as np

from nndsl.ir.graph import Builder, Graph, Node, Value
from nndsl.ir.types import ElementType, TensorType, resolved
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, upright


class Fusion(Enum):
    """All that a pass may ask of an op."""

    ELEMENTWISE = "elementwise"
    REDUCE = "reduce"
    ROW = "row"
    CONTRACTION = "contraction"
    MOVE = "move"
    GATHER = "gather"
    RANDOM = "random"
    CONTROL = "control"
    OPAQUE = "opaque"


@dataclass(frozen=True)
class Clock:
    """What ops read beside their operands: seed of the run, step, sizes by name, precision.

    `precision` ("float32" or "float64") is what REAL stands for in this run; `first_row` the number
    of the batch's first row in the data, where rows are gone through in their order.
    """

    seed: int = 0
    step: int = 0
    sizes: dict[str, int] | None = None
    precision: str = "float64"
    first_row: int = 0

    def dtype(self, element: ElementType) -> np.dtype[Any]:
        """The NumPy type of elements in this run."""
        names = {ElementType.REAL: self.precision, ElementType.INDEX: "int32"}
        return np.dtype(names.get(element, "float64"))


class Op(ABC):
    """Base of all operations. Subclasses are frozen dataclasses; fields are their options."""

    name: ClassVar[str]
    fusion: ClassVar[Fusion]
    is_view: ClassVar[bool] = False  # the result is the operand's memory under another shape
    repeats: ClassVar[bool] = False  # the result is the operand broadcast, as NumPy does
    reads_run: ClassVar[bool] = False  # the result depends on the clock, not on operands alone

    @abstractmethod
    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The typing rule: types of the results, or `ShapeError`."""

    @abstractmethod
    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The NumPy meaning: the oracle of every kernel."""

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Gradients of the inputs as IR, given those of the results (None: not needed).

        Where an operand was repeated by broadcasting, its gradient may still have the shape of
        the repetition; whoever asks sums it (`nndsl.ops.reduction.sum_to`). What is not said here
        depends on the first result alone, by `backward`.
        """
        first = upstream[0]
        return [None] * len(node.inputs) if first is None else self.backward(build, node, first)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Gradients of the inputs, given that of the first result; None where there are none."""
        return [None] * len(node.inputs)

    def in_place(self, position: int, result: int = 0) -> bool:
        """Whether a result may be written over operand `position`, which has its type: each of the
        operand's numbers is read before the one at its place is written, and never after.
        """
        return self.fusion is Fusion.ELEMENTWISE

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether the (only) result always equals the first operand, bit for bit."""
        return False

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """One op equal, bit for bit, to this one applied to the result of `earlier`.

        `inputs` are the operand types of `earlier`; both ops have one operand. None: there is no
        such op.
        """
        return None

    def absorbed(self, position: int, earlier: Op) -> Op | None:
        """An op equal to this one with operand `position` read through `earlier`, or None."""
        return None

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """An op and an order of its results' axes that stand for this one on turned operands.

        With x.transpose(axes) for every operand, this op gives `op(x)` with each result transposed
        by the second tuple; only sums may be taken in another order. None: there is no such op.
        """
        return None

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value] | None:
        """The same results from simpler ops: the oracle of a joint op. None: it is simple."""
        return None

    def join(
        self, build: Builder, node: Node, producers: Mapping[Value, Node]
    ) -> Sequence[Value] | None:
        """Values, built of one joint op, that may replace the node's results; None: no partner.

        `producers` gives the node that made each value, so that an op can recognise its partner.
        """
        return None

    def bound(self, sizes: Mapping[str, int]) -> Op:
        """The same op where sizes that were names have numbers: in the shapes among its options."""
        options = {name: v for name, v in self.options().items() if isinstance(v, tuple)}
        known = {name: tuple(_bound(d, sizes) for d in v) for name, v in options.items()}
        return self if known == options else replace(self, **known)  # type: ignore[type-var]

    def constant(self) -> np.ndarray | None:
        """The value, for an op that is one."""
        return None

    def with_constant(self, position: int, number: float) -> Op | None:
        """An op equal to this one when operand `position`, left out, is `number`; None: none."""
        return None

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The results as formulas of the operands: for one example, tensors as columns."""
        name = upright(self.name).replace("mathrm", "operatorname", 1)
        inner = ", ".join(text for text, _ in operands)
        called, count = rf"{name}\left({inner}\right)", len(self.infer(types))
        others = (f"{{{called}}}_{{{place}}}" for place in range(2, count + 1))
        return tuple((text, Level.LEAF) for text in (called, *others))

    def definition(self) -> Sequence[str]:
        """What `latex` calls by its name only, as lines of LaTeX in `z`: value, then derivative."""
        return ()

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Floating-point operations for one row of the batch (or in all, without a batch)."""
        return 0

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Options and operand types for the registry-driven tests of value and gradient."""
        return ()

    def options(self) -> dict[str, Any]:
        """The options by name, for the text form and for hashing."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


def operation_of(node: Node) -> Op:
    """The node's operation, of which may be asked what `Op` offers.

    Graphs hold no others, which is not checked here: deep networks ask a million times.
    """
    return cast(Op, node.operation)


def computed(graph: Graph, values: dict[Value, np.ndarray], clock: Clock) -> Iterator[Node]:
    """Each node when its results have been put in `values`, which hold those of the inputs."""
    for node in graph.nodes:
        results = operation_of(node).meaning([values[v] for v in node.inputs], clock)
        for value, result in zip(node.outputs, results, strict=True):
            values[value] = np.asarray(result, dtype=clock.dtype(value.type.element))
        yield node


def _bound(option: Any, sizes: Mapping[str, int]) -> Any:
    return resolved(option, sizes) if isinstance(option, str) else option
