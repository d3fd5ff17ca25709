"""Optimizers with their numbers, for all trained weights and for parts of their own."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

from nndsl.diagnostics import Span, error
from nndsl.lower import recipe_defaults as defaults
from nndsl.lower.constants import is_number
from nndsl.lower.nets import NetDefinition, parameters_of
from nndsl.lower.result import Inferred, Number, OptimizerUse
from nndsl.lower.schedules import ScheduleReader
from nndsl.lower.train_settings import Settings
from nndsl.lower.values import Composite, Mention
from nndsl.lower.words import bind, find_word, shown, without_quotes
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import WordCall, words


@dataclass
class OptimizerPlan:
    """The optimizers of a recipe, each with its parameters."""

    uses: tuple[OptimizerUse, ...] = ()
    inferred: list[Inferred] = field(default_factory=list)


def plan_optimizers(
    settings: Settings, reader: ScheduleReader, trained: list[str], definition: NetDefinition
) -> OptimizerPlan:
    """One use for all trained weights, further ones for parts with numbers of their own."""
    plan = OptimizerPlan()
    written = settings.run.get("optimizer")
    if written is None:
        chosen = call(words("optimizer")[defaults.OPTIMIZER], lr=defaults.RATE)
        plan.inferred.append(
            Inferred("optimizer", f"{defaults.OPTIMIZER}({defaults.RATE:g})", "the default recipe")
        )
    else:
        chosen = read_optimizer(written.evaluated(), written.span, reader)
    schedule = _schedule(settings, reader)
    base = _use(chosen, schedule)
    of_parameter: dict[str, OptimizerUse] = {name: base for name in trained}
    for part, setting, value in settings.parts:
        names = [n for n in parameters_of(definition, part) if n in of_parameter]
        if setting == "rate":
            rate = _rate(value.evaluated(), value.span)
            for name in names:
                of_parameter[name] = replace(of_parameter[name], rate=rate)
        elif setting == "optimizer":
            own = _use(read_optimizer(value.evaluated(), value.span, reader), schedule)
            for name in names:
                of_parameter[name] = replace(own, rate=of_parameter[name].rate)
    plan.uses = _grouped(of_parameter)
    return plan


def _grouped(of_parameter: dict[str, OptimizerUse]) -> tuple[OptimizerUse, ...]:
    """One use for each optimizer and rate, in the order of the parameters."""
    groups: dict[tuple[int, float], list[str]] = {}
    first: dict[tuple[int, float], OptimizerUse] = {}
    for name, use in of_parameter.items():
        key = (id(use.numbers), use.rate)
        groups.setdefault(key, []).append(name)
        first.setdefault(key, use)
    return tuple(replace(first[key], parameters=tuple(names)) for key, names in groups.items())


def read_optimizer(value: Any, span: Span, reader: ScheduleReader) -> WordCall:
    """`adam(1e-3)`, `momentum(0.1 * one_cycle, beta=0.9)`."""
    if not isinstance(value, Mention):
        is_composite = isinstance(value, Composite)
        raise error(
            "NN309",
            f"`optimizer` is a word, not {'arithmetic' if is_composite else shown(value)}",
            span,
            help=without_quotes(value, "optimizer")
            or "for instance `adam(1e-3)`; a rate may be a schedule: `sgd(0.1 * cosine)`",
        )
    return bind(value, find_word(value, "optimizer"), reader).call


def _schedule(settings: Settings, reader: ScheduleReader) -> Expression | None:
    written = settings.run.get("schedule")
    if written is None:
        return None
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none":
        return None
    if not is_number(value) and not isinstance(value, Mention | Composite):
        title = f"a number or a schedule is needed here, not {shown(value)}"
        raise error("NN309", title, written.span)
    return reader(value)


def _use(call: WordCall, schedule: Expression | None) -> OptimizerUse:
    numbers: dict[str, Number] = {}
    for name, value in call.arguments.items():
        if isinstance(value, Expression):
            folded = value.operator == "constant" and isinstance(value.value, float)
            numbers[name] = float(value.value) if folded else value  # type: ignore[arg-type]
        elif is_number(value):
            numbers[name] = float(value)
    if schedule is not None:
        rate = numbers["lr"]
        numbers["lr"] = schedule * (rate if isinstance(rate, Expression) else constant(rate))
    return OptimizerUse(call, numbers, ())


def _rate(value: Any, span: Span) -> float:
    if not is_number(value) or value < 0:
        raise error("NN309", f"`rate` must be a number of at least 0, not {shown(value)}", span,
                    "it multiplies the optimizer's rate")  # fmt: skip
    return float(value)
