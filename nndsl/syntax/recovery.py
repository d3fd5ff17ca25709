"""Going on after a mistake, so that one run shows several.

When the plain run of the parser has failed a second, slower one follows, which remembers the
parser's state at the start of each statement. At a token that does not fit, `mistakes.explain`
says what was meant and, where it is sure, how to go on (a token put in, a token left out). Where
it is not, the statement is given up and reading goes on at the next one.
"""

from __future__ import annotations

from copy import copy
from dataclasses import field

from lark import Token, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from nndsl.diagnostics import Diagnostic, Source
from nndsl.records import dataclass
from nndsl.syntax.grammar import lark_parser
from nndsl.syntax.layout import BracketProblem, Layout
from nndsl.syntax.lexical import Lexed
from nndsl.syntax.mistakes import explain
from nndsl.syntax.trouble import Mistake, Trouble, begins_item
from nndsl.syntax.wording import MAXIMUM_PROBLEMS, OPENERS

_CLOSERS = frozenset(OPENERS.values())
_STATEMENT_ENDS = frozenset({"_NEWLINE", "LBRACE", "RBRACE", "$END"})


def find_mistakes(source: Source, rule: str, lexed: Lexed, layout: Layout) -> list[Diagnostic]:
    """Every mistake of a text that did not parse, in the order of the text, at most ten."""
    unread = {source.position(offset)[0] for offset in lexed.skipped}
    problems = [p for p in layout.problems if _line(p.diagnostic) not in unread]
    brackets = [p for p in problems if p.opener is None or p.opener.type != "LBRACE"]
    known = lexed.skipped + [_offset(problem.diagnostic) for problem in brackets]
    reader = _Reader(source, rule, layout.tokens, known)
    reader.run()
    found = list(lexed.problems) + [mistake.diagnostic for mistake in reader.found]
    found += [p.diagnostic for p in _without_refused(problems, reader.refused)]
    found.sort(key=_offset)
    return found[:MAXIMUM_PROBLEMS]


def _without_refused(problems: list[BracketProblem], refused: list[Token]) -> list[BracketProblem]:
    """Leave out one unclosed bracket for each opening bracket that was one too many."""
    rest = list(problems)
    for token in refused:
        same = (
            p
            for p in reversed(rest)
            if p.opener is not None
            and p.opener.type == token.type
            and (p.opener.start_pos or 0) <= (token.start_pos or 0)
        )
        first = next(same, None)
        if first is not None:
            rest.remove(first)
    return rest


def _line(diagnostic: Diagnostic) -> int:
    return diagnostic.primary.span.line if diagnostic.primary else 0


def _offset(diagnostic: Diagnostic) -> int:
    return diagnostic.primary.span.start if diagnostic.primary else 0


def _copy(parser: InteractiveParser) -> InteractiveParser:
    """A second parser at the same point, sharing what has been built."""
    return InteractiveParser(
        parser.parser, parser.parser_state.copy(deepcopy_values=False), parser.lexer_thread
    )


class Cursor:
    """The parser at one point of the text; copies are cheap, and nothing is built."""

    def __init__(self, parser: InteractiveParser) -> None:
        self._parser = parser

    @classmethod
    def at_start(cls, rule: str) -> Cursor:
        """The parser before the first token."""
        parser = lark_parser().parse_interactive(start=rule)
        silent = copy(parser.parser_state.parse_conf)
        silent.callbacks = {}
        parser.parser_state.parse_conf = silent
        return cls(parser)

    def copy(self) -> Cursor:
        """A second cursor at the same point."""
        return Cursor(_copy(self._parser))

    def take(self, token: Token) -> bool:
        """Go over a token; False, and no step, if it does not fit."""
        attempt = _copy(self._parser)
        try:
            attempt.feed_token(token)
        except UnexpectedToken:
            return False
        self._parser = attempt
        return True

    def accepts(self) -> frozenset[str]:
        """The terminals that fit here."""
        state = self._parser.parser_state
        return frozenset(
            kind
            for kind in state.parse_conf.states[state.position]
            if kind.isupper() and self.copy().take(Token(kind, ""))
        )


@dataclass
class _Statement:
    """Where a statement began: the parser's state, its first token; whether it has a mistake."""

    cursor: Cursor
    index: int
    faulty: bool = False


@dataclass
class _Reader:
    """The second run."""

    source: Source
    rule: str
    tokens: list[Token]
    known: list[int]  # offsets of mistakes found before, whose statements are faulty
    found: list[Mistake] = field(default_factory=list)
    refused: list[Token] = field(default_factory=list)  # opening brackets that did not fit

    def run(self) -> None:
        """Read all tokens, collecting mistakes."""
        end = len(self.source.text.rstrip())
        self.tokens = [*self.tokens, Token("$END", "", start_pos=end, end_pos=end)]
        self.cursor = Cursor.at_start(self.rule)
        self.bodies = [_Statement(self.cursor.copy(), 0)]
        self.brackets: list[Token] = []
        index = 0
        while index < len(self.tokens) and len(self.found) < MAXIMUM_PROBLEMS:
            token = self.tokens[index]
            if self.cursor.take(token):
                self._took(index, token)
                index += 1
            else:
                index = self._recover(index)

    def _took(self, index: int, token: Token) -> None:
        """Keep the stacks of bodies and brackets in step with the parser."""
        kind = token.type
        if kind == "LBRACE":
            self.bodies[-1].faulty = False
            self.bodies.append(_Statement(self.cursor.copy(), index + 1))
            self.brackets.append(token)
        elif kind in ("LPAR", "LSQB"):
            self.brackets.append(token)
        elif kind in ("RPAR", "RSQB", "RBRACE") and self.brackets:
            self.brackets.pop()
        if kind == "RBRACE" and len(self.bodies) > 1:
            self.bodies.pop()
        if kind == "_NEWLINE":
            self.bodies[-1] = _Statement(self.cursor.copy(), index + 1)

    def _recover(self, index: int) -> int:
        """Report the token at `index` unless its statement is faulty already; where to go on."""
        statement = self.bodies[-1]
        token = self.tokens[index]
        if not token and token.type in _CLOSERS and self._fits(index + 1, ()):
            return index + 1  # a bracket that was put in for one that is gone by now
        if len(self.bodies) > 1 and self.found and begins_item(self.tokens, index):
            return self._item(index)  # the `}` of a body whose `{` was put in is not there
        trouble = Trouble(
            self.source,
            self.tokens,
            index,
            statement.index,
            self.cursor.accepts(),
            tuple(self.brackets),
            self._fits,
        )
        mistake = explain(trouble)
        if not statement.faulty and not self._known_to_be_faulty(statement.index, index):
            self.found.append(mistake)
            if token.type in OPENERS:
                self.refused.append(token)
        statement.faulty = True
        if mistake.next_item:
            return self._next_item(index)
        if mistake.insert or mistake.skip:
            onward = index + mistake.skip
            if self._insert(onward, mistake.insert):
                return onward
        return self._give_up(index)

    def _next_item(self, index: int) -> int:
        """Leave the whole part of the file, body and all."""
        index += 1
        while index < len(self.tokens) and not begins_item(self.tokens, index):
            index += 1
        return self._item(index)

    def _item(self, index: int) -> int:
        """Begin a new part of the file, whatever was open."""
        self.cursor = self.bodies[0].cursor.copy()
        self.bodies = [_Statement(self.cursor.copy(), index)]
        self.brackets.clear()
        return index

    def _fits(self, index: int, insert: tuple[str, ...], ahead: int = 1) -> bool:
        """Whether the parser takes the terminals `insert` and then `ahead` tokens from `index`."""
        attempt = self.cursor.copy()
        tokens = [Token(kind, "") for kind in insert] + self.tokens[index : index + ahead]
        return bool(tokens) and all(attempt.take(token) for token in tokens)

    def _insert(self, index: int, kinds: tuple[str, ...]) -> bool:
        """Go over tokens that are not there."""
        if not self._fits(index, kinds):
            return False
        offset = self.tokens[index].start_pos
        for kind in kinds:  # none when a token is only left out
            token = Token(kind, "", start_pos=offset, end_pos=offset)
            self.cursor.take(token)
            self._took(index - 1, token)
        return True

    def _known_to_be_faulty(self, first: int, index: int) -> bool:
        """Whether a mistake found before stands in the statement at hand."""
        start = self.tokens[first].start_pos or 0
        ends = (t for t in self.tokens[index:] if t.type in _STATEMENT_ENDS)
        end = next(ends, self.tokens[-1]).start_pos or 0
        return any(start <= offset <= end for offset in self.known)

    def _give_up(self, index: int) -> int:
        """Leave the statement: forget what was read of it, and go to where the next one begins."""
        statement = self.bodies[-1]
        self.cursor = statement.cursor.copy()
        depth = self._depth_inside(statement.index, index)
        del self.brackets[len(self.bodies) - 1 :]
        end = len(self.tokens) - 1
        while index < end:
            kind = self.tokens[index].type
            if depth <= 0 and kind == "RBRACE" and len(self.bodies) > 1:
                return index
            if depth <= 0 and kind == "_NEWLINE":
                break
            depth += (kind == "LBRACE") - (kind == "RBRACE")
            index += 1
        statement.index = index + 1
        statement.faulty = False
        return index + 1

    def _depth_inside(self, first: int, index: int) -> int:
        """How many `{` are open from the first token of the statement to here."""
        kinds = [token.type for token in self.tokens[first:index]]
        return kinds.count("LBRACE") - kinds.count("RBRACE")
