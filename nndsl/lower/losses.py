"""Losses: which one where none is written, how it meets the output, its nodes in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.ir.graph import Builder, Role, ShapeError, Value
from nndsl.ir.types import BATCH, ElementType, TensorType
from nndsl.lower.blocks import BlockDefinition
from nndsl.lower.checks import check_loss_with_output, check_plain_target, check_sizes
from nndsl.lower.constants import is_number
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import Elaborated
from nndsl.lower.outputs import Output
from nndsl.lower.result import Inferred
from nndsl.lower.scopes import Scope
from nndsl.lower.tensors import as_real, reshaped
from nndsl.lower.values import Composite, Mention, Tensor
from nndsl.lower.words import call_word, shown, without_quotes
from nndsl.ops.classes import OneHot
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import operand
from nndsl.ops.movement import Concat
from nndsl.ops.reduction import Reduce
from nndsl.ops.source import Constant
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.inspection import substitute
from nndsl.schema import Schema, TargetKind, TargetSchema
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Loss
from nndsl.vocab.layers.images import channels_first, channels_last
from nndsl.vocab.preprocessing import numbers_of
from nndsl.vocab.registry import WordCall, words


@dataclass(frozen=True)
class Term:
    """One summand of a loss: a number times a loss word or a block `(y, t)`."""

    coefficient: float
    loss: WordCall | BlockDefinition
    span: Span

    @property
    def name(self) -> str:
        """The word or the block's name."""
        return self.loss.name

    def text(self) -> str:
        """As people write it."""
        return self.name if self.coefficient == 1.0 else f"{self.coefficient:g} * {self.name}"


@dataclass
class Losses:
    """What is known of a training's losses: one sum of terms for each output."""

    terms: list[list[Term]]
    span: Span | None
    inferred: list[Inferred] = field(default_factory=list)


# --- as written -----------------------------------------------------------------------------


def read_losses(value: Any, count: int, span: Span, names: Sequence[str]) -> list[list[Term]]:
    """The setting `loss`: a sum of terms, or a tuple of them in the order of the outputs."""
    items = list(value) if isinstance(value, tuple) else [value]
    if len(items) == 1 and count > 1:
        items = items * count
    if len(items) != count:
        raise error(
            "NN320",
            f"{len(items)} losses for {counted(count, 'output')}",
            span,
            help=f"one for each of {', '.join(f'`{n}`' for n in names)}, in this order",
        )
    return [_terms(item, 1.0, span) for item in items]


def _terms(value: Any, factor: float, span: Span) -> list[Term]:
    if isinstance(value, BlockDefinition):
        _check_loss_block(value, span)
        return [Term(factor, value, span)]
    if isinstance(value, Mention):
        return [Term(factor, call_word(value, "loss"), value.span)]
    if isinstance(value, Composite):
        return _composite_terms(value, factor)
    raise error(
        "NN309",
        f"a loss is a word or a weighted sum of words, not {shown(value)}",
        span,
        help=without_quotes(value, "loss") or "for instance `loss = mse` or `bce + 0.1 * mae`",
    )


def _composite_terms(value: Composite, factor: float) -> list[Term]:
    left, right = value.left, value.right
    if value.symbol == "+":
        return [*_terms(left, factor, value.span), *_terms(right, factor, value.span)]
    if value.symbol == "-":
        first = [] if left == 0 and is_number(left) else _terms(left, factor, value.span)
        return [*first, *_terms(right, -factor, value.span)]
    if value.symbol == "*" and is_number(left):
        return _terms(right, factor * float(left), value.span)
    if value.symbol == "*" and is_number(right):
        return _terms(left, factor * float(right), value.span)
    if value.symbol == "/" and is_number(right) and right != 0:
        return _terms(left, factor / float(right), value.span)
    raise error(
        "NN309",
        f"`{value.symbol}` does not combine losses",
        value.span,
        help="losses are added, each times a number: `bce + 0.1 * mae`",
    )


def _check_loss_block(block: BlockDefinition, span: Span) -> None:
    if len(block.block.ports) != 2:
        raise error(
            "NN205",
            f"`{block.name}` cannot be a loss: a loss has two ports, the output and the target",
            span,
            secondary=[(block.name_span, "declared here")],
            help=f"block (y, t) -> {block.name} {{ ... }}",
        )


# --- inferred -------------------------------------------------------------------------------


def infer_loss(output: Output) -> tuple[Term, str]:
    """The loss that goes with a target and the end of the network, and why."""
    target = output.target
    if target.kind is TargetKind.NUMBERS:
        return _term("mse", output), f"`{target.name}` is a number"
    if output.ending == "step":
        return _term("perceptron", output), "`step` has no slope, what stands before it has"
    if output.width == 1 and len(target.classes) == 2:
        return _term("bce", output), f"`{target.name}` has two classes and the network one output"
    if output.ending == "sigmoid" and output.width == len(target.classes) > 2:
        raise error(
            "NN306",
            f"`sigmoid` gives {output.width} independent shares, but `{target.name}` is one of "
            f"{len(target.classes)} classes",
            output.span,
            "the shares need not add up to 1",
            help="softmax",
            notes=["shares that are meant to be independent: write `loss = bce`"],
        )
    why = f"`{target.name}` has {len(target.classes)} classes"
    return _term("cross_entropy", output), why


def _term(name: str, output: Output) -> Term:
    assert output.net_span is not None  # every net stands somewhere
    return Term(1.0, call(words("loss")[name]), output.net_span)


def class_weights(output: Output, given: Any, span: Span) -> list[float]:
    """A weight for each class of the output's target, 1 for those that a table leaves out."""
    target = output.target
    if target.kind is not TargetKind.CLASSES:
        raise error("NN306", f"`weights` are for classes, but `{target.name}` is a number", span)
    if isinstance(given, dict):
        for name in given:
            if name not in target.classes:
                title = f"`{target.name}` has no class `{name}`"
                raise unknown_name("NN301", title, name, target.classes, span)
        return [float(given.get(name, 1.0)) for name in target.classes]
    if len(given) != len(target.classes):
        raise error(
            "NN305",
            f"{len(given)} weights, but `{target.name}` has {len(target.classes)} classes",
            span,
            help=f"one for each of {', '.join(target.classes)}, in this order",
        )
    return [float(number) for number in given]


def _shifted_twice(output: Output, span: Span) -> NndslError:
    return error(
        "NN306",
        f"the target `{output.target.name}` stands one place later already: with `shift` the "
        "network would be asked for what comes after that",
        span,
        secondary=[(output.source.span, "a text with its target")] if output.source else [],
        help="loss = cross_entropy",
    )


# --- as nodes -------------------------------------------------------------------------------


class LossBuilder:
    """Adds targets and losses to an elaborated net."""

    def __init__(self, made: Elaborated, schema: Schema, scope: Scope, span: Span) -> None:
        self.made = made
        self.elaboration = made.elaboration
        self.build: Builder = made.elaboration.build
        self.scope = scope
        self.build.span, self.build.label = span, "loss"
        self.targets = {t.name: self._target(t) for t in schema.targets}

    def _target(self, target: TargetSchema) -> Value:
        if target.kind is TargetKind.CLASSES:
            type = TensorType((BATCH, *target.shape), ElementType.INDEX)
        elif target.shape:
            type = TensorType((BATCH, *target.shape))
        else:
            type = TensorType((BATCH, numbers_of(target.steps)))
        if target.name in self.build.graph.inputs:
            raise error(
                "NN306",
                f"the target `{target.name}` has the name of an input of the network",
                self.build.span,
                help=f'name it anew in the data: `let goal = "{target.name}"; target = goal`',
            )
        return self.build.input(target.name, type, Role.TARGET)

    def add(self, outputs: Sequence[Output], losses: Losses) -> Value:
        """The whole data loss: a REAL scalar, the mean over the batch's rows."""
        values: list[Value] = []
        weights: list[float] = []
        for output, terms in zip(outputs, losses.terms, strict=True):
            check_sizes(output)
            for term in terms:
                self.build.span = term.span
                values.append(self._term(output, term))
                weights.append(term.coefficient)
        return self._weighted(values, weights)

    def _weighted(self, values: Sequence[Value], weights: Sequence[float]) -> Value:
        if len(values) == 1 and weights[0] == 1.0:
            return values[0]
        total: Expression = constant(weights[0]) * operand(0)
        for index, weight in enumerate(weights[1:], 1):
            total = total + constant(weight) * operand(index)
        return add_map(self.build, total, *values, name="data_loss")

    def _term(self, output: Output, term: Term) -> Value:
        check_loss_with_output(output, term.name, term.span, self.scope.problems)
        if isinstance(term.loss, BlockDefinition):
            return self._block(output, term.loss, term.span)
        word = term.loss.word
        assert isinstance(word, Loss)
        prediction = output.prediction(word.joint)
        try:
            each = self._each(word, term.loss, prediction, output, term.span)
            weights = term.loss.arguments.get("weights")
            if weights is not None:
                each = self._weighed(each, output, weights, term.span)
            return add_mean(self.build, each)
        except ShapeError as refusal:
            raise self._refused(refusal, output, term) from None

    def _each(
        self, word: Loss, call: WordCall, prediction: Value, output: Output, span: Span
    ) -> Value:
        """The loss of each row, or of each number of the output where the mean is taken."""
        if word.targets in ("signs", "shares"):
            check_plain_target(output, word.name, span)
        if output.sequence and call.arguments.get("shift"):
            raise _shifted_twice(output, span)
        if word.rows is not None:
            shares = word.targets == "shares"
            target = self._numbers(output, prediction) if shares else self._classes(output)
            if output.pictures:  # rows of classes are the channels of each pixel
                prediction = channels_last(self.build, prediction)
                target = channels_last(self.build, target) if shares else target
            return word.rows(self.build, prediction, target, call.arguments)
        target = self._numbers(output, prediction)
        if word.targets == "signs" and output.target.kind is TargetKind.CLASSES:
            target = add_map(self.build, 2 * operand(0) - 1, target, name="signs")
        return self._scalar(word, call, prediction, target, output)

    def _classes(self, output: Output) -> Value:
        """The class of each row, of each pixel [N, height, width] or of each place [N, T]."""
        target = self.targets[output.target.name]
        if output.sequence:
            return target
        return reshaped(self.elaboration, target, (BATCH, *output.target.shape[1:]))

    def _weighed(self, each: Value, output: Output, given: Any, span: Span) -> Value:
        """The loss of each row (or pixel) times the weight of its class."""
        weights, classes = class_weights(output, given, span), self._classes(output)
        rank, count = classes.type.rank, len(weights)
        if each.type.rank > rank:
            each = add_mean(self.build, each, self._answer_axes(output, each))
        hot = self.build.add(OneHot(count), classes, name="one_hot")
        numbers = self.build.add(Constant(tuple(weights), (count,)), name="class_weights")
        picked = add_map(self.build, operand(0) * operand(1), hot, numbers, name="class_weight")
        weight = self.build.add(Reduce("sum", (rank,)), picked, name="row_weight")
        return add_map(self.build, operand(0) * operand(1), each, weight, name="weighed")

    def _refused(self, refusal: ShapeError, output: Output, term: Term) -> NndslError:
        return error(
            "NN306",
            f"the loss `{term.name}` does not fit the output: {refusal.title}",
            output.span or term.span,
            secondary=[(term.span, "the loss")],
        )

    def _answer_axes(self, output: Output, each: Value) -> tuple[int, ...]:
        """The axes of what is said of one row, one pixel (its channels) or one place."""
        if output.sequence:
            return (each.type.rank - 1,)
        return (1,) if output.pictures else tuple(range(1, each.type.rank))

    def _scalar(
        self, word: Loss, call: WordCall, prediction: Value, target: Value, output: Output
    ) -> Value:
        assert word.expression is not None
        names: dict[str, Expression] = {"y": operand(0), "t": operand(1)}
        numbers = {n: v for n, v in call.arguments.items() if n != "weights"}
        names |= {n: constant(float(v)) for n, v in numbers.items()}
        each = add_map(
            self.build, substitute(word.expression, names), prediction, target, name=word.name
        )
        if word.over == "sum":
            each = self.build.add(Reduce("sum", self._answer_axes(output, each)), each)
        return each

    def _numbers(self, output: Output, prediction: Value) -> Value:
        """The target as numbers of the prediction's shape."""
        if len(output.targets) > 1:
            columns = [as_real(self.elaboration, self.targets[t.name]) for t in output.targets]
            return self.build.add(Concat(1), *columns, name="targets")
        target = self.targets[output.target.name]
        if output.target.kind is TargetKind.NUMBERS:
            return target
        if output.width == 1:
            shape = (*output.target.shape, 1) if output.sequence else output.target.shape
            column = reshaped(self.elaboration, target, (BATCH, *(shape or (1,))))
            return as_real(self.elaboration, column)
        count = len(output.target.classes)
        hot = self.build.add(OneHot(count), self._classes(output), name="one_hot")
        return channels_first(self.build, hot, 2) if output.pictures else hot

    def _block(self, output: Output, block: BlockDefinition, span: Span) -> Value:
        """A loss of one's own: the mean of what the block gives, if it is not one number."""
        prediction = output.prediction("")
        target = self._numbers(output, prediction)
        stage = block.stage((), (), span, self.scope.defaults)
        y = Tensor(prediction, output.span, "the output")
        t = Tensor(target, span, "the target")
        result = stage.apply(self.elaboration, (y, t))
        if not isinstance(result, Tensor):
            raise error("NN206", f"the loss `{block.name}` gives several tensors", span)
        value = result.value
        return add_mean(self.build, value) if value.type.rank else value
