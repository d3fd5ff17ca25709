"""Schedules as written to expressions of the clock: lengths to steps, composition, arithmetic."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from nndsl.diagnostics import Span, error
from nndsl.lower.constants import is_number
from nndsl.lower.figures import require_figure, whole_epochs
from nndsl.lower.result import PLATEAU, Plateau
from nndsl.lower.values import Composite, Mention
from nndsl.lower.words import Bound, bind, call_word, find_word, shown
from nndsl.params import Length, TimeLength
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.functions import where
from nndsl.scalar.inspection import substitute, variables
from nndsl.vocab.kinds import Schedule
from nndsl.vocab.schedules import LEVEL

STEP = variable("step")
TOTAL_STEPS = variable("total_steps")
STEPS_PER_EPOCH = variable("steps_per_epoch")


@dataclass(frozen=True)
class ScheduleReader:
    """Reads schedules; `unit` is what a bare length counts: "epoch" or "step".

    What waits for figures of the training is added to `plateaus`.
    """

    unit: str
    plateaus: list[Plateau] = field(default_factory=list)

    def __call__(self, value: Any) -> Expression:
        """A number or a schedule as an expression of the clock."""
        return self._read(value, STEP, None)

    def steps(self, length: TimeLength, span: Span | None) -> Expression:
        """A length in steps."""
        unit = length.unit or self.unit
        if unit == "step":
            return constant(length.value)
        if unit == "epoch":
            return STEPS_PER_EPOCH * length.value
        if unit == "fraction":
            return TOTAL_STEPS * length.value
        raise error(
            "NN309",
            f"a schedule cannot last {length.value:g} {unit}s: it must be known before the run",
            span,
            help="write for instance `5 epochs`, `300 steps` or `10%`",
        )

    def _read(self, value: Any, local: Expression, rest: Expression | None) -> Expression:
        """`local` counts steps from the schedule's start; `rest` is how many there are for it."""
        if is_number(value):
            return constant(float(value))
        if isinstance(value, Mention):
            return self._word(value, local, rest)
        if isinstance(value, Composite) and value.symbol == "->":
            return self._chain(value, local, rest)
        if isinstance(value, Composite) and value.symbol in ("+", "-", "*", "/", "^"):
            left = self._read(value.left, local, rest)
            right = self._read(value.right, local, rest)
            return _combined(value.symbol, left, right)
        span = value.span if isinstance(value, Composite) else None
        raise error("NN309", f"a number or a schedule is needed here, not {shown(value)}", span)

    def _word(self, mention: Mention, local: Expression, rest: Expression | None) -> Expression:
        word = find_word(mention, "schedule")
        assert isinstance(word, Schedule)
        bound = bind(mention, word)
        arguments = bound.call.arguments
        if LEVEL in variables(word.expression):
            return variable(self._plateau(mention, bound))
        written = arguments.get("length")
        if written is not None:
            length = self.steps(written, mention.span)
        else:
            length = rest if rest is not None else TOTAL_STEPS
        names = {"step": local, "length": length, "steps_per_epoch": STEPS_PER_EPOCH}
        for name, value in arguments.items():
            if name == "length":
                continue
            if isinstance(word.parameters[name], Length) and value is not None:
                names[name] = self.steps(value, mention.span)
            else:
                names[name] = constant(float(value))
        return substitute(word.expression, names)

    def _plateau(self, mention: Mention, bound: Bound) -> str:
        """The state that holds a plateau's number; equal plateaus share one."""
        given = bound.call.arguments
        patience = whole_epochs(given["patience"], mention)
        require_figure(given["metric"], bound.places.get("metric", mention.span))
        settings = given["metric"], patience, given["factor"], given["least"], given["threshold"]
        for known in self.plateaus:
            if settings == (known.metric, known.patience, known.factor, known.least,
                            known.threshold):  # fmt: skip
                return known.name
        name = f"{PLATEAU}[{len(self.plateaus) + 1}]"
        self.plateaus.append(Plateau(name, *settings, mention.span))
        return name

    def _chain(self, chain: Composite, local: Expression, rest: Expression | None) -> Expression:
        """`a -> b`: b runs when a's length is over, counted from there."""
        items = _flattened(chain)
        pieces: list[tuple[Expression, Expression]] = []
        start: Expression = constant(0.0)
        left = rest if rest is not None else TOTAL_STEPS
        for item in items[:-1]:
            length = self._length(item)
            if length is None:
                raise error(
                    "NN309",
                    "a schedule before another one needs a length",
                    getattr(item, "span", chain.span),
                    "when is it over?",
                    help="for instance `warmup(5 epochs) -> cosine`",
                )
            pieces.append((start + length, self._read(item, local - start, length)))
            start = start + length
        result = self._read(items[-1], local - start, left - start)
        for end, piece in reversed(pieces):
            result = where(local < end, piece, result)
        return result

    def _length(self, value: Any) -> Expression | None:
        """The written length of a schedule, in steps."""
        if isinstance(value, Mention):
            written = call_word(value, "schedule").arguments.get("length")
            return None if written is None else self.steps(written, value.span)
        if isinstance(value, Composite) and value.symbol != "->":
            left, right = self._length(value.left), self._length(value.right)
            return left if left is not None else right
        return None


def _flattened(chain: Composite) -> list[Any]:
    items: list[Any] = []
    value: Any = chain
    while isinstance(value, Composite) and value.symbol == "->":
        items.append(value.right)
        value = value.left
    return [value, *reversed(items)]


def _combined(symbol: str, left: Expression, right: Expression) -> Expression:
    if symbol == "+":
        return left + right
    if symbol == "-":
        return left - right
    if symbol == "*":
        return left * right
    return left / right if symbol == "/" else left**right
