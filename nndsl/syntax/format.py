"""The one way a `.nn` file is laid out: `nndsl fmt`.

The text is printed again token by token, so that comments and the author's line breaks stay and
the meaning cannot change. Two spaces a level; one space around operators, none around `^` and
`..`, none around `=` in brackets; a body that stood on one line stays there if it fits in 100
columns, else each of its statements gets a line; nothing is aligned; at most one blank line.
"""

from __future__ import annotations

from dataclasses import field

from lark import Token

from nndsl.diagnostics import Source
from nndsl.records import dataclass
from nndsl.syntax.grammar import lark_parser
from nndsl.syntax.layout import lay_out
from nndsl.syntax.parser import parse
from nndsl.syntax.spacing import space_between
from nndsl.syntax.wording import OPENERS

WIDTH = 100
INDENT = "  "
_CLOSERS = frozenset(OPENERS.values())


def format_text(source: Source) -> str:
    """The text of a file in the canonical layout, ending in one line end.

    Formatting twice changes nothing more, and the tree stays equal but for its spans.
    Errors: those of `parse`.
    """
    parse(source)
    pieces = _pieces(source)
    broken: set[int] = set()
    while True:
        printer = _Printer(pieces, broken)
        lines = printer.run()
        too_long = printer.breakable() - broken
        if not too_long:
            return "\n".join(lines) + "\n"
        broken |= too_long


@dataclass(frozen=True)
class _Piece:
    """A token with what stands between it and the token before.

    `trailing` is a comment at the end of the line before, `above` the comments and blank lines
    (empty texts) on lines of their own, `line_ends` how many line ends there are.
    """

    token: Token
    begins: bool  # the first token of a statement
    line_ends: int
    trailing: str
    above: tuple[str, ...]


def _pieces(source: Source) -> list[_Piece]:
    """Every token but the line ends, and a last one for the end of the file."""
    tokens = list(lark_parser().lex(source.text))
    starts = _statement_starts(lay_out(source, tokens).tokens)
    end = len(source.text)
    tokens.append(Token("$END", "", start_pos=end, end_pos=end))
    pieces: list[_Piece] = []
    done = 0
    for token in tokens:
        if token.type == "_NEWLINE":
            continue
        start = token.start_pos or 0
        pieces.append(_piece(token, start in starts, source.text[done:start], not pieces))
        done = token.end_pos or 0
    return pieces


def _piece(token: Token, begins: bool, gap: str, first: bool) -> _Piece:
    """A token with the `gap` between the token before and this one, read line by line."""
    lines = [_comment(line) for line in gap.split("\n")]
    trailing = "" if first else lines.pop(0)
    if lines and not lines[-1]:
        lines.pop()  # the beginning of the token's own line
    return _Piece(token, begins, gap.count("\n"), trailing, tuple(lines))


def _comment(line: str) -> str:
    """The comment in what stands between two tokens on one line."""
    return "#" + line.partition("#")[2].rstrip() if "#" in line else ""


def _statement_starts(tokens: list[Token]) -> set[int]:
    """Offsets of the first tokens of statements."""
    starts = set()
    begins = True
    for token in tokens:
        if token.type == "_NEWLINE":
            begins = True
            continue
        if begins:
            starts.add(token.start_pos or 0)
        begins = token.type == "LBRACE"
    return starts


@dataclass
class _Open:
    """An open bracket: its piece, the indentation of its line, whether it is a one-line body."""

    index: int
    indent: int
    one_line: bool


@dataclass
class _Printer:
    """One pass over the pieces; `broken` are the pieces before which a line must end."""

    pieces: list[_Piece]
    broken: set[int]
    lines: list[str] = field(default_factory=list)
    line: str = ""
    indent: int = 0
    stack: list[_Open] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)  # where the line at hand could be broken
    found: set[int] = field(default_factory=set)

    def run(self) -> list[str]:
        """The lines of the file."""
        self.partners = _partners(self.pieces)
        for index in range(len(self.pieces)):
            self._piece(index)
        self._end_line()
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return self.lines

    def breakable(self) -> set[int]:
        """The pieces before which a line too long should end."""
        return self.found

    def _piece(self, index: int) -> None:
        piece = self.pieces[index]
        kind = piece.token.type
        if kind in _CLOSERS and self.stack:
            self._print(index, self.stack.pop())
        else:
            self._print(index, None)
        if kind in OPENERS:
            one_line = kind == "LBRACE" and self._stays_on_line(index)
            self.stack.append(_Open(index, self.indent, one_line))

    def _print(self, index: int, closed: _Open | None) -> None:
        """Print what stands before a token, then the token."""
        piece = self.pieces[index]
        kind = piece.token.type
        if piece.trailing:
            self.line += f"  {piece.trailing}"
        if self._breaks(index, closed):
            self._end_line()
            self._above(piece, closed)
            self.indent = self._indentation(piece, closed)
            self.line = INDENT * self.indent
        elif index > 0:
            self._gap(index, closed)
        if kind != "$END":
            self.line += str(piece.token)

    def _gap(self, index: int, closed: _Open | None) -> None:
        """What stands between two tokens on a line: nothing, a space, or `; `."""
        piece, before = self.pieces[index], self.pieces[index - 1]
        if piece.begins and before.token.type != "LBRACE":
            self.line += "; "
            if not any(opened.one_line for opened in self.stack):
                self.candidates.append(index)
            return
        if before.token.type == "LBRACE" and not any(o.one_line for o in self.stack[:-1]):
            self.candidates.append(index)  # breaking a body breaks at its `{`, `;` and `}`
        kinds = [p.token.type for p in self.pieces[max(0, index - 2) : index + 1]]
        inside = self.stack[-1] if closed is None and self.stack else closed
        in_brackets = inside is not None and self.pieces[inside.index].token.type != "LBRACE"
        self.line += " " * space_between(kinds, before.begins, in_brackets)

    def _breaks(self, index: int, closed: _Open | None) -> bool:
        """Whether a token begins a new line."""
        piece = self.pieces[index]
        if index == 0 or piece.token.type == "$END" or piece.trailing or piece.above:
            return True
        if closed is not None and piece.token.type == "RBRACE":
            return not closed.one_line and index - 1 != closed.index
        if self.pieces[index - 1].token.type == "LBRACE":
            return not self.stack[-1].one_line
        if index in self.broken:
            return True
        if piece.begins and self.stack and self.stack[-1].index + 1 in self.broken:
            return True
        return piece.line_ends > 0 and piece.token.type != "LBRACE"

    def _above(self, piece: _Piece, closed: _Open | None) -> None:
        """The comments and blank lines above a token."""
        bracket = closed or (self.stack[-1] if self.stack else None)
        in_brackets = bracket is not None and self.pieces[bracket.index].token.type != "LBRACE"
        level = self._indentation(piece, None) if closed is None else closed.indent + 1
        if piece.token.type == "RBRACE":
            level = len(self.stack) + 1
        last = len(piece.above) - 1
        for position, text in enumerate(piece.above):
            if text:
                self.lines.append(INDENT * level + text)
                continue
            first = not self.lines or self.lines[-1].partition("  #")[0].endswith("{")
            before_end = piece.token.type in ("RBRACE", "$END") and not any(
                piece.above[position : last + 1]
            )
            if not first and not before_end and not in_brackets and self.lines[-1]:
                self.lines.append("")

    def _indentation(self, piece: _Piece, closed: _Open | None) -> int:
        """Levels of a line that begins with a token."""
        if closed is not None and piece.token.type != "RBRACE":
            return closed.indent
        if self.stack and self.pieces[self.stack[-1].index].token.type != "LBRACE":
            return self.stack[-1].indent + 1
        level = len(self.stack)
        goes_on = not piece.begins and piece.token.type not in ("ELSE", "LBRACE", "RBRACE", "$END")
        return level + goes_on

    def _stays_on_line(self, index: int) -> bool:
        """Whether the body that begins at a piece stood on one line and may stay there."""
        partner = self.partners[index]
        inside = self.pieces[index + 1 : partner + 1]
        return index + 1 not in self.broken and all(
            piece.line_ends == 0 and not piece.above for piece in inside
        )

    def _end_line(self) -> None:
        """Finish the line at hand; remember where it could be broken if it is too long."""
        if self.line.strip():
            self.lines.append(self.line.rstrip())
            if len(self.lines[-1]) > WIDTH:
                self.found.update(self.candidates)
        self.line = ""
        self.candidates.clear()


def _partners(pieces: list[_Piece]) -> dict[int, int]:
    """The index of the closing bracket for each opening one."""
    partners: dict[int, int] = {}
    waiting: list[int] = []
    for index, piece in enumerate(pieces):
        if piece.token.type in OPENERS:
            waiting.append(index)
        elif piece.token.type in _CLOSERS:
            partners[waiting.pop()] = index
    return partners
