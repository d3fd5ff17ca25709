"""How many spaces stand between two tokens of one line in the canonical layout."""

from __future__ import annotations

from nndsl.syntax.wording import VALUE_ENDS

_TIGHT = frozenset({"RANGE", "POWER"})
_NO_SPACE_BEFORE = frozenset({"COMMA", "COLON", "FIELD", "RPAR", "RSQB"})


def space_between(kinds: list[str], before_begins: bool, in_brackets: bool) -> int:
    """Spaces before the last of two or three neighbouring tokens, given their terminals.

    `before_begins` says that the one before begins a statement, `in_brackets` that both stand
    directly in `(` or `[`.
    """
    before, kind = kinds[-2], kinds[-1]
    earlier = kinds[-3] if len(kinds) > 2 else ""
    if before == "LBRACE" or kind == "LBRACE" or kind == "RBRACE":
        return 1
    if kind in _NO_SPACE_BEFORE or before in ("LPAR", "LSQB"):
        return 0
    if kind in _TIGHT or before in _TIGHT:
        return 0
    if in_brackets and "EQUAL" in (kind, before):
        return 0
    if kind in ("LPAR", "LSQB"):
        return 0 if _is_applied(before, earlier) else 1
    return 0 if _is_sign(before, earlier, before_begins) else 1


def _is_applied(before: str, earlier: str) -> bool:
    """Whether a bracket after a token holds arguments or indices of it."""
    return before in VALUE_ENDS or (before == "TRAIN" and earlier == "DEFAULTS")


def _is_sign(before: str, earlier: str, before_begins: bool) -> bool:
    """Whether the token before is the minus of a single number or value."""
    return before == "MINUS" and (before_begins or earlier not in VALUE_ENDS)
