"""Stages: what takes the flow. Each kind says what it adds to the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import format_type
from nndsl.lower.elaboration import Elaboration, Path, StageContext
from nndsl.lower.problems import require_known
from nndsl.lower.result import Inferred, Part
from nndsl.lower.scopes import Scope
from nndsl.lower.stage_text import with_values
from nndsl.lower.tensors import arithmetic
from nndsl.lower.values import (
    Definition,
    Given,
    Group,
    Mention,
    Stage,
    Tensor,
    kind_of,
    tensors_of,
)
from nndsl.lower.words import bind, shown, stage_word, unknown_stage
from nndsl.ops.map import Map
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Activation, Layer, SeveralBuild
from nndsl.vocab.registry import Word


def as_stage(value: Any, scope: Scope, span: Span | None = None) -> Stage:
    """A value as a stage: a stage itself, a word, a block or net by its name; else an error."""
    if isinstance(value, Stage):
        return value
    if isinstance(value, Definition):
        return value.stage((), (), span or value.name_span, scope.defaults)
    if isinstance(value, Mention):
        word = stage_word(value.name)
        if word is None:
            raise unknown_stage(value, scope.visible())
        bound = bind(value, word)
        return WordStage(value.span, word, bound.call.arguments, value.operands, bound.places,
                         bound.from_defaults, value.given or ())  # fmt: skip
    raise error(
        "NN206",
        f"a stage is needed here, this is {kind_of(value)}",
        span,
        f"{shown(value)} takes no input",
        help=_COLUMNS_HINT if _are_names(value) else (),
    )


_COLUMNS_HINT = "columns are chosen in `data`: `input x = [first, second]`"


def _are_names(value: Any) -> bool:
    """Whether a value is a list of words that nothing is called: columns, most likely."""
    return isinstance(value, list | tuple) and all(isinstance(item, Mention) for item in value)


@dataclass(eq=False)
class WordStage(Stage):
    """A layer or an activation with its arguments; `operands` are tensors beside the flow."""

    span: Span
    word: Word
    arguments: Mapping[str, Any]
    operands: tuple[Tensor, ...] = ()
    places: Mapping[str, Span] = field(default_factory=dict)
    from_defaults: Mapping[str, Span] = field(default_factory=dict)
    given: tuple[Given, ...] = ()

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """One part of the network: its nodes, its learnt arrays, its name."""
        elaboration.count_stage(self.span)
        inputs = (*operands, *self.operands)
        self._check_count(len(inputs))
        if isinstance(self.word, Layer) and self.word.several is not None:
            return self._several(self.word.several, elaboration, inputs)
        with elaboration.inside(self.word.name) as path, elaboration.at_span(self.span):
            context = StageContext(elaboration, self.span, self.places)
            try:
                value = self._build(context, [t.value for t in inputs])
            except ShapeError as refusal:
                used = (elaboration.drafts[name].shape for name in context.made)
                require_known((size for shape in used for size in shape), self.span)
                raise self._refused(refusal, inputs) from None
            elaboration.keep_mask((t.value for t in inputs), value)
            elaboration.add_part(self._part(elaboration, path, inputs, value, context.made))
            self._say_defaults(elaboration, path)
        remarks = "".join(f" ({text})" for text in context.remarks)
        before = f"{_shapes(inputs)} -> " if inputs else ""
        arose = f"{before}{_shape(value)} here{remarks}"
        made = Tensor(value, self.span, arose, context.keeping)
        keeps = isinstance(self.word, Activation) or getattr(self.word, "transparent", False)
        if not keeps or len(made.shape) < 2 or made.shape != inputs[0].shape:
            return made
        return replace(made, sized=inputs[0].sized or inputs[0])

    def _several(
        self, make: SeveralBuild, elaboration: Elaboration, inputs: Sequence[Tensor]
    ) -> Group:
        """A part of the network for each of several results."""
        with elaboration.at_span(self.span):
            context = StageContext(elaboration, self.span, self.places)
            try:
                values = make(context, [t.value for t in inputs], self.arguments)
            except ShapeError as refusal:
                raise self._refused(refusal, inputs) from None
        made = []
        for value in values:
            with elaboration.inside(self.word.name) as path:
                elaboration.keep_mask((t.value for t in inputs), value)
                elaboration.add_part(self._part(elaboration, path, inputs, value, context.made))
            arose = f"{_shapes(inputs)} -> {' and '.join(map(_shape, values))} here"
            made.append(Tensor(value, self.span, arose))
        return Group(tuple(made))

    def _say_defaults(self, elaboration: Elaboration, path: Path) -> None:
        """Which arguments came from a `defaults` line, for `show defaults`."""
        for name, line in self.from_defaults.items():
            elaboration.inferred.append(
                Inferred(
                    f"{'.'.join(path)} {name}",
                    self.places[name].text,
                    f"`defaults {self.word.name}` at line {line.line}",
                    self.span,
                )
            )

    def _build(self, context: StageContext, values: Sequence[Value]) -> Value:
        if isinstance(self.word, Activation):
            names: dict[str, Expression] = {"x": variable("x0")}
            names |= {n: constant(float(v)) for n, v in self.arguments.items()}
            function = Map((substitute(self.word.expression, names),))
            return context.build.add(function, *values, name=self.word.name)
        assert isinstance(self.word, Layer) and self.word.make is not None
        return self.word.make(context, values, self.arguments)

    def _check_count(self, count: int) -> None:
        least, most = self.word.operands if isinstance(self.word, Layer) else (1, 1)
        if count < least or (most is not None and count > most):
            wanted = str(least) if least == most else f"{least} {_most(least, most)}"
            raise error(
                "NN205",
                f"`{self.word.name}` takes {wanted} tensor{'' if wanted == '1' else 's'}, "
                f"here are {count}",
                self.span,
                help="join them with `-> concat` first" if most == 1 and count > 1 else (),
            )

    def _part(
        self,
        elaboration: Elaboration,
        path: Path,
        inputs: Sequence[Tensor],
        value: Value,
        made: list[str],
    ) -> Part:
        return Part(
            path=".".join(path),
            word=self.word.name,
            text=" ".join(self.span.text.split()),
            parent=".".join(elaboration.blocks),
            inputs=tuple(t.value for t in inputs),
            output=value,
            parameters=tuple(made),
            span=self.span,
            shown=with_values(self.word.name, self.span, self.given),
        )

    def _refused(self, refusal: ShapeError, inputs: Sequence[Tensor]) -> NndslError:
        require_known((size for t in inputs for size in t.shape), self.span)
        places = {t.span: t.arose or f"{_shape(t.value)} here" for t in inputs if t.span}
        return error(
            refusal.code,
            refusal.title,
            self.span,
            f"gets {_shapes(inputs)}",
            secondary=[(place, text) for place, text in places.items() if place != self.span],
            help=refusal.help or _keeping_sizes(refusal, inputs),
        )


def _most(least: int, most: int | None) -> str:
    if most is None:
        return "or more"
    return f"or {most}" if most == least + 1 else f"to {most}"


def _keeping_sizes(refusal: ShapeError, inputs: Sequence[Tensor]) -> str | tuple[()]:
    """Where shapes differ: how the smaller of them would have kept its size."""
    sized = [t.sized or t for t in inputs] if refusal.code == "NN203" and len(inputs) > 1 else []
    shrunk = [t for t in sized if t.keeping and t.span is not None and t.span.text.endswith(")")]
    if not shrunk:
        return ()
    written = [f"`{t.span.text[:-1]}, {t.keeping})`" for t in shrunk if t.span is not None]
    return f"to keep the size, write {' and '.join(written[:2])}"


def _shape(value: Value) -> str:
    return format_type(value.type)


def _shapes(inputs: Sequence[Tensor]) -> str:
    return " and ".join(_shape(t.value) for t in inputs)


@dataclass(eq=False)
class Chain(Stage):
    """One stage after the other."""

    span: Span
    stages: tuple[Stage, ...]

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """The last one's result."""
        result: Tensor | Group = as_flow(operands)
        for stage in self.stages:
            result = stage.apply(elaboration, tensors_of(result))
        return result

    def cost(self) -> int:
        """The sum of its stages."""
        return sum(stage.cost() for stage in self.stages)


@dataclass(eq=False)
class Repeat(Stage):
    """`stage * n`: n times with fresh weights; 0 times is nothing."""

    span: Span
    stage: Stage
    count: int

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """The result of the last turn."""
        result: Tensor | Group = as_flow(operands)
        for _ in range(self.count):
            result = self.stage.apply(elaboration, tensors_of(result))
        return result

    def cost(self) -> int:
        """The stage's, n times."""
        return self.stage.cost() * self.count


@dataclass(eq=False)
class Parallel(Stage):
    """`[f, g, x]`: every stage on the flow, tensors as they are, side by side."""

    span: Span
    items: tuple[Stage | Tensor | Group, ...]
    written: tuple[Any, ...] = ()

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Group:
        """All results in the order written."""
        results: list[Tensor] = []
        for item in self.items:
            result = item.apply(elaboration, operands) if isinstance(item, Stage) else item
            results.extend(tensors_of(result))
        return Group(tuple(results))

    def cost(self) -> int:
        """The sum of its stages."""
        return sum(item.cost() for item in self.items if isinstance(item, Stage))


@dataclass(eq=False)
class Combination(Stage):
    """`f + g`: both on the same input, then combined."""

    span: Span
    symbol: str
    left: Stage
    right: Stage

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor:
        """Both results combined."""
        left, right = (
            _single(side.apply(elaboration, operands), self.symbol, self.span)
            for side in (self.left, self.right)
        )
        return arithmetic(elaboration, self.symbol, left, right, self.span)

    def cost(self) -> int:
        """Both sides'."""
        return self.left.cost() + self.right.cost()


def _single(result: Tensor | Group, symbol: str, span: Span) -> Tensor:
    if isinstance(result, Group):
        raise error(
            "NN202",
            f"`{symbol}` takes one tensor on each side, this is {len(result.tensors)} tensors",
            span,
            help="join them with `-> concat`",
        )
    return result


@dataclass(eq=False)
class Shared(Stage):
    """`share s = stage`: one set of weights, at the path of its line, however often used."""

    span: Span
    name: str
    stage: Stage
    path: Path

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """The stage on these operands, with the weights it has already if it was used."""
        with elaboration.shared(self.path):
            return self.stage.apply(elaboration, operands)

    def cost(self) -> int:
        """The stage's."""
        return self.stage.cost()


def as_flow(operands: Sequence[Tensor]) -> Tensor | Group:
    """One tensor alone, or several side by side."""
    return operands[0] if len(operands) == 1 else Group(tuple(operands))
