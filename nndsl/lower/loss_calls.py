"""Losses as words on tensors: `mse(a, b)`, `bce(x, 1)`, `cross_entropy(a, b, where=mask)`.

In `loss = mse` the word waits for an output and its target. Called on tensors it is complete: one
number, the mean over the rows (and over the numbers of each), for `minimize` and for blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import ElementType, format_shape
from nndsl.lower.constants import is_number
from nndsl.lower.elaboration import Elaboration, Judgement
from nndsl.lower.endings import ending_of, logits_before
from nndsl.lower.scopes import Scope
from nndsl.lower.tensors import as_real, reshaped
from nndsl.lower.values import Given, Mention, NetLike, Tensor
from nndsl.lower.words import bind, shown
from nndsl.ops.classes import OneHot
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.functions import maximum
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Loss
from nndsl.vocab.registry import WordCall, words

MASK = "where"
"""The argument of a loss that says at which places it counts."""


def is_loss(name: str) -> bool:
    """Whether a word is a loss."""
    return name in words("loss")


@dataclass(frozen=True)
class _Call:
    """A loss with what it is called on; `target` is a number where one was written."""

    loss: Loss
    call: WordCall
    output: Tensor
    target: Tensor | float
    mask: Tensor | None
    span: Span


def loss_of(
    name: str, span: Span, given: Sequence[Given], operands: Sequence[Tensor], scope: Scope
) -> Tensor:
    """The loss of a tensor against another, or against a number: one number.

    Errors: NN205 for another number of tensors, NN203 where shapes differ, NN306 where a loss of
    classes gets numbers.
    """
    assert scope.elaboration is not None  # tensors exist only while a graph is made
    called = _read(name, span, given, operands, scope)
    elaboration = scope.elaboration
    with elaboration.at_span(span):
        try:
            each = _each(elaboration, called)
            value = _mean(elaboration, each, called)
        except ShapeError as refusal:
            raise _refused(called, refusal) from None
    return Tensor(value, span, "one number here")


def _read(
    name: str, span: Span, given: Sequence[Given], operands: Sequence[Tensor], scope: Scope
) -> _Call:
    rest = list(given)
    net = next((g for g in rest if isinstance(g.value, NetLike)), None)
    if net is not None:
        title = f"`{name}` compares tensors, and `{net.value.name}` is a net"
        raise error("NN324", title, net.span, help=f"its answer is `{net.value.name}.output`")
    target: Tensor | float | None = operands[1] if len(operands) == 2 else None
    first = next((g for g in rest if g.name is None), None)
    if len(operands) == 1 and first is not None and is_number(first.value):
        target = float(first.value)
        rest.remove(first)
    if target is None:
        raise error(
            "NN205",
            f"`{name}` compares two tensors, here {'is one' if len(operands) == 1 else 'are '}"
            f"{'' if len(operands) == 1 else len(operands)}",
            span,
            help=f"{name}(prediction, target), where the target may be a number",
        )
    mask = next((g for g in rest if g.name == MASK), None)
    if mask is not None:
        rest.remove(mask)
        if not isinstance(mask.value, Tensor):
            title = f"`where` takes a tensor that says which places count, not {shown(mask.value)}"
            raise error("NN304", title, mask.span, help=f"{name}(a, b, where=mask > 0)")
    word = words("loss")[name]
    assert isinstance(word, Loss)
    call = bind(Mention(name, span, tuple(rest), (), scope.defaults, scope), word).call
    if call.arguments.get("weights") is not None:
        title = "`weights` are for the classes of a target: they stand in `loss = ...`"
        raise error("NN309", title, span, help="multiply: `0.3 * bce(...)`")
    return _Call(word, call, operands[0], target, mask.value if mask is not None else None, span)


def _each(elaboration: Elaboration, called: _Call) -> Value:
    """The loss of each number, or of each row for losses of rows."""
    prediction = _prediction(elaboration, called)
    if called.loss.rows is not None:
        target = called.target
        if not isinstance(target, Tensor):
            raise _no_classes(called, "a number")
        _judge(elaboration, called, target)
        if called.loss.targets == "classes" and target.value.type.element is not ElementType.INDEX:
            raise _no_classes(called, "numbers")
        numbers = target.value
        if called.loss.targets == "shares":
            numbers = _as_numbers(elaboration, called, target)
        return called.loss.rows(elaboration.build, prediction, numbers, called.call.arguments)
    return _scalar(elaboration, called, prediction)


def _scalar(elaboration: Elaboration, called: _Call, prediction: Value) -> Value:
    assert called.loss.expression is not None
    operands = [prediction]
    names: dict[str, Expression] = {"y": operand(0)}
    if isinstance(called.target, Tensor):
        _judge(elaboration, called, called.target)
        numbers = _as_numbers(elaboration, called, called.target)
        if called.loss.targets == "signs" and numbers is not called.target.value:
            numbers = add_map(elaboration.build, 2 * operand(0) - 1, numbers, name="signs")
        operands.append(numbers)
        names["t"] = operand(1)
    else:
        names["t"] = constant(called.target)
    arguments = {n: v for n, v in called.call.arguments.items() if n != "weights"}
    names |= {n: constant(float(v)) for n, v in arguments.items()}
    formula = substitute(called.loss.expression, names)
    each = add_map(elaboration.build, formula, *operands, name=called.loss.name)
    if called.loss.over == "sum":
        axes = tuple(range(1, each.type.rank))
        each = elaboration.build.add(Reduce("sum", axes), each, name=called.loss.name)
    return each


def _prediction(elaboration: Elaboration, called: _Call) -> Value:
    """What the loss looks at: the logits, where it undoes the activation at the end."""
    joint = called.loss.joint
    last = ending_of(elaboration, called.output.value)
    if not joint or last is None or last.word != joint:
        return called.output.value
    return logits_before(elaboration, last)


def _judge(elaboration: Elaboration, called: _Call, target: Tensor) -> None:
    mask = called.mask.value if called.mask is not None else None
    judgement = Judgement(called.output.value, target.value, called.call, mask)
    elaboration.judged.append(judgement)


def _as_numbers(elaboration: Elaboration, called: _Call, target: Tensor) -> Value:
    """The target as numbers of the prediction's shape: of classes one-hot rows."""
    value, wanted = target.value, called.output.value.type.shape
    if value.type.element is ElementType.INDEX and value.type.rank == len(wanted) - 1:
        width = wanted[-1]
        if width == 1:
            value = reshaped(elaboration, value, wanted)
        elif isinstance(width, int):
            return elaboration.build.add(OneHot(width), value, name="one_hot")
    if value.type.shape != wanted:
        raise _differ(called, target)
    return as_real(elaboration, value)


def _mean(elaboration: Elaboration, each: Value, called: _Call) -> Value:
    """The mean over all numbers, or over those at the places of the mask."""
    if called.mask is None:
        return add_mean(elaboration.build, each)
    mask = as_real(elaboration, called.mask.value)
    rank = mask.type.rank
    if each.type.shape[:rank] != mask.type.shape:
        each_shape, mask_shape = format_shape(each.type.shape), format_shape(mask.type.shape)
        raise error(
            "NN203",
            f"the loss is of {each_shape} places, `where` of {mask_shape}",
            called.span,
            secondary=[(called.mask.span, called.mask.arose or f"{mask_shape} here")],
        )
    if each.type.rank > rank:
        each = add_mean(elaboration.build, each, tuple(range(rank, each.type.rank)))
    build, axes = elaboration.build, tuple(range(rank))
    counted = add_map(build, operand(0) * operand(1), each, mask, name="where")
    total = build.add(Reduce("sum", axes), counted, name="total")
    places = build.add(Reduce("sum", axes), mask, name="places")
    return add_map(build, operand(0) / maximum(operand(1), 1.0), total, places, name="mean")


# --- mistakes -------------------------------------------------------------------------------


def _differ(called: _Call, target: Tensor) -> NndslError:
    output = called.output
    a, b = (format_shape(t.value.type.shape) for t in (output, target))
    flat = len(output.shape) == 1 and len(target.shape) > 1
    images = len(target.shape) == 1 and len(output.shape) > 1
    remedy = ""
    if flat and target.span is not None:
        remedy = f"{target.span.text} -> flatten"
    elif images and output.span is not None:
        remedy = f"{output.span.text} -> flatten"
    places = [
        (tensor.span, tensor.arose or f"{shape} here")
        for tensor, shape in ((output, a), (target, b))
        if tensor.span is not None and tensor.span != called.span
    ]
    return error(
        "NN203",
        f"`{called.loss.name}` compares {a} with {b}: shapes differ",
        called.span,
        "both must have the same shape",
        secondary=places,
        help=remedy or (),
    )


def _no_classes(called: _Call, found: str) -> NndslError:
    return error(
        "NN306",
        f"`{called.loss.name}` needs the number of a class for each row, here are {found}",
        called.span,
        help="mse(a, b) compares numbers, bce(a, b) shares",
    )


def _refused(called: _Call, refusal: ShapeError) -> NndslError:
    both = [called.output, *([called.target] if isinstance(called.target, Tensor) else [])]
    return error(
        refusal.code if refusal.code == "NN203" else "NN306",
        f"`{called.loss.name}` does not go with these tensors: {refusal.title}",
        called.span,
        secondary=[(t.span, t.arose) for t in both if t.span is not None and t.arose],
        help=refusal.help or (),
    )
