"""A token that does not fit, with all that is known around it; what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from lark import Token

from nndsl.diagnostics import Diagnostic, Fix, Label, Source, Span
from nndsl.records import dataclass
from nndsl.syntax.wording import ITEM_WORDS, OPENERS, SIGNS, VALUE_ENDS, shortened

_ITEM_TERMINALS = frozenset(word.upper() for word in ITEM_WORDS)
_CLOSERS = frozenset(OPENERS.values())


def begins_item(tokens: list[Token], index: int) -> bool:
    """Whether a part of a file begins at a token: `net`, `data` ... at the start of a line."""
    if tokens[index].type not in _ITEM_TERMINALS:
        return False
    return index == 0 or tokens[index - 1].type in ("_NEWLINE", "RBRACE")


@dataclass(frozen=True)
class Mistake:
    """A diagnostic, and how reading goes on.

    First `skip` tokens are left out from the one that did not fit, then the terminals `insert`
    are read as if they stood there; with neither the statement is given up, and with `next_item`
    the whole part of the file.
    """

    diagnostic: Diagnostic
    insert: tuple[str, ...] = ()
    skip: int = 0
    next_item: bool = False


@dataclass(frozen=True)
class Trouble:
    """The token at `index` does not fit.

    `statement` is the index where its statement began, `accepts` the terminals that would fit,
    `brackets` the open ones from outside in, `fits(index, insert, ahead)` tells whether the parser
    would take the terminals `insert` and then `ahead` tokens from `index`.
    """

    source: Source
    tokens: list[Token]
    index: int
    statement: int
    accepts: frozenset[str]
    brackets: tuple[Token, ...]
    fits: Callable[[int, tuple[str, ...], int], bool]

    @property
    def token(self) -> Token:
        """The token that does not fit."""
        return self.tokens[self.index]

    @property
    def kind(self) -> str:
        """Its terminal."""
        return self.token.type

    @property
    def before(self) -> Token | None:
        """The token before it in the same statement."""
        return self.tokens[self.index - 1] if self.index > self.statement else None

    @property
    def before_kind(self) -> str:
        """The terminal before it in the same statement, or an empty text."""
        return self.before.type if self.before is not None else ""

    def kind_at(self, index: int) -> str:
        """The terminal of any token, or an empty text beyond the last."""
        return self.tokens[index].type if index < len(self.tokens) else ""

    @property
    def following(self) -> str:
        """The terminal after the token."""
        return self.kind_at(self.index + 1)

    @property
    def first(self) -> Token:
        """The first token of the statement."""
        return self.tokens[min(self.statement, len(self.tokens) - 1)]

    @property
    def outside(self) -> bool:
        """Whether no body is open: the level of `net`, `data`, `train`."""
        return not any(bracket.type == "LBRACE" for bracket in self.brackets)

    @property
    def opener(self) -> Token | None:
        """The innermost open bracket when it is `(` or `[`."""
        if self.brackets and self.brackets[-1].type != "LBRACE":
            return self.brackets[-1]
        return None

    @cached_property
    def groups(self) -> bool:
        """Whether the innermost `(` or `[` holds a value by itself and no arguments."""
        opener = self.opener
        if opener is None:
            return False
        # by position: recovery may have put other tokens in the place of those that were there
        starts = (i for i, token in enumerate(self.tokens) if token.start_pos == opener.start_pos)
        place = next(starts, None)
        if place is None:
            return False
        return place == 0 or self.tokens[place - 1].type not in VALUE_ENDS

    @property
    def new_line(self) -> bool:
        """Whether a line ends between the token before and this one."""
        if self.before is None:
            return True
        return "\n" in self.source.text[self.before.end_pos or 0 : self.token.start_pos or 0]

    @property
    def ends_line(self) -> bool:
        """Whether this token is the last on its line."""
        rest = self.source.text[self.token.end_pos or 0 :].partition("\n")[0]
        return not rest.partition("#")[0].strip()

    def value_before(self) -> Span:
        """The name, number or call that ends at the token before: `dense(16)`."""
        depth, first = 0, self.index - 1
        for index in range(self.index - 1, self.statement - 1, -1):
            kind = self.tokens[index].type
            depth += (kind in _CLOSERS) - (kind in OPENERS)
            first = index
            applied = kind in OPENERS or kind == "FIELD"
            before = self.tokens[index - 1].type if index > self.statement else ""
            if depth == 0 and not (applied and before in VALUE_ENDS):
                break
        return self.span(self.tokens[first]).to(self.gap())

    def span(self, token: Token | None = None) -> Span:
        """Where a token stands; this one's if none is given."""
        token = token if token is not None else self.token
        if token.type == "_NEWLINE":
            return Span(self.source, token.start_pos or 0, token.start_pos or 0)
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def gap(self) -> Span:
        """The place right after the token before: where something is missing."""
        if self.before is None:
            return Span(self.source, self.token.start_pos or 0, self.token.start_pos or 0)
        end = self.before.end_pos or 0
        return Span(self.source, end, end)

    def shown(self, token: Token | None = None) -> str:
        """A token in quotes for a message, or `the end of the line`, `the end of the file`."""
        token = token if token is not None else self.token
        if token.type == "$END":
            return "the end of the file"
        if token.type == "_NEWLINE":
            return "`;`" if token.startswith(";") else "the end of the line"
        return f"`{shortened(str(token) or SIGNS.get(token.type, ''))}`"

    def mistake(
        self,
        code: str,
        title: str,
        span: Span,
        label: str = "",
        *,
        help: str = "",
        secondary: tuple[Label, ...] = (),
        replacement: str | None = None,
        insert: tuple[str, ...] = (),
        skip: int = 0,
        next_item: bool = False,
    ) -> Mistake:
        """A mistake at `span`; `replacement` is the text that would mend it there."""
        diagnostic = Diagnostic(
            code,
            title,
            Label(span, label),
            secondary,
            help=(help,) if help else (),
            fix=Fix(span, replacement) if replacement is not None else None,
        )
        return Mistake(diagnostic, insert, skip, next_item)


Rule = Callable[[Trouble], Mistake | None]
"""Recognises one kind of mistake, or answers None."""
