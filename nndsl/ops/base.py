"""What an operation of the IR must say of itself; each op is a frozen dataclass of its options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar

import numpy as np

from nndsl.ir.graph import Builder, Node, Value
from nndsl.ir.types import TensorType


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
    """The values that RANDOM ops and `Size` read: seed of the run, step, sizes by name."""

    seed: int = 0
    step: int = 0
    sizes: dict[str, int] | None = None


class Op(ABC):
    """Base of all operations. Subclasses are frozen dataclasses; fields are their options."""

    name: ClassVar[str]
    fusion: ClassVar[Fusion]

    @abstractmethod
    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The typing rule: types of the results, or `ShapeError`."""

    @abstractmethod
    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The NumPy meaning: the oracle of every kernel."""

    @abstractmethod
    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Gradients of the inputs as IR, given those of the results (None: not needed)."""

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
