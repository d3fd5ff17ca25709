"""The formulas of one optimizer as nodes: once a step, and once for each parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from nndsl.ir.graph import CLOCK_NAMES, Builder, Role, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.lower.result import PLATEAU, OptimizerUse, Restraint
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.expression import build as build_expression
from nndsl.scalar.functions import maximum, minimum, sqrt
from nndsl.scalar.inspection import postorder, rewrite, substitute, variables
from nndsl.vocab.kinds import Optimizer

NUMBER = TensorType((), ElementType.DOUBLE)
SMALLEST = 1e-12
"""Norms below this are taken as this where something is divided by them."""


@dataclass(frozen=True)
class Clipping:
    """What stands for the gradient `g`: a formula in `g` and in the values named."""

    gradient: Expression
    values: Mapping[str, Value]


def add_norm(build: Builder, vectors: Sequence[Value], name: str) -> Value:
    """The Euclidean norm of all numbers of some values together."""
    squares = [add_map(build, operand(0) * operand(0), v, name="squares") for v in vectors]
    axes = [tuple(range(v.type.rank)) for v in vectors]
    sums = [
        build.add(Reduce("sum", a), s, name="square") if a else s
        for a, s in zip(axes, squares, strict=True)
    ]
    return add_map(build, sqrt(operand(0)), add_sum(build, sums), name=name)


class Optimization:
    """One use of an optimizer in a graph."""

    def __init__(self, build: Builder, use: OptimizerUse, prefix: str) -> None:
        assert isinstance(use.optimizer.word, Optimizer)
        self.build = build
        self.use = use
        self.prefix = prefix
        word = use.optimizer.word
        self.settings: dict[str, float] = {}
        formulas = _formulas(word, self._numbers())
        self.states = _needed_states(word.state, formulas)
        self.running = {name: formulas[name] for name in word.running}
        results = ("p", *self.states, *word.norms)
        each = {"p", "g", *self.states, *word.norms}
        kept, self.hoisted = hoist([formulas[name] for name in results], each)
        self.formulas = kept[: len(kept) - len(word.norms)]
        self.norms = dict(zip(word.norms, kept[len(self.formulas) :], strict=True))

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

    def apply(
        self,
        gradients: Mapping[str, Value],
        clipping: Clipping | None,
        restraining: Restraining,
    ) -> None:
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
            self._update(name, parameter, gradients[name], scalars, clipping, restraining)

    def _scalars(self) -> dict[str, Value]:
        """The values that formulas of all parameters read: inputs, and one map of hoisted sums."""
        once = {**self.hoisted, **self.running}
        read = variables(*self.formulas, *self.norms.values(), *once.values())
        known = {*self.settings, *self.running, *CLOCK_NAMES}
        values = {v: self._input(v) for v in read if v in known or v.startswith(PLATEAU)}
        if once:
            formulas = list(once.values())
            made = _add_named(self.build, formulas, values, self.prefix, ElementType.DOUBLE)
            results = dict(zip(once, made, strict=True))
            values |= {name: results[name] for name in self.hoisted}
            for name in self.running:
                self.build.graph.updates[f"{self.prefix}:{name}"] = results[name]
        return values

    def _input(self, name: str) -> Value:
        """The input of that name, made when it is not there yet."""
        if name in self.running:
            return self.build.input(f"{self.prefix}:{name}", NUMBER, Role.STATE)
        existing = self.build.graph.inputs.get(name)
        if existing is not None:
            of_roles = existing.role in (Role.CLOCK, Role.SETTING)
            if not of_roles and not name.startswith(PLATEAU):
                raise ValueError(f"the input {name} has the name of a clock or a setting")
            return existing.value
        if name in CLOCK_NAMES:
            return self.build.input(name, NUMBER, Role.CLOCK)
        if name.startswith(PLATEAU):
            return self.build.input(name, NUMBER, Role.STATE, start=1.0)
        return self.build.input(name, NUMBER, Role.SETTING, setting=self.settings[name])

    def _update(
        self,
        name: str,
        parameter: Value,
        gradient: Value,
        scalars: Mapping[str, Value],
        clipping: Clipping | None,
        restraining: Restraining,
    ) -> None:
        state_names = [f"{name}:{state}" for state in self.states]
        values = {"p": parameter, "g": gradient}
        for state, state_name in zip(self.states, state_names, strict=True):
            values[state] = self.build.input(state_name, parameter.type, Role.STATE)
        values |= scalars
        formulas, norms = self.formulas, self.norms
        if clipping is not None:
            values |= clipping.values
            clipped = {"g": clipping.gradient}
            formulas = [substitute(e, clipped) for e in formulas]
            norms = {n: substitute(e, clipped) for n, e in norms.items()}
        for norm, formula in norms.items():
            vector = _add_named(self.build, (formula,), values, norm)
            values[norm] = add_norm(self.build, vector, norm)
        formulas, more = restraining.decayed(name, formulas)
        made = _add_named(self.build, formulas, values | more, f"next:{name}")
        for target, value in zip((name, *state_names), made, strict=True):
            value.name = value.name if value.index == 0 else self.build.unique(f"next:{target}")
            self.build.graph.updates[target] = value
        self.build.graph.updates[name] = restraining.limited(name, made[0])


class Restraining:
    """What is done to parameters after their updates."""

    def __init__(self, build: Builder, restraints: Mapping[str, Restraint]) -> None:
        self.build = build
        self.restraints = restraints
        self.settings: dict[tuple[str, float], Value] = {}

    def decayed(
        self, parameter: str, formulas: Sequence[Expression]
    ) -> tuple[list[Expression], dict[str, Value]]:
        """The formulas, of which the first gives the parameter, with decay: (1 - d)(w + dw)."""
        restraint = self.restraints.get(parameter)
        if restraint is None or restraint.decay == 0.0:
            return list(formulas), {}
        first, *others = formulas
        faded = (1 - variable("fading")) * first
        return [faded, *others], {"fading": self._setting("weight_decay", restraint.decay)}

    def limited(self, parameter: str, value: Value) -> Value:
        """The value, with the weights into each unit scaled down to the greatest norm."""
        restraint = self.restraints.get(parameter)
        if restraint is None or restraint.max_norm is None:
            return value
        build, shape = self.build, value.type.shape
        axes = tuple(a for a in range(len(shape)) if a != restraint.axis)
        square = add_map(build, operand(0) * operand(0), value, name="squares")
        total = build.add(Reduce("sum", axes, keep=True), square, name="square")
        limit = self._setting("max_norm", restraint.max_norm)
        shrink = minimum(operand(0) / maximum(sqrt(operand(1)), constant(SMALLEST)), constant(1.0))
        factor = add_map(build, shrink, limit, total, name="max_norm")
        return add_map(build, operand(0) * operand(1), value, factor, name=f"limited:{parameter}")

    def _setting(self, name: str, number: float) -> Value:
        """The input of a number; equal numbers share one."""
        if (name, number) not in self.settings:
            taken = sum(known == name for known, _ in self.settings)
            label = f"{name}[{taken + 1}]" if taken else name
            value = self.build.input(label, NUMBER, Role.SETTING, setting=number)
            self.settings[name, number] = value
        return self.settings[name, number]


def _add_named(
    build: Builder,
    formulas: Sequence[Expression],
    values: Mapping[str, Value],
    name: str,
    element: ElementType = ElementType.REAL,
) -> tuple[Value, ...]:
    """One map of formulas whose variables are names of values."""
    read = set(variables(*formulas))
    used = [v for v in values if v in read]
    names = {v: operand(i) for i, v in enumerate(used)}
    mapped = Map(tuple(substitute(e, names) for e in formulas), element)
    return build.add_all(mapped, *(values[v] for v in used), name=name)


def _formulas(optimizer: Optimizer, numbers: Mapping[str, Expression]) -> dict[str, Expression]:
    """Next values of `p`, of the states and running numbers, and what the norms are of, in terms
    of p, g, states, settings, clocks and norms.
    """
    known = {**numbers, "t": variable("step") + 1.0}
    for name, expression in optimizer.scalars.items():
        known[name] = substitute(expression, known)
    formulas: dict[str, Expression] = {}
    for name, expression in (*optimizer.running.items(), *optimizer.step.items()):
        formulas[name] = substitute(expression, known)
        known[f"next_{name}"] = formulas[name]
    return formulas | {name: substitute(e, known) for name, e in optimizer.norms.items()}


def _needed_states(states: Iterable[str], formulas: Mapping[str, Expression]) -> tuple[str, ...]:
    """The states on which a later parameter depends."""
    needed = {"p"}
    while True:
        read = {v for name in needed for v in variables(formulas[name]) if v in formulas}
        if read <= needed:
            return tuple(s for s in states if s in needed)
        needed |= read


def hoist(
    formulas: list[Expression], varying: Collection[str]
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
