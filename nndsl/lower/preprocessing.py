"""Chains of preprocessing: `[rooms, area] -> standardize`, `input facts = ...`."""

from __future__ import annotations

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower.column_expressions import column_name
from nndsl.lower.evaluate import evaluate
from nndsl.lower.names import not_yet
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Given, Mention
from nndsl.lower.words import bind, unknown_word
from nndsl.schema import ChainRequest, StepRequest
from nndsl.syntax import tree
from nndsl.vocab.registry import words

GROUPS = ("numeric", "categories")
LATER_STEPS = ("image", "binarize", "bins", "first_letter", "tokens")


def is_chain(value: tree.Expression) -> bool:
    """Whether a line is `columns -> steps`."""
    return isinstance(value, tree.Pipe)


def chain_of(
    value: tree.Expression, scope: Scope, name: str | None, column: str | None = None
) -> ChainRequest:
    """A chain, or the columns of `input name = columns` without steps.

    `column` is the one that a source at the start of the chain stands for.
    """
    columns, steps = _parts(value)
    names, group = _columns(columns) if column is None else ((column,), False)
    requests = tuple(_step(step, scope) for step in steps)
    return ChainRequest(names, requests, name, group, value.span)


def target_chain(value: tree.Expression, scope: Scope, column: str | None = None) -> ChainRequest:
    """`target = demand -> standardize`: the steps that predictions are turned back through."""
    return chain_of(value, scope, None, column)


def _parts(value: tree.Expression) -> tuple[tree.Expression, list[tree.Expression]]:
    steps: list[tree.Expression] = []
    while isinstance(value, tree.Pipe):
        steps.append(value.right)
        value = value.left
    return value, steps[::-1]


def _columns(value: tree.Expression) -> tuple[tuple[str, ...], bool]:
    if isinstance(value, tree.Name) and value.name in GROUPS:
        return (value.name,), True
    items: list[tree.Expression] = [value]
    if isinstance(value, tree.ListOf):
        items = [item.value for item in value.items]
    names: list[str] = []
    for item in items:
        name = column_name(item)
        if name is None:
            raise error(
                "NN309",
                "columns stand at the start of a chain",
                item.span,
                "this is no name of a column",
                help='for instance `age -> standardize` or `["first name", city] -> onehot`',
            )
        if name in names:
            raise error("NN302", f"column `{name}` is listed twice", item.span)
        names.append(name)
    return tuple(names), False


def _step(step: tree.Expression, scope: Scope) -> StepRequest:
    mention = _mention(step, scope)
    known = words("preprocessing")
    if mention.name in LATER_STEPS:
        raise not_yet(f"the preprocessing step `{mention.name}`", mention.span)
    mention = _filled_by_statistic(mention)
    if mention.name not in known:
        raise unknown_word(mention, ("preprocessing",))
    call = bind(mention, known[mention.name]).call
    return StepRequest(mention.name, dict(call.arguments), step.span)


def _mention(step: tree.Expression, scope: Scope) -> Mention:
    if isinstance(step, tree.Name):
        return Mention(step.name, step.span)
    if isinstance(step, tree.Call) and isinstance(step.function, tree.Name):
        given = tuple(
            Given(evaluate(a.value, scope), a.value.span, a.name, a.name_span)
            for a in step.arguments
        )
        return Mention(step.function.name, step.span, given)
    raise _no_step(step.span)


def _no_step(span: Span) -> NndslError:
    return error(
        "NN309",
        "a step of preprocessing is a word",
        span,
        help="for instance `standardize`, `onehot`, `clip(0, 1)`",
    )


def _filled_by_statistic(mention: Mention) -> Mention:
    """`fill(median)` and `fill(mean)` are the steps `median` and `mean`."""
    given = mention.given or ()
    if mention.name == "fill" and len(given) == 1 and isinstance(given[0].value, Mention):
        statistic = given[0].value
        if statistic.name in ("median", "mean") and statistic.name in words("preprocessing"):
            return Mention(statistic.name, mention.span)
    return mention
