"""Which line ends matter, and which brackets belong together.

A line end separates two statements unless it stands in brackets, after something that must go on,
or before `->`, `else`, `{` or `}`. Brackets without a partner are found here, before the parser
sees them, because only here the shape of the text (line ends, indentation) can tell where the
missing one should have stood; it is put there, so that one mistake stays one mistake.
"""

from __future__ import annotations

from dataclasses import field

from lark import Token

from nndsl.diagnostics import Diagnostic, Fix, Label, Source, Span, error
from nndsl.records import dataclass
from nndsl.syntax.wording import (
    ITEM_WORDS,
    KEYWORD_TERMINALS,
    MAXIMUM_DEPTH,
    OPENERS,
    OPERATOR_TERMINALS,
    SIGNS,
    STATEMENT_WORDS,
    VALUE_ENDS,
)

_ITEM_TERMINALS = frozenset(word.upper() for word in ITEM_WORDS)
_STATEMENT_TERMINALS = frozenset(word.upper() for word in STATEMENT_WORDS)
_CLOSERS = {closing: opening for opening, closing in OPENERS.items()}
_ENDS_STATEMENT = VALUE_ENDS | {"RBRACE"}
_GOES_ON = frozenset({"ARROW", "ELSE", "LBRACE", "RBRACE"})


@dataclass(frozen=True)
class BracketProblem:
    """A bracket without its partner; `opener` is the one that was not closed."""

    diagnostic: Diagnostic
    opener: Token | None = None


@dataclass
class Layout:
    """The tokens as the parser reads them, and the bracket problems."""

    tokens: list[Token]
    problems: list[BracketProblem] = field(default_factory=list)


@dataclass
class _Open:
    """An open bracket: its index, the line ends directly in it, the braces closed inside it."""

    index: int
    token: Token
    line_ends: list[int] = field(default_factory=list)
    closed: list[tuple[_Open, int]] = field(default_factory=list)


def lay_out(source: Source, tokens: list[Token]) -> Layout:
    """Match the brackets of a token list and drop the line ends that separate nothing.

    Errors: NN104 when brackets are nested more than 200 deep.
    """
    matcher = _Matcher(source, tokens)
    matcher.run()
    repaired = matcher.repaired() if matcher.problems else tokens
    return Layout(_without_idle_line_ends(repaired), matcher.problems)


def _without_idle_line_ends(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    brackets: list[str] = []
    last = len(tokens) - 1
    for index, token in enumerate(tokens):
        kind = token.type
        if kind == "_NEWLINE":
            following = tokens[index + 1].type if index < last else "RBRACE"
            if _separates(token, kept, brackets, following):
                kept.append(token)
            continue
        if kind in OPENERS:
            brackets.append(kind)
        elif kind in _CLOSERS and brackets:
            brackets.pop()
        kept.append(token)
    return kept


def _separates(token: Token, kept: list[Token], brackets: list[str], following: str) -> bool:
    """Whether a line end stands between two statements."""
    if brackets and brackets[-1] != "LBRACE":
        return False
    if not kept or following == "RBRACE" or kept[-1].type == "LBRACE":
        return False
    if has_semicolon(token):
        return True
    return kept[-1].type in _ENDS_STATEMENT and following not in _GOES_ON


def has_semicolon(token: Token) -> bool:
    """Whether a `_NEWLINE` token holds a `;` outside its comments."""
    return any(";" in line.partition("#")[0] for line in token.split("\n"))


class _Matcher:
    """One walk over the tokens with a stack of open brackets."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.stack: list[_Open] = []
        self.problems: list[BracketProblem] = []
        self.inserted: dict[int, list[str]] = {}  # closers to put before a token
        self.replaced: dict[int, str | None] = {}  # another closer for a token, or none
        self.early: tuple[_Open, int] | None = None  # the last bracket closed before a comma

    def run(self) -> None:
        """Find every bracket without a partner."""
        for index, token in enumerate(self.tokens):
            kind = token.type
            if kind in OPENERS:
                self._open(index, token)
            elif kind in _CLOSERS:
                self._close(index, token)
            elif kind == "_NEWLINE":
                self._line_end(index, token)
            elif self._begins_statement(index):
                floor = 0 if kind in _ITEM_TERMINALS else self._inner_floor()
                self._unclosed_above(floor, index)
        self._unclosed_above(0, len(self.tokens))

    def repaired(self) -> list[Token]:
        """The tokens with missing brackets put in, and brackets too many taken out."""
        result: list[Token] = []
        for index in range(len(self.tokens) + 1):
            for kind in self.inserted.get(index, ()):
                offset = self._end_before(index)
                result.append(Token(kind, "", start_pos=offset, end_pos=offset))
            if index < len(self.tokens):
                token = self.tokens[index]
                instead = self.replaced.get(index, token.type)
                if instead is not None:
                    result.append(token if instead == token.type else token.update(type=instead))
        return result

    # --- events ---

    def _open(self, index: int, token: Token) -> None:
        if token.type == "LBRACE" and index > 0 and self.tokens[index - 1].type in VALUE_ENDS:
            self._unclosed_above(self._inner_floor(), index)  # a body begins, no bracket goes on
        self.stack.append(_Open(index, token))
        if len(self.stack) > MAXIMUM_DEPTH:
            raise error(
                "NN104",
                f"brackets are nested more than {MAXIMUM_DEPTH} levels deep",
                self._span(token),
                "one too many opens here",
                help="give parts of it names on lines of their own",
            )

    def _close(self, index: int, token: Token) -> None:
        wanted = _CLOSERS[token.type]
        floor = 0 if wanted == "LBRACE" else self._inner_floor()
        depth = next(
            (
                d
                for d in range(len(self.stack) - 1, floor - 1, -1)
                if self.stack[d].token.type == wanted
            ),
            None,
        )
        if depth is None:
            self._without_opener(index, token, floor)
            return
        self._unclosed_above(depth + 1, index)
        opened = self.stack.pop()
        if wanted == "LBRACE" and self.stack:
            self.stack[-1].closed += [*opened.closed, (opened, index)]
        if wanted != "LBRACE" and len(self.stack) == self._inner_floor():
            self._remember_early(opened, index)

    def _remember_early(self, opened: _Open, index: int) -> None:
        """Keep a bracket in mind that begins a value and ends before a comma: too early, maybe."""
        before = self.tokens[opened.index - 1].type if opened.index else "_NEWLINE"
        after = self.tokens[index + 1].type if index + 1 < len(self.tokens) else "$END"
        if after == "COMMA" and before not in ("COMMA", "_NEWLINE"):
            self.early = (opened, index)

    def _line_end(self, index: int, token: Token) -> None:
        if not self.stack:
            return
        self.stack[-1].line_ends.append(index)
        if has_semicolon(token):
            self._unclosed_above(self._inner_floor(), index)

    # --- problems ---

    def _unclosed_above(self, floor: int, index: int) -> None:
        """Report every open bracket from `floor` of the stack on: it should have ended by now."""
        together: dict[int, list[_Open]] = {}
        while len(self.stack) > floor:
            opened = self.stack.pop()
            if opened.token.type == "LBRACE":
                opened, before = self._really_open(opened, index)
            else:
                before = self._likely_end(opened, index)
            together.setdefault(self._after_last_word(before), []).append(opened)
        for before, opened_here in together.items():
            closers = [OPENERS[opened.token.type] for opened in opened_here]
            self.inserted.setdefault(before, []).extend(closers)
            self._report_unclosed(opened_here, before)

    def _report_unclosed(self, opened: list[_Open], before: int) -> None:
        """One problem for all brackets that should have been closed at one place."""
        signs = [SIGNS[bracket.token.type] for bracket in opened]
        closers = "".join(SIGNS[OPENERS[bracket.token.type]] for bracket in opened)
        verb = "is" if len(opened) == 1 else "are"
        offset = self._end_before(before)
        place = Span(self.source, offset, offset)
        diagnostic = Diagnostic(
            "NN108",
            f"`{''.join(reversed(signs))}` {verb} never closed",
            Label(place, f"`{closers}` {verb} missing here"),
            tuple(
                Label(self._span(bracket.token), f"this `{sign}` is open")
                for bracket, sign in zip(opened[:2], signs, strict=False)
            ),
            fix=Fix(place, closers),
        )
        self.problems.append(BracketProblem(diagnostic, opened[0].token))

    def _without_opener(self, index: int, token: Token, floor: int) -> None:
        """A closing bracket that closes nothing, or another kind of bracket than was opened."""
        if token.type == "RBRACE":
            return  # the parser knows better: a `{` may be missing in the line before
        opened = self.stack[-1] if len(self.stack) > floor else None
        if opened is None or self._closes_later(opened, index):
            self.replaced[index] = None
            diagnostic = self._closed_early(index, token) or Diagnostic(
                "NN109",
                f"`{token}` closes nothing",
                Label(self._span(token), "no bracket is open here"),
                help=(f"take the `{token}` out, or write the `{SIGNS[_CLOSERS[token.type]]}`",),
            )
        else:
            self.stack.pop()
            sign, closer = SIGNS[opened.token.type], OPENERS[opened.token.type]
            self.replaced[index] = closer
            diagnostic = Diagnostic(
                "NN109",
                f"`{sign}` is closed by `{token}`",
                Label(self._span(token), f"should be `{SIGNS[closer]}`"),
                (Label(self._span(opened.token), "opened here"),),
                help=(f"write `{SIGNS[closer]}`",),
            )
        self.problems.append(BracketProblem(diagnostic))

    def _closed_early(self, index: int, token: Token) -> Diagnostic | None:
        """The mistake of `[ 1, 2], [3, 4] ]`: the inner bracket closed the outer one."""
        if self.early is None:
            return None
        opened, closer = self.early
        first = self.tokens[closer]
        between = {t.type for t in self.tokens[closer:index]}
        if first.type != token.type or between & {"LBRACE", "RBRACE", "EQUAL"}:
            return None
        sign = SIGNS[opened.token.type]
        return Diagnostic(
            "NN109",
            f"a `{sign}` is missing before this `{first}`",
            Label(
                self._span(first), f"closes the `{sign}` of line {self._span(opened.token).line}"
            ),
            (Label(self._span(token), "and nothing is left for this one to close"),),
            help=(f"write the `{sign}` that belongs to this `{first}`",),
        )

    def _closes_later(self, opened: _Open, index: int) -> bool:
        """Whether the right closing bracket still follows in the same statement."""
        closer, depth = OPENERS[opened.token.type], 0
        for token in self.tokens[index + 1 :]:
            if token.type in ("LBRACE", "RBRACE") or token.type in _ITEM_TERMINALS:
                return False
            if token.type in OPENERS:
                depth += 1
            elif token.type in _CLOSERS:
                if depth == 0:
                    return token.type == closer
                depth -= 1
        return False

    # --- where ---

    def _inner_floor(self) -> int:
        """How many brackets of the stack lie outside the statement at hand."""
        for depth in range(len(self.stack), 0, -1):
            if self.stack[depth - 1].token.type == "LBRACE":
                return depth
        return 0

    def _begins_line(self, index: int) -> bool:
        return index == 0 or self.tokens[index - 1].type == "_NEWLINE"

    def _begins_statement(self, index: int) -> bool:
        """Whether a line begins here with a word that never stands inside brackets."""
        if not self._begins_line(index) or index + 1 == len(self.tokens):
            return False
        kind, following = self.tokens[index].type, self.tokens[index + 1].type
        if kind not in _ITEM_TERMINALS and kind not in _STATEMENT_TERMINALS:
            return False
        return following in ("NAME", "STRING", "LPAR", "LSQB") or following in KEYWORD_TERMINALS

    def _likely_end(self, opened: _Open, index: int) -> int:
        """The first line end after which a `(` or `[` cannot well go on."""
        for line_end in opened.line_ends:
            before = self.tokens[line_end - 1].type
            after = self.tokens[line_end + 1].type if line_end + 1 < len(self.tokens) else "$END"
            idle = before in OPERATOR_TERMINALS or before in OPENERS or before == "COMMA"
            goes_on = after in OPERATOR_TERMINALS or after in _CLOSERS or after == "COMMA"
            if not idle and (not goes_on or after == "RBRACE"):
                return line_end
        return index

    def _really_open(self, opened: _Open, index: int) -> tuple[_Open, int]:
        """Which `{` lacks its partner: the first whose `}` stands further left than its line."""
        for inner, closer in opened.closed:
            if not self._begins_line(closer):
                continue
            if self._column(self.tokens[closer]) < self._indentation(inner.token):
                return inner, closer
        return opened, self._less_indented(opened, index)

    def _less_indented(self, opened: _Open, index: int) -> int:
        """Where the text goes back to the indentation of the line of a `{`, before `index`."""
        edge = self._indentation(opened.token)
        lines = [i for i in range(opened.index + 2, index) if self.tokens[i - 1].type == "_NEWLINE"]
        body_below = opened.index + 1 < index and self.tokens[opened.index + 1].type == "_NEWLINE"
        if not lines or (body_below and self._column(self.tokens[lines[0]]) <= edge):
            return index
        return next((i for i in lines if self._column(self.tokens[i]) <= edge), index)

    def _after_last_word(self, index: int) -> int:
        """The index right after the last token before `index` that is no line end."""
        while index > 0 and self.tokens[index - 1].type == "_NEWLINE":
            index -= 1
        return index

    def _end_before(self, index: int) -> int:
        index = self._after_last_word(index)
        return (self.tokens[index - 1].end_pos or 0) if index > 0 else 0

    def _column(self, token: Token) -> int:
        return self._span(token).column

    def _indentation(self, token: Token) -> int:
        """Column of the first character of the line a token stands on."""
        line = self.source.line(self._span(token).line)
        return len(line) - len(line.lstrip()) + 1

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)
