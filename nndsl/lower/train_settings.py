"""The lines of a `train` section gathered: settings of the run and of parts, `let`, `expect`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower import constants
from nndsl.lower.evaluate import evaluate
from nndsl.lower.lets import define_let, run_defaults
from nndsl.lower.names import not_yet, unknown_name
from nndsl.lower.scopes import Scope
from nndsl.lower.values import DataSource, Later, NetLike, Part
from nndsl.records import dataclass
from nndsl.syntax import tree

SETTINGS = (
    "loss",
    "optimizer",
    "schedule",
    "batch",
    "last_batch",
    "epochs",
    "steps",
    "seed",
    "precision",
    "memory",
    "stop",
    "keep",
    "penalty",
    "weight_decay",
    "max_norm",
    "clip",
    "rule",
    "metrics",
    "answer",
    "ensemble",
    "report",
    "augment",
    "replay",
    "carry",
    "buckets",
)
PART_SETTINGS = ("rate", "penalty", "weight_decay", "max_norm", "optimizer")
LATER = {
    "watch": "live measures (`watch`)",
    "search": "the search of hyper-parameters (`search`)",
    "start": "starting from another run (`start`)",
}
UPDATE_SETTINGS = (
    "optimizer", "schedule", "penalty", "weight_decay", "max_norm", "clip", "times", "every",
)  # fmt: skip
"""What an `update` section may set; the first six also stand in `train`, for all updates."""


@dataclass(frozen=True)
class Written:
    """A setting as written, with the scope that its names belong to."""

    value: tree.Expression
    span: Span
    scope: Scope

    def evaluated(self) -> Any:
        """Its value."""
        return evaluate(self.value, self.scope)


@dataclass
class Settings:
    """All that a section says. Settings of parts have the part as evaluated."""

    run: dict[str, Written] = field(default_factory=dict)
    parts: list[tuple[Part, str, Written]] = field(default_factory=list)
    expectations: list[tree.Expect] = field(default_factory=list)
    from_defaults: dict[str, Span] = field(default_factory=dict)
    objectives: list[Written] = field(default_factory=list)
    updates: list[tuple[tree.Update, Scope]] = field(default_factory=list)
    of_update: bool = False  # of an `update` section, not of a whole training


def has_objective(body: tree.Body) -> bool:
    """Whether a section says what is minimised, itself or in its updates."""
    return any(
        isinstance(s, tree.Minimize | tree.Update)
        or (isinstance(s, tree.For) and has_objective(s.body))
        or (isinstance(s, tree.If) and any(map(has_objective, _branches(s))))
        for s in body.statements
    )


def _branches(statement: tree.If) -> list[tree.Body]:
    return [statement.body, *([statement.otherwise] if statement.otherwise else [])]


def gather_update(body: tree.Body, of_train: Settings, scope: Scope) -> Settings:
    """The settings of an `update` section over those of its training."""
    own = Settings(of_update=True)
    _statements(body.statements, scope, own)
    shared = {n: w for n, w in of_train.run.items() if n in UPDATE_SETTINGS}
    own.run = {**shared, **own.run}
    own.parts = [*of_train.parts, *own.parts]
    return own


def gather(
    body: tree.Body, defaults: Sequence[tree.Defaults], scope: Scope, file_scope: Scope
) -> Settings:
    """The settings of a section over those of the `defaults train` lines before it."""
    settings = Settings()
    for line in defaults:
        for argument in line.arguments:
            with scope.problems.caught():
                _default(argument, line, settings, file_scope)
    own = Settings()
    _statements(body.statements, scope, own)
    for name in own.run:
        settings.from_defaults.pop(name, None)
    settings.run.update(own.run)
    settings.parts, settings.expectations = own.parts, own.expectations
    settings.objectives, settings.updates = own.objectives, own.updates
    _override(settings, scope)
    return settings


def _default(
    argument: tree.Argument, line: tree.Defaults, settings: Settings, scope: Scope
) -> None:
    name = check_default(argument)
    inner = Scope(scope.session, scope, recipe=True)
    settings.run[name] = Written(argument.value, argument.value.span, inner)
    settings.from_defaults[name] = line.span


def check_default(argument: tree.Argument) -> str:
    """The name of a setting in `defaults train(...)`, or NN307."""
    if argument.name is None:
        raise error(
            "NN307",
            "`defaults train` names its settings",
            argument.span,
            help="defaults train(epochs=20, optimizer=adam(1e-3))",
        )
    check_setting(argument.name, argument.name_span or argument.span)
    return argument.name


_RATE = "the rate is an argument of the optimizer: `optimizer = adam(0.01)`"
_SPLIT = "rows are split in `data`: `split = [60%, 20%, 20%]`"
_STOP = "to stop early: `stop = patience(20)`"
_STAGE = "it is a stage of the net: `dense(16) -> relu -> dropout(0.1)`"
_PENALTY = "`penalty = l2(1e-4)`"
_HABITS = {
    "lr": _RATE, "learning_rate": _RATE, "rate": _RATE,
    "split": _SPLIT, "validation_split": _SPLIT, "test_size": _SPLIT, "shuffle": _SPLIT,
    "patience": _STOP, "early_stopping": _STOP,
    "activation": _STAGE, "dropout": _STAGE,
    "regularization": _PENALTY, "l1": _PENALTY, "l2": _PENALTY,
    "batch_size": "`batch = 32`", "iterations": "`steps = 1000`", "n_epochs": "`epochs = 20`",
    "max_iter": "`epochs = 20`", "momentum": "`optimizer = momentum(0.05, beta=0.9)`",
    "target": "the target is named in `data`: `target = column`",
}  # fmt: skip
"""Settings as other libraries call them, or that this language has elsewhere."""


def check_setting(name: str, span: Span) -> None:
    """NN390 for a setting of later, NN307 for one that does not exist."""
    if name in LATER:
        raise not_yet(LATER[name], span)
    if name in _HABITS and name not in SETTINGS:
        raise error("NN307", f"`train` has no setting `{name}`", span, help=_HABITS[name])
    if name not in SETTINGS:
        raise unknown_name("NN307", f"`train` has no setting `{name}`", name, SETTINGS, span)


def _override(settings: Settings, scope: Scope) -> None:
    """`--set name=value` in place of what is written."""
    session = scope.session
    for name, value in session.overrides.items():
        if name in SETTINGS:
            session.used_overrides.add(name)
            settings.run[name] = Written(value, value.span, scope)
            settings.from_defaults.pop(name, None)


def _statements(statements: Sequence[tree.Statement], scope: Scope, settings: Settings) -> None:
    for statement in statements:
        with scope.problems.caught():
            _statement(statement, scope, settings)


def _statement(statement: tree.Statement, scope: Scope, settings: Settings) -> None:
    if isinstance(statement, tree.Bind):
        _setting(statement, scope, settings)
    elif isinstance(statement, tree.Let):
        _let(statement, scope)
    elif isinstance(statement, tree.Expect):
        settings.expectations.append(statement)
    elif isinstance(statement, tree.Defaults):
        run_defaults(statement, scope)
    elif isinstance(statement, tree.If):
        _if(statement, scope, settings)
    elif isinstance(statement, tree.Minimize):
        settings.objectives.append(Written(statement.value, statement.value.span, scope))
    elif isinstance(statement, tree.Update) and not settings.of_update:
        settings.updates.append((statement, scope))
    elif isinstance(statement, tree.For):
        for item in constants.items_of(evaluate(statement.items, scope), statement.items.span):
            inner = scope.child()
            inner.define(statement.names[0], item, None, "turn")
            _statements(statement.body.statements, inner, settings)
    else:
        raise _misplaced(statement)


def _if(statement: tree.If, scope: Scope, settings: Settings) -> None:
    holds = constants.truth(evaluate(statement.condition, scope), statement.condition.span)
    chosen = statement.body if holds else statement.otherwise
    if chosen is not None:
        _statements(chosen.statements, scope.child(), settings)


def _let(statement: tree.Let, scope: Scope) -> None:
    """A constant now; what speaks of tensors waits for the objectives that use it."""
    if scope.with_tensors and speaks_of_tensors(statement.value, scope):
        later = Later(statement.name, statement.value, scope)
        scope.define(statement.name, later, statement.name_span, "let")
        return
    define_let(statement, scope)


_COUNTS = ("parameters", "count", "classes")


def speaks_of_tensors(expression: object, scope: Scope) -> bool:
    """Whether an expression uses a net, a column of the data, noise, or a `let` of such."""
    if isinstance(expression, tree.Field) and expression.name in _COUNTS:
        return False
    if isinstance(expression, tree.Name):
        found = scope.find(expression.name)
        if found is None:
            return expression.name == "noise"
        return isinstance(found.value, NetLike | Later | DataSource)
    if isinstance(expression, tree.Tree):
        return any(speaks_of_tensors(child, scope) for child in vars(expression).values())
    if isinstance(expression, tuple):
        return any(speaks_of_tensors(child, scope) for child in expression)
    return False


def _misplaced(statement: tree.Statement) -> NndslError:
    word = statement.span.text.split()[0]
    return error(
        "NN309",
        f"`{word}` does not stand in `train`",
        statement.span,
        "settings, `let`, `if` and `expect` stand here",
    )


def _setting(statement: tree.Bind, scope: Scope, settings: Settings) -> None:
    target = statement.target
    if isinstance(target, tree.Field):
        _part_setting(target, statement, scope, settings)
        return
    if not isinstance(target, tree.Name):
        raise error("NN307", "a setting has a plain name", target.span)
    _check_place(target, settings)
    before = settings.run.get(target.name)
    if before is not None:
        raise error(
            "NN302",
            f"`{target.name}` is set twice",
            statement.span,
            "the second time",
            secondary=[(before.span, "the first time")],
        )
    settings.run[target.name] = Written(statement.value, statement.value.span, scope)


def _check_place(target: tree.Name, settings: Settings) -> None:
    """NN307 for a setting that is not there, or not in this sort of section."""
    if not settings.of_update and target.name in ("times", "every"):
        title = f"`{target.name}` is a setting of an update, not of the whole training"
        raise error("NN307", title, target.span, help=f"update Net {{ ...; {target.name} = 2 }}")
    if settings.of_update and target.name in SETTINGS and target.name not in UPDATE_SETTINGS:
        title = f"`{target.name}` is a setting of the whole training, not of an update"
        raise error("NN307", title, target.span, help="it stands in `train`, outside of `update`")
    if settings.of_update and target.name in UPDATE_SETTINGS:
        return
    if settings.of_update and target.name not in _HABITS and target.name not in LATER:
        title = f"`update` has no setting `{target.name}`"
        raise unknown_name("NN307", title, target.name, UPDATE_SETTINGS, target.span)
    check_setting(target.name, target.span)


def _part_setting(
    target: tree.Field, statement: tree.Bind, scope: Scope, settings: Settings
) -> None:
    if target.name in LATER:
        raise not_yet(LATER[target.name], target.name_span)
    if target.name not in PART_SETTINGS:
        raise unknown_name(
            "NN307",
            f"a part has no setting `{target.name}`",
            target.name,
            PART_SETTINGS,
            target.name_span,
        )
    part = evaluate(target.base, scope)
    if not isinstance(part, Part):
        raise error(
            "NN318",
            "a part of the trained net stands before the dot",
            target.base.span,
            help="for instance `Net.trunk.rate = 0.1`",
        )
    written = Written(statement.value, statement.value.span, scope)
    settings.parts.append((part, target.name, written))
