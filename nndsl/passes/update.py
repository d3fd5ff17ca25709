"""Updates: the optimizers' formulas as nodes, so that a training step is one graph.

Three things are added to a graph with gradients. For each optimizer one DOUBLE map computes,
once a step, all that depends on nothing but rates, clocks and schedules (Adam's bias corrections,
1 - beta). For each parameter one map of several results gives the next parameter and the next
states. And the state `run.loss_sum` adds up data_loss times rows.

Numbers of an optimizer are SETTING inputs, so that another rate needs no other kernels; a number
that is exactly 0 switches its terms off, and states that nothing reads then are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nndsl.ir.graph import CLOCK_NAMES, Builder, Graph, Role, Value
from nndsl.ir.types import BATCH, ElementType, TensorType
from nndsl.lower.result import OptimizerUse
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.source import SizeOf
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import PREFIX
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.expression import build as build_expression
from nndsl.scalar.functions import minimum, sqrt
from nndsl.scalar.inspection import postorder, rewrite, substitute, variables
from nndsl.vocab.kinds import Optimizer

NUMBER = TensorType((), ElementType.DOUBLE)
LOSS_SUM = "run.loss_sum"
CLIP = "clip.norm"
GRADIENT_NORM = "gradient_norm"
TINY = 1e-6
"""Added to the norm that is divided by when clipping, as in torch's clip_grad_norm_."""


@dataclass(frozen=True)
class Update:
    """Turn gradients into updates of parameters and states.

    Parameters that no optimizer names keep their values. `clip` is the greatest norm of all
    gradients together; with `gradient_norm` that norm is an output. Of the other outputs only
    those in `keep` stay.
    """

    optimizers: tuple[OptimizerUse, ...]
    clip: float | None = None
    gradient_norm: bool = False
    keep: tuple[str, ...] = ("data_loss",)

    name = "update"

    def __call__(self, graph: Graph) -> Graph:
        """The graph of a whole training step; the numbers chosen are `graph.settings()`."""
        graph = graph.copy()
        build = Builder(graph)
        gradients = {p: _gradient(graph, p) for use in self.optimizers for p in use.parameters}
        kept = {name: graph.outputs[name] for name in self.keep if name in graph.outputs}
        scale = self._clipping(build, list(gradients.values()), kept)
        for number, use in enumerate(self.optimizers, 1):
            prefix = "optimizer" if len(self.optimizers) == 1 else f"optimizer[{number}]"
            _Optimization(build, use, prefix).apply(gradients, scale)
        self._add_up_loss(build)
        graph.outputs = kept
        return DeadCode()(graph)

    def _clipping(
        self, build: Builder, gradients: list[Value], outputs: dict[str, Value]
    ) -> Value | None:
        """The number that all gradients are multiplied by, or None."""
        if not gradients or (self.clip is None and not self.gradient_norm):
            return None
        build.label = "gradient_norm"
        squares = [add_map(build, operand(0) * operand(0), g, name="squares") for g in gradients]
        axes = [tuple(range(g.type.rank)) for g in gradients]
        sums = [
            build.add(Reduce("sum", a), s, name="square") if a else s
            for a, s in zip(axes, squares, strict=True)
        ]
        norm = add_map(build, sqrt(operand(0)), add_sum(build, sums), name=GRADIENT_NORM)
        if self.gradient_norm:
            outputs[GRADIENT_NORM] = norm
        if self.clip is None:
            return None
        greatest = build.input(CLIP, NUMBER, Role.SETTING, setting=self.clip)
        formula = minimum(operand(0) / (operand(1) + TINY), constant(1.0))
        return add_map(build, formula, greatest, norm, name="clip")

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


class _Optimization:
    """One use of an optimizer in a graph."""

    def __init__(self, build: Builder, use: OptimizerUse, prefix: str) -> None:
        assert isinstance(use.optimizer.word, Optimizer)
        self.build = build
        self.use = use
        self.prefix = prefix
        self.settings: dict[str, float] = {}
        formulas = _formulas(use.optimizer.word, self._numbers())
        self.states = _needed_states(use.optimizer.word.state, formulas)
        self.results = ("p", *self.states)
        each = {"p", "g", *self.states}
        self.formulas, self.hoisted = hoist([formulas[r] for r in self.results], each)

    def _numbers(self) -> dict[str, Expression]:
        """The optimizer's arguments as expressions in settings and clocks."""
        given = {**self.use.optimizer.arguments, **self.use.numbers}
        numbers: dict[str, Expression] = {}
        for name, value in given.items():
            if isinstance(value, Expression):
                numbers[name] = value
            elif isinstance(value, (bool, int, float)):
                numbers[name] = self._number(f"{self.prefix}.{name}", value)
        if self.use.rate != 1.0:
            numbers["lr"] = numbers["lr"] * self.use.rate
        return numbers

    def _number(self, name: str, value: float) -> Expression:
        if isinstance(value, bool) or value == 0.0:
            return constant(float(value))
        self.settings[name] = float(value)
        return variable(name)

    def apply(self, gradients: Mapping[str, Value], scale: Value | None) -> None:
        """Add the updates of all parameters of this use."""
        if not self.use.parameters:
            return
        self.build.label, self.build.span = self.prefix, self.use.optimizer.span
        scalars = self._scalars()
        readers = self.build.graph.users()
        for name in self.use.parameters:
            parameter = self.build.graph.inputs[name].value
            reader = next(iter(readers.get(parameter, ())), None)
            self.build.label = reader.label if reader else ""
            self._update(name, parameter, gradients[name], scalars, scale)

    def _scalars(self) -> dict[str, Value]:
        """The values that formulas of all parameters read: inputs, and one map of hoisted sums."""
        read = variables(*self.formulas, *self.hoisted.values())
        inputs = {v: self._input(v) for v in read if v in self.settings or v in CLOCK_NAMES}
        values = dict(inputs)
        if self.hoisted:
            used = [v for v in variables(*self.hoisted.values()) if v in inputs]
            names = {v: operand(i) for i, v in enumerate(used)}
            mapped = Map(
                tuple(substitute(e, names) for e in self.hoisted.values()), ElementType.DOUBLE
            )
            made = self.build.add_all(mapped, *(inputs[v] for v in used), name=self.prefix)
            values |= dict(zip(self.hoisted, made, strict=True))
        return values

    def _input(self, name: str) -> Value:
        """The input of that name, made when it is not there yet."""
        existing = self.build.graph.inputs.get(name)
        if existing is not None:
            if existing.role not in (Role.CLOCK, Role.SETTING):
                raise ValueError(f"the input {name} has the name of a clock or a setting")
            return existing.value
        if name in CLOCK_NAMES:
            return self.build.input(name, NUMBER, Role.CLOCK)
        return self.build.input(name, NUMBER, Role.SETTING, setting=self.settings[name])

    def _update(
        self,
        name: str,
        parameter: Value,
        gradient: Value,
        scalars: Mapping[str, Value],
        scale: Value | None,
    ) -> None:
        state_names = [f"{name}:{state}" for state in self.states]
        values = {"p": parameter, "g": gradient}
        for state, state_name in zip(self.states, state_names, strict=True):
            values[state] = self.build.input(state_name, parameter.type, Role.STATE)
        values |= scalars
        formulas = self.formulas
        if scale is not None:
            values["scale"] = scale
            clipped = {"g": variable("scale") * variable("g")}
            formulas = [substitute(e, clipped) for e in formulas]
        read = set(variables(*formulas))
        used = [v for v in values if v in read]
        names = {v: operand(i) for i, v in enumerate(used)}
        mapped = Map(tuple(substitute(e, names) for e in formulas))
        made = self.build.add_all(mapped, *(values[v] for v in used), name=f"next:{name}")
        for target, value in zip((name, *state_names), made, strict=True):
            value.name = value.name if value.index == 0 else self.build.unique(f"next:{target}")
            self.build.graph.updates[target] = value


def _formulas(optimizer: Optimizer, numbers: Mapping[str, Expression]) -> dict[str, Expression]:
    """Next values of `p` and of the states, in terms of p, g, states, settings and clocks."""
    known = {**numbers, "t": variable("step") + 1.0}
    for name, expression in optimizer.scalars.items():
        known[name] = substitute(expression, known)
    formulas: dict[str, Expression] = {}
    for name, expression in optimizer.step.items():
        formulas[name] = substitute(expression, known)
        known[f"next_{name}"] = formulas[name]
    return formulas


def _needed_states(states: Iterable[str], formulas: Mapping[str, Expression]) -> tuple[str, ...]:
    """The states on which a later parameter depends."""
    needed = {"p"}
    while True:
        read = {v for name in needed for v in variables(formulas[name]) if v in formulas}
        if read <= needed:
            return tuple(s for s in states if s in needed)
        needed |= read


def hoist(
    formulas: list[Expression], varying: set[str]
) -> tuple[list[Expression], dict[str, Expression]]:
    """Take out of formulas the largest parts in which no variable of `varying` stands.

    Returns the formulas with variables `once0`, `once1`, ... in their place, and what these stand
    for. Numbers and single variables stay where they are.
    """
    varies: dict[Expression, bool] = {}
    names: dict[Expression, str] = {}
    for expression in postorder(formulas):
        parts = expression.arguments
        varies[expression] = expression.value in varying or any(varies[part] for part in parts)
        if varies[expression]:
            for part in parts:
                if part.arguments and not varies[part]:
                    names.setdefault(part, f"once{len(names)}")

    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        if old in names:
            return variable(names[old])
        return build_expression(old.operator, *operands) if operands else old

    return list(rewrite(formulas, change)), {name: e for e, name in names.items()}
