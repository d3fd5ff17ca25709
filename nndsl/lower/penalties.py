"""Penalties on weights: as written, of parts, by default."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Builder, Value
from nndsl.lower import recipe_defaults as defaults
from nndsl.lower.constants import is_number
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import NetDefinition, parameters_of
from nndsl.lower.recipe_words import PENALTIES
from nndsl.lower.result import Inferred, Penalty
from nndsl.lower.train_settings import Settings
from nndsl.lower.values import Composite, DataSource, Mention
from nndsl.lower.words import bind, shown
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.scalar.functions import absolute
from nndsl.schema import TEXT_SPLIT, DataSpecification, StepRequest, TargetKind

Summand = tuple[str, float]


def plan_penalties(
    settings: Settings,
    definition: NetDefinition,
    trained: list[str],
    source: DataSource,
    *,
    by_default: bool = True,
) -> tuple[list[Penalty], list[Inferred]]:
    """Penalties on the trained weights (biases have none); a part's own replaces the general.

    Where none is written, the default recipe has one, unless `by_default` is false.
    """
    drafts = definition.elaborated().elaboration.drafts
    weights = [name for name in trained if drafts[name].decays]
    asked = by_default or "penalty" in settings.run
    general, notes = _general(settings, source, weights) if asked else ([], [])
    of_weight: dict[str, list[Summand]] = {name: general for name in weights}
    for part, setting, written in settings.parts:
        if setting == "penalty":
            own = read_penalty(written.evaluated(), written.span)
            for name in parameters_of(definition, part):
                if name in of_weight:
                    of_weight[name] = own
    grouped: dict[Summand, list[str]] = {}
    for name, summands in of_weight.items():
        for summand in summands:
            grouped.setdefault(summand, []).append(name)
    planned = [
        Penalty(kind, coefficient, tuple(names))
        for (kind, coefficient), names in grouped.items()
        if coefficient > 0
    ]
    return planned, notes


def _general(
    settings: Settings, source: DataSource, weights: list[str]
) -> tuple[list[Summand], list[Inferred]]:
    written = settings.run.get("penalty")
    if written is not None:
        return read_penalty(written.evaluated(), written.span), []
    if source.schema is None or not weights or "weight_decay" in settings.run:
        return [], []
    rows = training_rows(source.specification, source.schema.rows)
    numbers = all(t.kind is TargetKind.NUMBERS for t in source.schema.targets)
    strength = defaults.L2_OF_NUMBERS if numbers else defaults.L2_OF_CLASSES
    places = prod(t.shape[0] for t in source.schema.targets if t.sequence)
    coefficient = strength / max(1, rows * places)
    of = f"{rows * places} places of {rows}" if places > 1 else str(rows)
    why = f"the default recipe: {strength:g} / {of} training rows"
    return [("l2", coefficient)], [Inferred("penalty", f"l2({coefficient:.3g})", why)]


def training_rows(specification: DataSpecification | None, rows: int) -> int:
    """How many rows train, as the setting `split` says; close enough where rows lack a target."""
    setting = specification.settings.get("split") if specification is not None else None
    text = specification is not None and specification.kind == "text"
    usual = list(TEXT_SPLIT if text else defaults.SPLIT)
    value: Any = setting.value if setting is not None else usual
    if value == "all":
        return rows
    if isinstance(value, StepRequest):
        folds = int(next(iter(value.arguments.values())))
        return round(rows * (1 - 1 / folds) * 0.8)
    if not isinstance(value, list):
        return round(rows * defaults.SPLIT[0])
    return int(value[0]) if max(value) > 1 else round(rows * value[0])


def read_penalty(value: Any, span: Span) -> list[Summand]:
    """`l2(1e-4) + l1(1e-5)`, `none`."""
    if isinstance(value, Mention) and value.name == "none":
        return []
    return _summands(value, 1.0, span)


def _summands(value: Any, factor: float, span: Span) -> list[Summand]:
    if isinstance(value, Composite) and value.symbol == "+":
        return [*_summands(value.left, factor, span), *_summands(value.right, factor, span)]
    if isinstance(value, Composite) and value.symbol == "*":
        for number, other in ((value.left, value.right), (value.right, value.left)):
            if is_number(number):
                return _summands(other, factor * float(number), span)
    if not isinstance(value, Mention):
        raise error(
            "NN309",
            f"`penalty` is a sum of penalties, not {shown(value)}",
            span,
            help="for instance `l2(1e-4) + l1(1e-5)`, or `none`",
        )
    if value.name not in PENALTIES:
        title = f"there is no penalty called `{value.name}`"
        raise unknown_name("NN301", title, value.name, [*PENALTIES, "none"], value.span)
    arguments = bind(value, PENALTIES[value.name]).call.arguments
    return [(value.name, factor * float(arguments["coefficient"]))]


# --- as nodes -------------------------------------------------------------------------------


def add_penalties(
    build: Builder, data_loss: Value, penalties: Sequence[tuple[str, float, Sequence[str]]]
) -> Value:
    """data_loss plus each penalty: l1: c sum |w|, l2: c/2 sum w^2 over its parameters."""
    build.label = "penalty"
    terms = [data_loss]
    for kind, coefficient, parameters in penalties:
        for name in parameters:
            terms.append(_penalty(build, kind, coefficient, build.graph.inputs[name].value))
    return data_loss if len(terms) == 1 else add_sum(build, terms, name="loss")


def _penalty(build: Builder, kind: str, coefficient: float, weight: Value) -> Value:
    x = operand(0)
    each = 0.5 * coefficient * (x * x) if kind == "l2" else coefficient * absolute(x)
    mapped = add_map(build, each, weight, name=kind)
    return build.add(Reduce("sum", tuple(range(weight.type.rank))), mapped, name=kind)
