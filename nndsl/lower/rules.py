"""Rules of learning: a name for several settings that belong together.

A rule is no second kind of learning. `rule = perceptron(1)` is stochastic gradient descent, one
row at a time, at the rate 1, on the distance max(0, -t z) of a row on the wrong side: what
Rosenblatt's rule does, said in the settings that say it.
"""

from __future__ import annotations

from nndsl.diagnostics import Source, Span, error
from nndsl.lower.names import not_yet, unknown_name
from nndsl.lower.recipe_words import RULE_SETTINGS, RULES
from nndsl.lower.result import Inferred
from nndsl.lower.scopes import Scope
from nndsl.lower.train_settings import Settings, Written
from nndsl.lower.values import Mention
from nndsl.lower.words import bind, shown
from nndsl.syntax.parser import parse_expression

PLANNED = ("competitive", "contrastive_divergence")
ESSENTIAL = ("loss", "optimizer")
"""What a rule is made of: these are not written beside it."""


def apply_rule(settings: Settings, scope: Scope) -> list[Inferred]:
    """Put the settings of the rule among those written, and tell them."""
    written = settings.run.get("rule")
    if written is None:
        return []
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "gradient" and value.given is None:
        return []
    if isinstance(value, Mention) and value.name in PLANNED:
        raise not_yet(f"the rule `{value.name}`", written.span)
    if not isinstance(value, Mention):
        raise error("NN309", f"`rule` is a word, not {shown(value)}", written.span,
                    help="rule = perceptron(1)")  # fmt: skip
    if value.name not in RULES:
        title = f"there is no rule called `{value.name}`"
        raise unknown_name("NN301", title, value.name, [*RULES, "gradient"], value.span)
    arguments = bind(value, RULES[value.name]).call.arguments
    texts = {n: t.format(**arguments) for n, t in RULE_SETTINGS[value.name].items()}
    for name in ESSENTIAL:
        _refuse_beside(settings, name, texts, written.span)
    return [_set(settings, name, text, written, scope) for name, text in texts.items()
            if name not in settings.run]  # fmt: skip


def _refuse_beside(settings: Settings, name: str, texts: dict[str, str], span: Span) -> None:
    beside = settings.run.get(name)
    if beside is None or name not in texts:
        return
    if name in settings.from_defaults:
        del settings.run[name], settings.from_defaults[name]
        return
    raise error(
        "NN302",
        f"`{name}` is set twice: the rule is `{name} = {texts[name]}`",
        beside.span,
        "the second time",
        secondary=[(span, "the first time")],
        help=f"leave out `{name}`, or write all settings without `rule`",
    )


def _set(settings: Settings, name: str, text: str, rule: Written, scope: Scope) -> Inferred:
    """The setting as if it had been written; its words are those of the vocabulary."""
    expression = parse_expression(Source("rule", text))
    alone = Scope(scope.session, None, recipe=True)
    settings.run[name] = Written(expression, rule.span, alone)
    return Inferred(name, text, f"`rule = {rule.span.text}`", rule.span)
