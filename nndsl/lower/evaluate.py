"""Expressions: each gives a constant, a stage or a tensor, decided at compile time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower import constants
from nndsl.lower.calls import call_value, call_word, own_callable
from nndsl.lower.constants import Interval, Percent
from nndsl.lower.kinds import ARITHMETIC, combine, is_stage
from nndsl.lower.loss_calls import MASK
from nndsl.lower.members import member
from nndsl.lower.names import unknown_name
from nndsl.lower.problems import PoisonedError
from nndsl.lower.provenance import given_of, require_even
from nndsl.lower.scopes import Scope
from nndsl.lower.sources import arrays_of
from nndsl.lower.stages import Chain, Parallel, as_stage
from nndsl.lower.tensors import negate
from nndsl.lower.values import (
    Composite,
    DataSource,
    Given,
    Group,
    Mention,
    Namespace,
    Part,
    Shape,
    Table,
    Tensor,
    Unknown,
    is_tensor,
    kind_of,
    tensors_of,
)
from nndsl.lower.words import (
    is_stage_word,
    shown,
    sorts_of,
    unknown_stage,
    unknown_word,
)
from nndsl.params import TimeLength
from nndsl.syntax import tree
from nndsl.vocab.registry import registries


def evaluate(expression: tree.Expression, scope: Scope, *, waiting: bool = False) -> Any:
    """The value of an expression. `waiting`: right of an arrow, a call waits for the flow."""
    value = _EVALUATORS[type(expression)](expression, scope, waiting)
    return value if scope.objective is None else scope.objective.tensor(value)


def _base(expression: tree.Expression, scope: Scope) -> Any:
    """What stands before a dot or an index: a part of a net is not a tensor there yet."""
    return _EVALUATORS[type(expression)](expression, scope, False)


def _name(expression: tree.Name, scope: Scope, waiting: bool) -> Any:
    own = scope.lookup(expression.name)
    if own is not None:
        return own
    if expression.name in ("true", "false"):
        return expression.name == "true"
    return Mention(expression.name, expression.span, None, (), scope.defaults, scope)


def _number(expression: tree.Number, scope: Scope, waiting: bool) -> Any:
    return Percent(expression.value) if expression.percent else expression.value


def _quantity(expression: tree.Quantity, scope: Scope, waiting: bool) -> Any:
    return TimeLength(float(expression.value), expression.unit)


def _dimensions(expression: tree.Dimensions, scope: Scope, waiting: bool) -> Any:
    return Shape(_sizes(expression.sizes, scope))


def _sizes(sizes: Sequence[int | str], scope: Scope) -> tuple[int | str, ...]:
    found: list[int | str] = []
    for size in sizes:
        own = scope.lookup(size) if isinstance(size, str) else None
        found.append(own if isinstance(own, int) else size)
    return tuple(found)


def _string(expression: tree.String, scope: Scope, waiting: bool) -> Any:
    return expression.value


# --- lists and tuples -----------------------------------------------------------------------


def _list(expression: tree.ListOf, scope: Scope, waiting: bool) -> Any:
    if any(item.name is not None for item in expression.items):
        return _table(expression, scope)
    values = [evaluate(item.value, scope, waiting=waiting) for item in expression.items]
    if not scope.recipe and any(is_stage(v) for v in values):
        items = tuple(
            v if isinstance(v, Tensor | Group) else as_stage(v, scope, item.span)
            for v, item in zip(values, expression.items, strict=True)
        )
        return Parallel(expression.span, items, tuple(values))
    if values and all(is_tensor(v) for v in values):
        return Group(tuple(t for v in values for t in tensors_of(v)))
    if any(is_tensor(v) for v in values):
        other = next(i for v, i in zip(values, expression.items, strict=True) if not is_tensor(v))
        value = next(v for v in values if not is_tensor(v))
        if isinstance(value, Mention):
            raise unknown_stage(value, scope.visible())
        raise error(
            "NN202", "a list holds tensors and stages, or constants, not both", other.span,
            f"{shown(value)} is a constant",
        )  # fmt: skip
    return values


def _table(expression: tree.ListOf, scope: Scope) -> Table:
    items: dict[str, Any] = {}
    for item in expression.items:
        if item.name is None:
            raise error("NN311", "a table names every item", item.span, help="[no=1, yes=3]")
        if item.name in items:
            raise error("NN302", f"`{item.name}` is given twice", item.name_span)
        items[item.name] = evaluate(item.value, scope)
    return Table(items)


def _tuple(expression: tree.TupleOf, scope: Scope, waiting: bool) -> Any:
    values = [evaluate(item, scope) for item in expression.items]
    if values and all(isinstance(v, Tensor) for v in values):
        names = tuple(
            item.name if isinstance(item, tree.Name) else None for item in expression.items
        )
        return Group(tuple(values), names)
    for value, item in zip(values, expression.items, strict=True):
        if isinstance(value, Mention) and not scope.recipe and not sorts_of(value.name):
            raise unknown_word(value, (), scope.visible())
        if is_stage(value) and not scope.recipe:
            raise error(
                "NN202",
                "stages side by side stand in brackets, not in parentheses",
                item.span,
                "this is a stage",
                help=f"[{expression.span.text.strip('()')}]",
            )
    return tuple(values)


# --- calls ----------------------------------------------------------------------------------


def _call(expression: tree.Call, scope: Scope, waiting: bool) -> Any:
    given, operands = _arguments(expression.arguments, scope)
    function = expression.function
    if isinstance(function, tree.Name):
        value = own_callable(function, scope)
        if value is None:
            return call_word(function, expression.span, given, operands, scope, waiting)
    else:
        value = evaluate(function, scope)
    return call_value(value, expression.span, given, operands, scope, waiting)


def _arguments(
    arguments: Sequence[tree.Argument], scope: Scope
) -> tuple[tuple[Given, ...], tuple[Tensor, ...]]:
    """Arguments and operands: tensors without a name are operands."""
    given: list[Given] = []
    operands: list[Tensor] = []
    failed = False
    for argument in arguments:
        with scope.problems.caught() as outcome:
            value = evaluate(argument.value, scope)
        if outcome.failed:
            failed = True
        elif is_tensor(value) and argument.name is None:
            operands.extend(tensors_of(value))
        elif is_tensor(value) and argument.name != MASK:
            raise error(
                "NN202",
                f"`{argument.name}` is a setting and takes a constant, this is a tensor",
                argument.span,
                help="tensors stand first, without a name",
            )
        else:
            given.append(given_of(argument, value, scope))
    if failed:
        raise PoisonedError
    return tuple(given), tuple(operands)


# --- arrows, choices, operators -------------------------------------------------------------


def _pipe(expression: tree.Pipe, scope: Scope, waiting: bool) -> Any:
    first, rest = _flattened(expression)
    with scope.problems.caught() as outcome:
        current = evaluate(first, scope, waiting=waiting)
    for right in rest:
        with scope.problems.caught() as step:
            value = evaluate(right, scope, waiting=True)
            if outcome.failed:
                _checked_stage(value, scope, right.span)
            else:
                current = _joined(current, value, expression.span, right, scope)
        outcome.failed = outcome.failed or step.failed
    if outcome.failed:
        raise PoisonedError
    return current


def _flattened(expression: tree.Pipe) -> tuple[tree.Expression, list[tree.Expression]]:
    rest: list[tree.Expression] = []
    current: tree.Expression = expression
    while isinstance(current, tree.Pipe):
        rest.append(current.right)
        current = current.left
    return current, rest[::-1]


def _checked_stage(value: Any, scope: Scope, span: Span) -> None:
    """Check a stage's own name and arguments where its input has failed already."""
    if isinstance(value, Mention) and not scope.recipe:
        as_stage(value, scope, span)


def _joined(left: Any, right: Any, span: Span, written: tree.Expression, scope: Scope) -> Any:
    if _composes(left, right, scope):
        return Composite("->", left, right, span)
    if is_tensor(right):
        raise error(
            "NN202",
            "the right side of `->` is a tensor; an arrow leads into a stage",
            written.span,
            "this is a tensor",
            help="to combine tensors write `a + b`, `[a, b] -> concat` or `(a, b) -> f`",
        )
    if is_tensor(left):
        assert scope.elaboration is not None  # tensors exist only while a graph is made
        return as_stage(right, scope, written.span).apply(scope.elaboration, tensors_of(left))
    if scope.recipe and not is_stage(left):
        before_arrow = span.source.text[span.start : written.span.start].rstrip("-> \n")
        raise error(
            "NN309",
            f"`->` joins words such as schedules here, and this is {shown(left)}",
            Span(span.source, span.start, span.start + len(before_arrow)),
            help="for instance `warmup(10%) -> cosine`",
        )
    with scope.problems.caught() as first:  # both sides may be wrong, each in its own way
        before = as_stage(left, scope, span)
    stage = as_stage(right, scope, written.span)
    if first.failed:
        raise PoisonedError
    stages = before.stages if isinstance(before, Chain) else (before,)
    return Chain(span, (*stages, stage))


def _composes(left: Any, right: Any, scope: Scope) -> bool:
    """Whether an arrow composes words that are no stages, such as schedules."""
    sides = (left, right)
    if any(isinstance(side, Composite) for side in sides):
        return True
    if not all(isinstance(side, Mention) and not side.operands for side in sides):
        return False
    if scope.recipe:
        return True
    return all(sorts_of(side.name) and not is_stage_word(side.name) for side in sides)


def _choose(expression: tree.Choose, scope: Scope, waiting: bool) -> Any:
    condition = evaluate(expression.condition, scope)
    holds = constants.truth(condition, expression.condition.span)
    return evaluate(expression.then if holds else expression.otherwise, scope, waiting=waiting)


def _binary(expression: tree.Binary, scope: Scope, waiting: bool) -> Any:
    symbol = expression.operator
    if symbol in ("and", "or"):
        return _logic(expression, scope)
    inherits = waiting and symbol in ARITHMETIC
    left = evaluate(expression.left, scope, waiting=inherits)
    right = evaluate(expression.right, scope, waiting=inherits)
    if symbol == "..":
        return _interval(left, right, expression.span)
    require_even(expression.left, left, scope)
    require_even(expression.right, right, scope)
    _lint_scaled_chain(expression, left, right, scope)
    if symbol not in ARITHMETIC and not is_tensor(left) and not is_tensor(right):
        _check_compared(left, right, scope)
        return constants.combine(symbol, left, right, expression.span)
    return combine(symbol, left, right, expression.span, scope)


def _check_compared(left: Any, right: Any, scope: Scope) -> None:
    """A misspelt name on one side of a comparison is a mistake, not a word of its own."""
    both_words = isinstance(left, Mention) and isinstance(right, Mention)
    for side in (left, right):
        unknown = isinstance(side, Mention) and not sorts_of(side.name)
        if unknown and (side.given is not None or not both_words):
            raise unknown_word(side, tuple(registries()), scope.visible())


def _interval(low: Any, high: Any, span: Span) -> Any:
    if isinstance(low, Unknown) or isinstance(high, Unknown):
        return low if isinstance(low, Unknown) else high
    if not (constants.is_number(low) and constants.is_number(high)):
        raise error("NN316", "`..` stands between two numbers", span, "for instance `1..5`")
    return Interval(low, high)


def _logic(expression: tree.Binary, scope: Scope) -> Any:
    left = evaluate(expression.left, scope)
    if isinstance(left, Mention | Composite | TimeLength):
        right = evaluate(expression.right, scope)
        return Composite(expression.operator, left, right, expression.span)
    if constants.truth(left, expression.left.span) == (expression.operator == "or"):
        return expression.operator == "or"
    return constants.truth(evaluate(expression.right, scope), expression.right.span)


def _lint_scaled_chain(expression: tree.Binary, left: Any, right: Any, scope: Scope) -> None:
    """`(x -> dense(4)) * 3` multiplies numbers; the reader may expect three layers."""
    whole = isinstance(right, int) and not isinstance(right, bool) and right > 1
    is_chain = isinstance(left, Tensor) and isinstance(expression.left, tree.Pipe)
    if expression.operator == "*" and whole and is_chain:
        scope.problems.lint(
            "NN805",
            f"this multiplies every number by {right}; it does not repeat the stages",
            expression.span,
            "the chain starts with a tensor, so it is a tensor",
            help=f"to repeat write `x -> (stages) * {right}`; to multiply `{right}.0 *`",
        )


def _unary(expression: tree.Unary, scope: Scope, waiting: bool) -> Any:
    value = evaluate(expression.operand, scope)
    if expression.operator == "not":
        return not constants.truth(value, expression.operand.span)
    if isinstance(value, Composite | Mention) and not is_stage(value):
        return Composite("-", 0, value, expression.span)
    if isinstance(value, Tensor):
        assert scope.elaboration is not None  # tensors exist only while a graph is made
        return negate(scope.elaboration, value, expression.span)
    if is_stage(value) or is_tensor(value):
        raise error("NN202", f"`-` before {kind_of(value)}", expression.span)
    return constants.negated(value, expression.span)


# --- members --------------------------------------------------------------------------------


def _index(expression: tree.Index, scope: Scope, waiting: bool) -> Any:
    base = _base(expression.base, scope)
    indices = [evaluate(item.value, scope) for item in expression.indices]
    if isinstance(base, Part) and len(indices) == 1 and isinstance(indices[0], int):
        last = base.query[-1][0]
        return Part(base.net, (*base.query[:-1], (last, indices[0])), expression.span)
    if is_tensor(base) or is_stage(base):
        if not isinstance(base, Mention):
            raise error("NN202", f"{kind_of(base)} cannot be indexed", expression.span)
        arguments = ", ".join(item.span.text for item in expression.indices)
        raise error(
            "NN202",
            f"`{base.name}` is a word and cannot be indexed",
            expression.span,
            help=f"arguments stand in parentheses: `{base.name}({arguments})`",
        )
    return constants.element(base, indices, expression.span)


def _field(expression: tree.Field, scope: Scope, waiting: bool) -> Any:
    base = _base(expression.base, scope)
    if isinstance(base, Mention):
        raise _unknown_base(base, scope)
    if isinstance(base, Namespace):
        return _imported(base, expression, scope)
    if isinstance(base, DataSource) and scope.objective is not None:
        tensor = scope.objective.column(base, expression)
        if tensor is not None:
            return tensor
    if isinstance(base, DataSource):
        found = arrays_of(base, expression.name, expression, scope)
        if found is not None:
            return found
    return member(base, expression, scope)


def _unknown_base(base: Mention, scope: Scope) -> NndslError:
    return unknown_name(
        "NN301", f"nothing is called `{base.name}`", base.name, scope.visible(), base.span
    )


def _imported(base: Namespace, expression: tree.Field, scope: Scope) -> Any:
    value = base.scope.lookup(expression.name)
    if value is None:
        raise unknown_name(
            "NN301",
            f"`{base.name}` has nothing called `{expression.name}`",
            expression.name,
            base.scope.visible(),
            expression.name_span,
        )
    return value


_EVALUATORS: dict[type, Callable[[Any, Scope, bool], Any]] = {
    tree.Name: _name,
    tree.Number: _number,
    tree.Quantity: _quantity,
    tree.Dimensions: _dimensions,
    tree.String: _string,
    tree.ListOf: _list,
    tree.TupleOf: _tuple,
    tree.Call: _call,
    tree.Pipe: _pipe,
    tree.Choose: _choose,
    tree.Binary: _binary,
    tree.Unary: _unary,
    tree.Index: _index,
    tree.Field: _field,
}
