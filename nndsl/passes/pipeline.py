"""The straight list of passes, and the loop that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from nndsl.ir.graph import Graph
from nndsl.lower.result import OptimizerUse, Restraint
from nndsl.passes.columns import FoldColumns
from nndsl.passes.cse import CommonSubexpressions
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.fold import Fold
from nndsl.passes.fuse import FuseEpilogues, FuseMaps
from nndsl.passes.join import Join
from nndsl.passes.keep_together import KeepTogether
from nndsl.passes.layout import ChannelsLast
from nndsl.passes.pool_first import PoolFirst
from nndsl.passes.product_first import ProductFirst
from nndsl.passes.recompute import Recompute
from nndsl.passes.scans import InsideScans, LiftFromScans, TrimScans
from nndsl.passes.simplify import Simplify
from nndsl.passes.update import Update


class Pass(Protocol):
    """A graph to a graph; a frozen dataclass whose fields are its options."""

    @property
    def name(self) -> str:
        """Word for `show passes`."""

    def __call__(self, graph: Graph) -> Graph:
        """The changed graph; the given one stays as it is."""


Observe = Callable[[Pass, Graph, Graph], None]
"""Told of each pass with the graph before and after it."""

CLEANING: tuple[Pass, ...] = (Simplify(), Fold(), CommonSubexpressions(), DeadCode())
"""Passes that only take work out, in an order in which each profits from those before it."""

SCANS: tuple[Pass, ...] = (TrimScans(), InsideScans(), LiftFromScans(), KeepTogether())
"""The same for what is done step by step."""

PLANNING: tuple[Pass, ...] = (FuseMaps(), FoldColumns(), FuseEpilogues())
"""Passes that prepare kernels. They come last in every list."""

INFERENCE: tuple[Pass, ...] = (
    ChannelsLast(), LiftFromScans(), ProductFirst(), Join(), *CLEANING, *SCANS, *PLANNING,
)  # fmt: skip
"""From a network's graph to one that is ready for kernels."""


def training(
    optimizers: tuple[OptimizerUse, ...],
    clip: float | None = None,
    *,
    gradient_norm: bool = False,
    clip_value: float | None = None,
    restraints: Mapping[str, Restraint] | None = None,
    loss: str = "loss",
    small: bool = False,
) -> tuple[Pass, ...]:
    """From a recipe's graph to one training step that is ready for kernels.

    `small`: it makes values again rather than remember them.
    """
    update = Update(optimizers, clip, gradient_norm, clip_value, restraints or {})
    passes = (*_differentiated(loss), update, *CLEANING, *SCANS, *PLANNING)
    return (*passes, Recompute()) if small else passes


def gradients() -> tuple[Pass, ...]:
    """From a recipe's graph to its loss and gradients: those of a training step, not used."""
    return (*_differentiated("loss"), *CLEANING, *SCANS, *PLANNING)


def _differentiated(loss: str) -> tuple[Pass, ...]:
    return (
        ChannelsLast(), LiftFromScans(), ProductFirst(), Simplify(), PoolFirst(), Join(),
        Differentiate(loss),
    )  # fmt: skip


def run(graph: Graph, passes: Iterable[Pass], observe: Observe | None = None) -> Graph:
    """The graph after all passes."""
    for step in passes:
        before, graph = graph, step(graph)
        if observe is not None:
            observe(step, before, graph)
    return graph
