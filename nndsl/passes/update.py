"""Updates: the optimizers' formulas as nodes, so that a training step is one graph.

Three things are added to a graph with gradients. For each optimizer one DOUBLE map computes,
once a step, all that depends on nothing but rates, clocks and schedules (Adam's bias corrections,
1 - beta). For each parameter one map of several results gives the next parameter and the next
states. And the state `run.loss_sum` adds up data_loss times rows.

Numbers of an optimizer are SETTING inputs, so that another rate needs no other kernels; a number
that is exactly 0 switches its terms off, and states that nothing reads then are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from nndsl.ir.graph import Builder, Graph, Role, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.lower.result import OptimizerUse, Restraint
from nndsl.ops.compose import add_map
from nndsl.ops.map import Map, operand
from nndsl.ops.source import SizeOf
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import PREFIX
from nndsl.passes.optimizing import NUMBER, Clipping, Optimization, Restraining, add_norm
from nndsl.records import dataclass
from nndsl.scalar.expression import constant, variable
from nndsl.scalar.functions import clip, minimum

LOSS_SUM = "run.loss_sum"
CLIP = "clip.norm"
CLIP_VALUE = "clip.value"
GRADIENT_NORM = "gradient_norm"
TINY = 1e-6
"""Added to the norm that is divided by when clipping, as in torch's clip_grad_norm_."""


@dataclass(frozen=True)
class Update:
    """Turn gradients into updates of parameters and states.

    Parameters that no optimizer names keep their values. `clip` is the greatest norm of all
    gradients together, `clip_value` the greatest size of each of their numbers (one of the two);
    with `gradient_norm` that norm is an output. `restraints` act on the parameters named, after
    their update. Of the other outputs only those in `keep` stay.
    """

    optimizers: tuple[OptimizerUse, ...]
    clip: float | None = None
    gradient_norm: bool = False
    clip_value: float | None = None
    restraints: Mapping[str, Restraint] = field(default_factory=dict)
    keep: tuple[str, ...] = ("data_loss",)

    name = "update"

    def __call__(self, graph: Graph) -> Graph:
        """The graph of a whole training step; the numbers chosen are `graph.settings()`."""
        graph = graph.copy()
        build = Builder(graph)
        gradients = {p: _gradient(graph, p) for use in self.optimizers for p in use.parameters}
        kept = {name: graph.outputs[name] for name in self.keep if name in graph.outputs}
        clipping = self._clipping(build, list(gradients.values()), kept)
        restraining = Restraining(build, self.restraints)
        for number, use in enumerate(self.optimizers, 1):
            prefix = "optimizer" if len(self.optimizers) == 1 else f"optimizer[{number}]"
            Optimization(build, use, prefix).apply(gradients, clipping, restraining)
        self._add_up_loss(build)
        graph.outputs = kept
        return DeadCode()(graph)

    def _clipping(
        self, build: Builder, gradients: list[Value], outputs: dict[str, Value]
    ) -> Clipping | None:
        """What stands for each gradient when all of them, or each number, have a limit."""
        if self.clip_value is not None:
            limit = build.input(CLIP_VALUE, NUMBER, Role.SETTING, setting=self.clip_value)
            bounded = clip(variable("g"), -variable("limit"), variable("limit"))
            clipping = Clipping(bounded, {"limit": limit})
        else:
            clipping = None
        if not gradients or (self.clip is None and not self.gradient_norm):
            return clipping
        build.label = GRADIENT_NORM
        norm = add_norm(build, gradients, GRADIENT_NORM)
        if self.gradient_norm:
            outputs[GRADIENT_NORM] = norm
        if self.clip is None:
            return clipping
        greatest = build.input(CLIP, NUMBER, Role.SETTING, setting=self.clip)
        formula = minimum(operand(0) / (operand(1) + TINY), constant(1.0))
        scale = add_map(build, formula, greatest, norm, name="clip")
        return Clipping(variable("scale") * variable("g"), {"scale": scale})

    def _add_up_loss(self, build: Builder) -> None:
        loss = build.graph.outputs.get("data_loss")
        if loss is None:
            return
        build.label, build.span = LOSS_SUM, None
        before = build.input(LOSS_SUM, NUMBER, Role.STATE)
        rows = build.add(SizeOf(BATCH), name="rows")
        formula = Map((operand(0) + operand(1) * operand(2),), ElementType.DOUBLE)
        build.graph.updates[LOSS_SUM] = build.add(formula, before, loss, rows, name="loss_sum")


def _gradient(graph: Graph, parameter: str) -> Value:
    found = graph.outputs.get(PREFIX + parameter)
    if found is None:
        raise ValueError(f"the parameter {parameter} has no gradient")
    return found
