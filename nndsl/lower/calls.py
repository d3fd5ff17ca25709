"""Calls: words, blocks, nets on tensors or constants, functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nndsl.diagnostics import Span, error
from nndsl.lower import constants
from nndsl.lower.directions import both
from nndsl.lower.loss_calls import is_loss, loss_of
from nndsl.lower.names import not_yet
from nndsl.lower.problems import PoisonedError
from nndsl.lower.provenance import uneven
from nndsl.lower.scopes import Scope
from nndsl.lower.settle import settle
from nndsl.lower.sources import least_squares, matrix
from nndsl.lower.stages import as_stage
from nndsl.lower.tensors import ELEMENTWISE, REDUCTIONS, apply_function, reduce_all
from nndsl.lower.values import (
    POISON,
    Composite,
    DataSource,
    Definition,
    Given,
    Group,
    Mention,
    Part,
    Stage,
    Tensor,
    Unknown,
)
from nndsl.lower.words import is_stage_word, stage_word, unknown_word
from nndsl.syntax import tree
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import registries


def own_callable(function: tree.Name, scope: Scope) -> Any | None:
    """An own name that can be called; a constant or tensor of that name leaves the word."""
    found = scope.find(function.name)
    if found is None:
        return None
    if found.value is POISON:
        raise PoisonedError
    if isinstance(found.value, Definition | Mention | Stage | Composite):
        return found.value
    return None


def call_value(
    value: Any,
    span: Span,
    given: tuple[Given, ...],
    operands: tuple[Tensor, ...],
    scope: Scope,
    waiting: bool,
) -> Any:
    """The call of an own name: a block, a net, or a word that a name stands for."""
    if isinstance(value, Mention) and value.given is None:
        again = Mention(value.name, span, given, operands, scope.defaults, scope)
        return again if waiting or not operands else _applied(as_stage(again, scope), (), scope)
    if not isinstance(value, Definition):
        raise error(
            "NN202",
            "this has its arguments already and cannot be called again",
            span,
            help="parentheses follow the name of a word, a block or a net",
        )
    if scope.session.answer is not None and value.answers and given:
        if any(isinstance(g.value, Unknown) for g in given):
            return Unknown(f"{value.name}(...)")
        places = [g.span if g.source is None else g.source.span for g in given]
        return scope.session.answer(value, _numbers(value, given, scope), span, places)
    stage = value.stage(given, operands if waiting else (), span, scope.defaults)
    return stage if waiting or not operands else _applied(stage, operands, scope)


def _numbers(net: Any, given: Sequence[Given], scope: Scope) -> list[np.ndarray]:
    """The values that a net is called on, as arrays."""
    found = []
    for argument in given:
        value = argument.value
        array = constants.as_array(value) if argument.name is None else None
        if array is not None:
            found.append(array)
            continue
        if isinstance(value, Mention):
            raise unknown_word(value, tuple(registries()), scope.visible())
        raise uneven(argument) or error(
            "NN304",
            f"net `{net.name}` is asked about numbers, this is {constants.describe(value)}",
            argument.span,
            help="give one example, such as `[0, 1]`, or a list of them",
        )
    return found


def _applied(stage: Stage, operands: tuple[Tensor, ...], scope: Scope) -> Tensor | Group:
    """A call that holds its tensors and is complete."""
    assert scope.elaboration is not None  # tensors exist only while a graph is made
    return stage.apply(scope.elaboration, operands)


def call_word(
    function: tree.Name,
    span: Span,
    given: tuple[Given, ...],
    operands: tuple[Tensor, ...],
    scope: Scope,
    waiting: bool,
) -> Any:
    """The call of a word or function: complete when it holds tensors and does not wait."""
    name = function.name
    if name == "both" and not operands:
        return both(given, span, scope)
    if name == "settle" and not operands:
        return settle(given, span, scope)
    special = _special(name, span, given, operands, scope)
    if special is not None:
        return special
    mention = Mention(name, span, given, operands, scope.defaults, scope)
    word = stage_word(name)
    if word is None or scope.elaboration is None:
        return mention
    if isinstance(word, Layer) and word.operands[1] == 0:
        return _applied(as_stage(mention, scope), (), scope)
    if operands and not waiting:
        return _applied(as_stage(mention, scope), (), scope)
    return mention


def _special(
    name: str, span: Span, given: tuple[Given, ...], operands: tuple[Tensor, ...], scope: Scope
) -> Any | None:
    """Functions of constants and tensors, and calls that are refused for now."""
    if name == "run":
        raise not_yet("starting from another run (`run(...)`)", span)
    if operands and not given and len(operands) == 1 and scope.elaboration is not None:
        if name in ELEMENTWISE and not is_stage_word(name):
            return apply_function(scope.elaboration, ELEMENTWISE[name], name, operands[0], span)
        if name in REDUCTIONS:
            return reduce_all(scope.elaboration, name, operands[0], span)
    if operands and scope.elaboration is not None and is_loss(name):
        return loss_of(name, span, given, operands, scope)
    if operands:
        return None
    values = [g.value for g in given]
    plain = name == "count" or not any(isinstance(v, Mention | Composite) for v in values)
    if name in constants.FUNCTIONS and all(g.name is None for g in given) and plain:
        _require_arrays(name, values, scope)
        return constants.call(name, values, span)
    if name == "csv" and len(values) == 1 and isinstance(values[0], str):
        return matrix(values[0], given[0].span, scope)
    if name == "least_squares" and len(values) == 1 and isinstance(values[0], DataSource):
        return least_squares(values[0], span, scope)
    return None


def _require_arrays(name: str, values: Sequence[Any], scope: Scope) -> None:
    """NN318 for a part of a net that is not there, NN304 for one where its numbers are meant."""
    if scope.session.weights is None:
        return
    for part in (value for value in values if isinstance(value, Part)):
        scope.session.weights(part)  # knows which parts there are
        raise error(
            "NN304",
            f"`{name}` needs numbers, this is a part of a net",
            part.span,
            help=f"its numbers are `{part.span.text}.weights` and `{part.span.text}.bias`",
        )
