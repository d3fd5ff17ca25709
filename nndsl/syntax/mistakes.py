"""What was meant at a token that does not fit: the rules in order, the first that knows wins."""

from __future__ import annotations

from nndsl.syntax import mistakes_of_signs, mistakes_of_words
from nndsl.syntax.trouble import Mistake, Rule, Trouble
from nndsl.syntax.wording import KEYWORD_TERMINALS, VALUE_STARTS, listed, plain


def explain(trouble: Trouble) -> Mistake:
    """The mistake behind a token that does not fit."""
    for rule in _RULES:
        mistake = rule(trouble)
        if mistake is not None:
            return mistake
    return _anything(trouble)


def _doubled(trouble: Trouble) -> Mistake | None:
    """`net Deep on sonar sonar {`: the same word twice."""
    if trouble.before is None or str(trouble.before) != str(trouble.token):
        return None
    if not trouble.fits(trouble.index + 1, (), 1):
        return None
    return trouble.mistake(
        "NN130",
        f"{trouble.shown()} stands twice",
        trouble.span(),
        "once is enough",
        replacement="",
        skip=1,
    )


def _one_sign_missing(trouble: Trouble) -> Mistake | None:
    """`data iris csv("iris.csv")`: a single sign or word would mend it."""
    if trouble.kind in ("_NEWLINE", "$END"):
        return None
    possible = [
        kind for kind in sorted(trouble.accepts & _SMALL) if trouble.fits(trouble.index, (kind,), 1)
    ]
    if trouble.first.type == "INPUT":
        del possible[1:]  # `:` comes before `=`, and is what a net needs
    if len(possible) != 1:
        return None
    missing = plain(possible[0])
    return trouble.mistake(
        "NN130",
        f"{missing} is missing before {trouble.shown()}",
        trouble.gap(),
        f"write {missing} here",
        replacement=f" {missing.strip('`')}",
        insert=(possible[0],),
    )


_SMALL = frozenset({"EQUAL", "ON", "AS", "IN", "COLON", "LPAR", "ARROW", "COMMA"})


def _anything(trouble: Trouble) -> Mistake:
    """No rule knows more: say what would fit, if that is short."""
    if trouble.kind == "FIELD":
        title, label = f"a name is missing before {trouble.shown()}", "this belongs to a name"
        return trouble.mistake("NN130", title, trouble.span(), label, skip=1)
    wanted = _wanted(trouble.accepts)
    label = f"{listed(wanted)} would fit here" if 0 < len(wanted) <= 4 else ""
    return trouble.mistake("NN130", f"{trouble.shown()} does not fit here", trouble.span(), label)


def _wanted(accepts: frozenset[str]) -> list[str]:
    """The terminals that fit, in words: all that a value can begin with is `a value`."""
    rest = set(accepts) - {"_NEWLINE", "$END"}
    words = []
    if rest >= VALUE_STARTS:
        rest -= VALUE_STARTS
        words.append("a value")
    signs = sorted(rest - KEYWORD_TERMINALS)
    return words + [plain(t) for t in signs] + [plain(t) for t in sorted(rest & KEYWORD_TERMINALS)]


_RULES: tuple[Rule, ...] = (
    mistakes_of_signs.stray_brace,
    mistakes_of_signs.split_arrow,
    mistakes_of_signs.value_missing_above,
    mistakes_of_signs.value_missing_at_end,
    mistakes_of_words.import_without_quotes,
    mistakes_of_words.reserved_as_name,
    mistakes_of_words.name_missing,
    mistakes_of_words.cell_without_ports,
    mistakes_of_words.outside,
    mistakes_of_words.misspelt_statement,
    mistakes_of_words.misspelt_in_header,
    mistakes_of_words.misspelt_operator,
    mistakes_of_words.else_alone,
    mistakes_of_words.unknown_unit,
    mistakes_of_signs.colon,
    mistakes_of_signs.compared,
    mistakes_of_signs.assigned,
    mistakes_of_words.else_missing,
    mistakes_of_words.body_missing,
    mistakes_of_words.brace_misplaced,
    mistakes_of_words.arguments_without_brackets,
    mistakes_of_signs.comma_missing,
    mistakes_of_words.two_statements,
    mistakes_of_signs.arrow_missing,
    mistakes_of_signs.several_without_brackets,
    mistakes_of_signs.search_space,
    mistakes_of_signs.line_begins_with_operator,
    mistakes_of_signs.value_missing,
    _doubled,
    _one_sign_missing,
)
