"""The rules of the three kinds: what `+ - * /` mean between constants, stages and tensors."""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower import constants
from nndsl.lower.elaboration import MOST_STAGES, too_many_stages
from nndsl.lower.problems import NeedsDataError
from nndsl.lower.scopes import Scope
from nndsl.lower.stages import Combination, Repeat, as_stage
from nndsl.lower.tensors import arithmetic
from nndsl.lower.values import (
    Composite,
    Definition,
    Group,
    Mention,
    Stage,
    Tensor,
    Unknown,
    is_tensor,
)
from nndsl.lower.words import is_stage_word, shown, sorts_of, unknown_stage

ARITHMETIC = ("+", "-", "*", "/", "^")


def is_stage(value: Any) -> bool:
    """A stage, a block or net by its name, or a layer or activation by its word."""
    if isinstance(value, Mention):
        return is_stage_word(value.name)
    return isinstance(value, Stage | Definition)


def combine(symbol: str, left: Any, right: Any, span: Span, scope: Scope) -> Any:
    """`left symbol right` by the table of the three kinds."""
    if _is_open(left, scope) or _is_open(right, scope):
        return Composite(symbol, left, right, span)
    for side in (left, right):
        if isinstance(side, Mention) and not is_stage(side):
            raise unknown_stage(side, scope.visible())
    if is_stage(left) or is_stage(right):
        return _with_stage(symbol, left, right, span, scope)
    if is_tensor(left) or is_tensor(right):
        return _with_tensor(symbol, left, right, span, scope)
    return constants.combine(symbol, left, right, span)


def _is_open(value: Any, scope: Scope) -> bool:
    """A word (or a composition of words) whose meaning its user will settle."""
    if isinstance(value, Composite):
        return True
    if isinstance(value, Mention):
        if value.operands:
            return False
        return scope.recipe or (not is_stage_word(value.name) and bool(sorts_of(value.name)))
    return scope.recipe and isinstance(value, Definition)


def _with_stage(symbol: str, left: Any, right: Any, span: Span, scope: Scope) -> Stage:
    if is_tensor(left) or is_tensor(right):
        raise _tensor_and_stage(symbol, left, right, span)
    if is_stage(left) and is_stage(right):
        if symbol not in ("+", "-", "*", "/"):
            raise error("NN202", f"`{symbol}` does not combine two stages", span)
        return Combination(span, symbol, as_stage(left, scope), as_stage(right, scope))
    if symbol == "*" and is_stage(left):
        return _repeat(left, right, span, scope)
    number, stage_first = (right, True) if is_stage(left) else (left, False)
    raise error(
        "NN202",
        f"`{symbol}` between a {'stage and a constant' if stage_first else 'constant and a stage'}",
        span,
        f"{shown(number)} is a constant, the other side a stage",
        help=_stage_help(symbol, number, stage_first),
    )


def _stage_help(symbol: str, number: Any, stage_first: bool) -> str:
    if symbol == "*" and not stage_first and isinstance(number, int):
        return f"to repeat with fresh weights write `stage * {number}`"
    return "only `stage * n` with a whole n stands for something: n repeats with fresh weights"


def _repeat(left: Any, count: Any, span: Span, scope: Scope) -> Stage:
    if isinstance(count, Unknown):
        raise NeedsDataError(count.name, span)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise error(
            "NN202",
            f"a stage is repeated a whole number of times, not {shown(count)}",
            span,
            "`stage * n` repeats it with fresh weights",
            help="to multiply what it gives, add `-> scale(...)`" if _fraction(count) else (),
        )
    stage = as_stage(left, scope)
    total = stage.cost() * count
    if total > MOST_STAGES:
        raise too_many_stages(total, span)
    return Repeat(span, stage, count)


def _fraction(count: Any) -> bool:
    return constants.is_number(count) and not isinstance(count, int)


def _tensor_and_stage(symbol: str, left: Any, right: Any, span: Span) -> NndslError:
    stage = right if is_stage(right) else left
    written = getattr(stage, "span", span).text
    before, _, after = (text.strip() for text in span.text.partition(symbol))
    first = before if before.isidentifier() else "x"
    help = f"add parentheses: `{first} {symbol} ({first} -> {_short(written)})`"
    if is_stage(left):
        help = f"add parentheses: `(... -> {_short(written)}) {symbol} {_short(after)}`"
    return error(
        "NN202",
        f"`{symbol}` between a tensor and a stage",
        span,
        f"`{_short(written)}` is a stage: it has no input yet",
        help=help,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."


def _with_tensor(symbol: str, left: Any, right: Any, span: Span, scope: Scope) -> Tensor:
    assert scope.elaboration is not None  # tensors exist only while a graph is made
    for side in (left, right):
        if isinstance(side, Group):
            raise error(
                "NN202",
                f"`{symbol}` takes one tensor on each side, this is {len(side.tensors)} tensors",
                span,
                help="join them with `-> concat`, or name one of them",
            )
    return arithmetic(scope.elaboration, symbol, left, right, span)
