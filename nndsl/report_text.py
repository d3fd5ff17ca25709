"""A diagnostic as people read it in a terminal, and as programs read it (JSON).

The look is that of rustc: title, place, the source lines with marks below them, remedies. A report
never has more than 12 lines or 4 source lines, and no line is wider than asked for: what is too
much is left out from the least important on (blank lines, notes, other places, further helps).
Nothing of a person's file reaches the terminal raw: control and bidirectional characters are
written out, so that a file cannot repaint the screen it is shown on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import Diagnostic, Label, Severity, Source, Span
from nndsl.records import dataclass

MAXIMUM_LINES = 12
MAXIMUM_SOURCE_LINES = 4
TAB = "    "

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "title": "1",
    "frame": "1;34",
    "secondary": "1;34",
    "remedy": "1;32",
}


def render_text(diagnostic: Diagnostic, width: int = 100, color: bool = False) -> str:
    """The report of a diagnostic: at most 12 lines of at most `width` columns, no final line end.

    `color` adds ANSI colours; the characters are the same without them. `width` is at least 40.
    """
    writer = _Writer(max(width, 40), color)
    lines: list[str] = []
    for shorter, spaced in _shortened(diagnostic):
        lines = writer.report(shorter, spaced)
        if len(lines) <= MAXIMUM_LINES:
            break
    return "\n".join(lines[:MAXIMUM_LINES])


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The diagnostic as plain values for `json.dumps`.

    Lines and columns count characters from 1; `end_line`, `end_column` name the place right after
    the last character. `data_column` is the column of a data file.
    """
    place = diagnostic.place
    where: dict[str, Any] = dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    if diagnostic.primary is not None:
        where = _where(diagnostic.primary.span)
    if place is not None:
        where |= {"file": place.file, "line": place.line}
        where |= {"column": None, "end_line": None, "end_column": None}
    labels = [(diagnostic.primary, True)] if diagnostic.primary is not None else []
    labels += [(label, False) for label in diagnostic.secondary]
    fix = diagnostic.fix
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "title": diagnostic.title,
        **where,
        "data_column": place.column if place is not None else None,
        "labels": [
            {**_where(label.span), "text": label.text, "primary": primary}
            for label, primary in labels
        ],
        "notes": list(diagnostic.notes),
        "help": list(diagnostic.help),
        "fix": {**_where(fix.span), "replacement": fix.replacement} if fix is not None else None,
    }


def _where(span: Span) -> dict[str, Any]:
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _shortened(diagnostic: Diagnostic) -> Iterator[tuple[Diagnostic, bool]]:
    """The diagnostic and shorter ones, best first; and whether blank lines frame the source."""
    yield diagnostic, True
    yield diagnostic, False
    for count in range(len(diagnostic.notes) - 1, -1, -1):
        yield replace(diagnostic, notes=diagnostic.notes[:count]), False
    bare = replace(diagnostic, notes=())
    for count in range(len(diagnostic.secondary) - 1, -1, -1):
        yield replace(bare, secondary=diagnostic.secondary[:count]), False
    bare = replace(bare, secondary=())
    for count in range(len(diagnostic.help) - 1, -1, -1):
        yield replace(bare, help=diagnostic.help[:count]), False


# --- characters ----------------------------------------------------------------------------


def visible(text: str) -> str:
    """The text with every character that does not print written out: `<U+202E>`."""
    return "".join(_cell(character) for character in text)


def _cell(character: str) -> str:
    """What stands on the screen for one character of the source."""
    if character == "\t":
        return TAB
    if character.isprintable():
        return character
    return f"<U+{ord(character):04X}>"


def columns(text: str) -> int:
    """How many columns of a terminal a visible text takes: wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _clipped(text: str, width: int) -> str:
    """The beginning of a visible text, ending in `...` when it is too wide."""
    if columns(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns_of(character)
        if used > width - 3:
            break
        kept += character
    return kept + "..."


def _wrapped(text: str, width: int) -> list[str]:
    """The text broken at spaces and its own line ends into lines of at most `width` columns."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in visible(paragraph).split(" "):
            joined = f"{line} {word}" if line else word
            if line and columns(joined) > width:
                lines.append(line)
                joined = word
            line = joined
        lines.append(line)
    return [_clipped(line, width) for line in lines]


# --- source lines --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mark:
    """A run of `^` or `-` below a source line: columns from 0, its words, its style."""

    start: int
    end: int
    text: str
    primary: bool


@dataclass(frozen=True)
class _Line:
    """A source line as shown, cut to the width, with its marks."""

    number: int
    text: str
    marks: tuple[_Mark, ...]


def _source_line(
    source: Source, number: int, labels: Sequence[tuple[Label, bool]], room: int
) -> _Line:
    """Lay out one line of a source and the marks of the labels that begin on it."""
    cells = [_cell(character) for character in source.line(number)]
    edges = [0]
    for cell in cells:
        edges.append(edges[-1] + columns(cell))
    line_start = source.line_starts[number - 1]
    marks = []
    for label, primary in labels:
        first = min(label.span.start - line_start, len(cells))
        last = min(max(label.span.end - line_start, first), len(cells))
        start, end = edges[first], max(edges[last], edges[first] + 1)
        marks.append(_Mark(start, end, visible(label.text.replace("\n", " ")), primary))
    if max(edges[-1], *(mark.end for mark in marks)) <= room:
        return _Line(number, "".join(cells).rstrip(), tuple(marks))
    anchor = next((mark for mark in marks if mark.primary), marks[0])
    return _windowed(_Line(number, "", tuple(marks)), cells, edges, anchor, room)


def _windowed(line: _Line, cells: list[str], edges: list[int], anchor: _Mark, room: int) -> _Line:
    """Show the part of a long line around a mark, with `...` where it is cut."""
    before = min(room // 3, max(0, room - (anchor.end - anchor.start) - 6))
    left = max(0, min(anchor.start - before, edges[-1] + 1 - (room - 3)))
    left = left if left > 3 else 0
    shift = left - 3 if left else 0
    right = left + room - (3 if left else 0)
    cut_right = right < edges[-1]
    limit = right - 3 if cut_right else right
    shown = "".join(
        cell for cell, start in zip(cells, edges, strict=False) if left <= start < limit
    )
    skipped = next((start for start in edges if start >= left), left) - left
    text = ("..." + " " * skipped if left else "") + shown.rstrip() + ("..." if cut_right else "")
    marks = [
        replace(mark, start=max(mark.start, left) - shift, end=min(mark.end, limit) - shift)
        for mark in line.marks
    ]
    return replace(
        line,
        text=_clipped(text, room),
        marks=tuple(
            replace(mark, end=max(mark.end, mark.start + 1)) for mark in marks if mark.start < room
        ),
    )


# --- the report ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Writer:
    """Puts the lines of a report together, in one width, with or without colours."""

    width: int
    color: bool

    def report(self, diagnostic: Diagnostic, spaced: bool) -> list[str]:
        """All lines of the report."""
        groups = _by_source(diagnostic)
        shown = [label.span.line for _, labels in groups for label, _ in labels]
        gutter = len(str(max(shown, default=1)))
        lines = self._title(diagnostic)
        arrow = "-->"
        if diagnostic.place is not None:
            lines.append(self._arrow(gutter, arrow, _place(diagnostic)))
            arrow = ":::"
        for source, labels in groups:
            span = labels[0][0].span
            lines.append(self._arrow(gutter, arrow, f"{source.name}:{span.line}:{span.column}"))
            lines += [self._bar(gutter)] if spaced else []
            lines += self._source(source, labels, gutter, diagnostic.severity)
            arrow = ":::"
        remedies = self._remedies(diagnostic, gutter)
        if spaced and groups and remedies:
            lines.append(self._bar(gutter))
        return lines + remedies

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text

    def _title(self, diagnostic: Diagnostic) -> list[str]:
        """`error[NN203]: title`, on two lines where it is long."""
        severity = diagnostic.severity.value
        start = f"{severity}[{diagnostic.code}]: "
        title = " ".join(diagnostic.title.split())
        first, *rest = _wrapped(title, self.width - len(start))
        head = self._paint(start.rstrip(), severity) + " " + self._paint(first, "title")
        if not rest:
            return [head]
        more = _clipped(" ".join(rest), self.width - len(start))
        return [head, " " * len(start) + self._paint(more, "title")]

    def _arrow(self, gutter: int, arrow: str, where: str) -> str:
        room = self.width - gutter - 4
        return " " * gutter + self._paint(arrow, "frame") + " " + _clipped(visible(where), room)

    def _bar(self, gutter: int) -> str:
        return self._paint(" " * gutter + " |", "frame")

    def _source(
        self,
        source: Source,
        labels: list[tuple[Label, bool]],
        gutter: int,
        severity: Severity,
    ) -> list[str]:
        """The source lines with their marks."""
        lines: list[str] = []
        room = self.width - gutter - 3
        for number in sorted({label.span.line for label, _ in labels}):
            here = [pair for pair in labels if pair[0].span.line == number]
            line = _source_line(source, number, here, room)
            head = self._paint(f"{number:>{gutter}} |", "frame")
            lines.append(f"{head} {line.text}".rstrip())
            for row in _rows(line.marks, room):
                drawn = self._row(row, severity)
                lines.append(f"{self._bar(gutter)} {drawn}")
        return lines

    def _row(self, row: list[_Mark], severity: Severity) -> str:
        """One line of marks; a mark without width is words alone."""
        drawn, used = "", 0
        for mark in row:
            style = severity.value if mark.primary else "secondary"
            sign = ("^" if mark.primary else "-") * (mark.end - mark.start)
            text = f"{sign} {mark.text}".strip()
            drawn += " " * (mark.start - used) + self._paint(text, style)
            used = mark.start + columns(text)
        return drawn

    def _remedies(self, diagnostic: Diagnostic, gutter: int) -> list[str]:
        """`= help: ...` and `= note: ...`."""
        lines: list[str] = []
        texts = [("help", text) for text in diagnostic.help]
        texts += [("note", text) for text in diagnostic.notes]
        for word, text in texts:
            start = " " * gutter + f" = {word}: "
            for index, part in enumerate(_wrapped(text, self.width - len(start))):
                head = " " * len(start)
                if index == 0:
                    head = self._paint(" " * gutter + " =", "frame")
                    head += " " + self._paint(f"{word}:", "remedy") + " "
                lines.append((head + part).rstrip())
        return lines


def _place(diagnostic: Diagnostic) -> str:
    """`file.csv:6, column `x``."""
    place = diagnostic.place
    assert place is not None
    line = f":{place.line}" if place.line is not None else ""
    column = f", column `{place.column}`" if place.column is not None else ""
    return f"{place.file}{line}{column}"


def _by_source(diagnostic: Diagnostic) -> list[tuple[Source, list[tuple[Label, bool]]]]:
    """The labels by source, the primary's first; of the others only as many lines as fit."""
    labels = [(diagnostic.primary, True)] if diagnostic.primary is not None else []
    labels += [(label, False) for label in diagnostic.secondary]
    groups: list[tuple[Source, list[tuple[Label, bool]]]] = []
    lines: set[tuple[int, int]] = set()
    for label, primary in labels:
        source = label.span.source
        line = (id(source), label.span.line)
        if line not in lines and len(lines) == MAXIMUM_SOURCE_LINES:
            continue
        lines.add(line)
        group = next((labels for known, labels in groups if known is source), None)
        if group is None:
            groups.append((source, [(label, primary)]))
        else:
            group.append((label, primary))
    return groups


def _rows(marks: Sequence[_Mark], room: int) -> list[list[_Mark]]:
    """Distribute marks over lines: from right to left, wordless ones beside the first."""
    ordered = sorted(marks, key=lambda mark: mark.start, reverse=True)
    rows: list[list[_Mark]] = []
    for mark in ordered:
        if rows and not mark.text and mark.end < rows[0][0].start:
            rows[0].insert(0, mark)
        elif columns(mark.text) + 1 <= room - mark.end or not mark.text:
            rows.append([mark])
        else:
            rows.append([replace(mark, text="")])
            text = _clipped(mark.text, room - 2)
            start = max(0, min(mark.start, room - columns(text)))
            rows.append([_Mark(start, start, text, mark.primary)])
    return rows
