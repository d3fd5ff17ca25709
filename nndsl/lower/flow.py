"""Bodies of nets and blocks: lines in order, the flow from one to the next, names on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.lower import constants
from nndsl.lower.constants import items_of, truth
from nndsl.lower.evaluate import evaluate
from nndsl.lower.kinds import is_stage
from nndsl.lower.lets import define_let, run_defaults
from nndsl.lower.problems import PoisonedError
from nndsl.lower.scopes import Scope
from nndsl.lower.stages import Shared, as_stage
from nndsl.lower.values import (
    POISON,
    Group,
    Mention,
    Poison,
    Tensor,
    is_tensor,
    kind_of,
    tensors_of,
)
from nndsl.lower.words import shown, unknown_stage
from nndsl.records import dataclass
from nndsl.syntax import tree

MOST_TURNS = 100_000


@dataclass
class Course:
    """Where the flow of a body stands.

    `flow` is what a line that starts with a stage goes on from; None when there is none, and
    `why` says it and `remedy` what to do. `last` is the value of the last line, which is the
    body's result.
    """

    flow: Tensor | Group | Poison | None = None
    why: str = ""
    side: tuple[str, Span] | None = None
    last: Tensor | Group | Poison | None = None
    span: Span | None = None
    declare_input: Callable[[tree.InputShape, Scope, Course], None] | None = None
    remedy: str = ""

    def goes_on(self, value: Tensor | Group | Poison, span: Span) -> None:
        """The value becomes the flow."""
        self.flow, self.last, self.side, self.span = value, value, None, span

    def steps_aside(self, value: Tensor | Group | Poison, name: str, span: Span) -> None:
        """A side line: the next line must start with a tensor."""
        self.flow, self.last, self.side, self.span = None, value, (name, span), span


def run_body(body: tree.Body, scope: Scope, course: Course) -> None:
    """Go through a body. A line that fails poisons its names and the flow, and is reported."""
    for statement in body.statements:
        with scope.problems.caught() as outcome:
            _STATEMENTS[type(statement)](statement, scope, course)
        if outcome.failed:
            _poison(statement, scope, course)


def _poison(statement: tree.Statement, scope: Scope, course: Course) -> None:
    if isinstance(statement, tree.Bind):
        for name, span in _target_names(statement.target):
            _force(scope, name, span)
    if isinstance(statement, tree.Share | tree.InputShape):
        _force(scope, statement.name, statement.name_span)
    if isinstance(statement, tree.Bind | tree.Flow | tree.For | tree.If | tree.InputShape):
        course.goes_on(POISON, statement.span)


def _force(scope: Scope, name: str, span: Span) -> None:
    if name not in scope.names:
        scope.define(name, POISON, span, "poison")


def _target_names(target: tree.Expression) -> list[tuple[str, Span]]:
    items = target.items if isinstance(target, tree.TupleOf) else (target,)
    return [(item.name, item.span) for item in items if isinstance(item, tree.Name)]


# --- lines ----------------------------------------------------------------------------------


def _flow_line(statement: tree.Flow, scope: Scope, course: Course) -> None:
    value, _ = _line_value(statement.value, scope, course)
    course.goes_on(value, statement.span)


def _bind_line(statement: tree.Bind, scope: Scope, course: Course) -> None:
    assert scope.elaboration is not None  # bodies are gone through while a graph is made
    names = _target_names(statement.target)
    items = statement.target.items if isinstance(statement.target, tree.TupleOf) else (None,)
    if len(names) != len(items):
        raise error(
            "NN309",
            "only a name stands before `=` here",
            statement.target.span,
            help="settings such as `Net.part.rate = 0.1` stand in `train`",
        )
    if len(names) == 1:
        with scope.elaboration.inside(names[0][0]) as path:
            value, goes_on = _line_value(statement.value, scope, course)
        if isinstance(value, Tensor):
            scope.elaboration.points[".".join(path)] = value
    else:
        value, goes_on = _line_value(statement.value, scope, course)
    for (name, span), part in zip(names, _results(value, names, statement), strict=True):
        scope.define(name, part, span, "line")
    if goes_on:
        course.goes_on(value, statement.span)
    else:
        course.steps_aside(value, names[0][0], statement.span)


def _results(
    value: Tensor | Group, names: Sequence[tuple[str, Span]], statement: tree.Bind
) -> Sequence[Tensor | Group]:
    if len(names) == 1:
        return (value,)
    found = tensors_of(value)
    if len(found) != len(names):
        raise error(
            "NN211",
            f"{len(names)} names for {counted(len(found), 'result')}",
            statement.target.span,
            secondary=[(statement.value.span, f"gives {len(found)}")],
        )
    return found


def _line_value(
    expression: tree.Expression, scope: Scope, course: Course
) -> tuple[Tensor | Group, bool]:
    """The tensor of a line, and whether it went on from the flow."""
    assert scope.elaboration is not None  # bodies are gone through while a graph is made
    value = evaluate(expression, scope)
    if is_tensor(value):
        return value, False
    if not is_stage(value):
        raise _no_line(value, expression, scope)
    stage = as_stage(value, scope, expression.span)
    if course.flow is POISON:
        raise PoisonedError
    if course.flow is None or isinstance(course.flow, Poison):
        raise _no_flow(expression, course)
    return stage.apply(scope.elaboration, tensors_of(course.flow)), True


def _no_line(value: Any, expression: tree.Expression, scope: Scope) -> NndslError:
    if isinstance(value, Mention):
        return unknown_stage(value, scope.visible())
    if isinstance(value, tuple):
        return error("NN206", "outputs in parentheses are tensors", expression.span)
    return error(
        "NN206",
        f"a line of a network is a stage or a tensor, this is {kind_of(value)}",
        expression.span,
        f"{shown(value)} takes no input and gives none on",
        help="to name a constant write `let name = ...`",
    )


def _no_flow(expression: tree.Expression, course: Course) -> NndslError:
    first = " ".join(expression.span.text.split("->")[0].split())
    if course.side is not None:
        name, span = course.side
        return error(
            "NN204",
            f"this line starts with a stage, but the line before is the side line `{name}`",
            expression.span,
            "which tensor goes in here?",
            secondary=[(span, "started with a tensor: the flow did not move")],
            help=f"write `{name} -> {first}`, or start with another tensor",
        )
    return error(
        "NN204",
        f"this line starts with a stage, but there is no single flow: {course.why}",
        expression.span,
        "which tensor goes in here?",
        help=course.remedy or "start the line with a tensor: `name -> ...`",
    )


# --- other statements -----------------------------------------------------------------------


def _let(statement: tree.Let, scope: Scope, course: Course) -> None:
    define_let(statement, scope)


def _defaults(statement: tree.Defaults, scope: Scope, course: Course) -> None:
    run_defaults(statement, scope)


def _share(statement: tree.Share, scope: Scope, course: Course) -> None:
    assert scope.elaboration is not None  # bodies are gone through while a graph is made
    value = evaluate(statement.value, scope)
    if not is_stage(value):
        raise error(
            "NN206", f"`share` names a stage, this is {kind_of(value)}", statement.value.span
        )
    stage = as_stage(value, scope, statement.value.span)
    path = scope.elaboration.reserve(statement.name)
    shared = Shared(statement.value.span, statement.name, stage, path)
    scope.define(statement.name, shared, statement.name_span, "line")


def _input(statement: tree.InputShape, scope: Scope, course: Course) -> None:
    if course.declare_input is None:
        raise error("NN309", "`input` stands at the start of a net", statement.span)
    course.declare_input(statement, scope, course)


def _expect(statement: tree.Expect, scope: Scope, course: Course) -> None:
    """A size contract: judged at once, at every use of the block."""
    value = evaluate(statement.condition, scope)
    if isinstance(value, np.ndarray) and value.dtype != bool:
        value = constants.describe(value)
    if not truth(value, statement.condition.span):
        raise error("NN901", "the expectation does not hold here", statement.condition.span)


def _for(statement: tree.For, scope: Scope, course: Course) -> None:
    items = items_of(evaluate(statement.items, scope), statement.items.span)
    if len(items) > MOST_TURNS:
        raise error(
            "NN208",
            f"this `for` would take {len(items):,} turns; at most {MOST_TURNS:,} are made",
            statement.items.span,
            "refused before anything is built",
        )
    sources = _sources(statement, scope, len(items))
    for item, source in zip(items, sources, strict=True):
        inner = scope.child()
        for name, value in zip(statement.names, _spread(item, statement), strict=True):
            inner.define(name, value, None, "turn", source)
        run_body(statement.body, inner, course)


def _sources(statement: tree.For, scope: Scope, turns: int) -> Sequence[tree.Expression | None]:
    """Where the value of each turn is written, when a list says it."""
    written = scope.source(statement.items)
    if len(statement.names) == 1 and isinstance(written, tree.ListOf):
        return [scope.source(item.value) for item in written.items]
    return [None] * turns


def _spread(item: Any, statement: tree.For) -> Sequence[Any]:
    if len(statement.names) == 1:
        return (item,)
    values = item if isinstance(item, list | tuple) else (item,)
    if len(values) != len(statement.names):
        raise error(
            "NN211",
            f"{len(statement.names)} names, but each turn has {counted(len(values), 'value')}",
            statement.items.span,
            help="`for i, n in count(list)` counts from 1",
        )
    return values


def _if(statement: tree.If, scope: Scope, course: Course) -> None:
    condition = evaluate(statement.condition, scope)
    if truth(condition, statement.condition.span):
        run_body(statement.body, scope.child(), course)
    elif statement.otherwise is not None:
        run_body(statement.otherwise, scope.child(), course)


def _misplaced(statement: Any, scope: Scope, course: Course) -> None:
    training = isinstance(statement, tree.Minimize | tree.Update)
    what = statement.span.text.split()[0] if training else "input ... = ..."
    where = "train" if training else "data"
    raise error("NN309", f"`{what}` stands in `{where}`, not in a network", statement.span)


_STATEMENTS: dict[type, Callable[[Any, Scope, Course], None]] = {
    tree.Flow: _flow_line,
    tree.Bind: _bind_line,
    tree.Let: _let,
    tree.Defaults: _defaults,
    tree.Share: _share,
    tree.InputShape: _input,
    tree.Expect: _expect,
    tree.For: _for,
    tree.If: _if,
    tree.InputColumns: _misplaced,
    tree.Update: _misplaced,
    tree.Minimize: _misplaced,
}
