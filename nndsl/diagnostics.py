"""Problems that a person caused or should know of, as data: a code, places, words, a remedy.

Nothing here prints. `nndsl.report_text` renders a `Diagnostic` as text or JSON when it is shown.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import Enum
from functools import cached_property

from nndsl.records import dataclass


@dataclass(frozen=True)
class Source:
    """A text that a person wrote: the name it is shown under, and its characters."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect.bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """A run of characters `[start, end)` of a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Line of the first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Column of the first character, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, max(self.end, other.end))


class Severity(Enum):
    """How much a diagnostic matters: an error ends the command, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Label:
    """Words beside a place of the source."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Fix:
    """A replacement text that would remove the problem."""

    span: Span
    replacement: str


@dataclass(frozen=True)
class Place:
    """A position in a data file: physical line from 1, and the column's name, as far as known."""

    file: str
    line: int | None = None
    column: str | None = None


@dataclass(frozen=True)
class Diagnostic:
    """One problem.

    `code` is stable (`NN203`); its page is `nndsl/catalogue/NN203.md`. `primary` is where the
    problem is, `secondary` the other places that explain it, `place` its position in a data file.
    """

    code: str
    title: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    fix: Fix | None = None
    place: Place | None = None


class ExitCode(int, Enum):
    """What the process tells its caller."""

    OK = 0
    EXPECTATION = 1
    USAGE = 2
    SOURCE = 3
    DATA = 4
    MODEL_FILE = 5
    RESOURCES = 6
    DIVERGED = 7
    BUG = 70
    INTERRUPTED = 130


_EXIT_BY_HUNDRED = {
    0: ExitCode.USAGE,
    1: ExitCode.SOURCE,
    2: ExitCode.SOURCE,
    3: ExitCode.SOURCE,
    4: ExitCode.DATA,
    5: ExitCode.MODEL_FILE,
    6: ExitCode.RESOURCES,
    7: ExitCode.DIVERGED,
    9: ExitCode.EXPECTATION,
}


def exit_code(code: str) -> ExitCode:
    """The exit code that a diagnostic code stands for: NN2xx is a source error, NN4xx data."""
    return _EXIT_BY_HUNDRED[int(code[2:]) // 100]


class NndslError(Exception):
    """One or more problems that stop the command; carries diagnostics, never a bare text."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (
            (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        )
        super().__init__(*self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(map(_told, self.diagnostics))

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of the first problem."""
        return exit_code(self.diagnostics[0].code)


def _told(diagnostic: Diagnostic) -> str:
    """Code, title, place and remedies: what a traceback shows."""
    lines = [f"{diagnostic.code}: {diagnostic.title}"]
    if diagnostic.primary is not None:
        span = diagnostic.primary.span
        lines.append(f" --> {span.source.name}:{span.line}:{span.column}")
    elif diagnostic.place is not None:
        line = f":{diagnostic.place.line}" if diagnostic.place.line is not None else ""
        lines.append(f" --> {diagnostic.place.file}{line}")
    return "\n".join((*lines, *(f"  = help: {text}" for text in diagnostic.help)))


def error(
    code: str,
    title: str,
    span: Span | None = None,
    label: str = "",
    *,
    secondary: Sequence[tuple[Span | None, str]] = (),
    notes: Sequence[str] = (),
    help: Sequence[str] | str = (),
    fix: Fix | None = None,
    place: Place | None = None,
) -> NndslError:
    """Build an exception with a single diagnostic, from its code, title and place."""
    return NndslError(
        Diagnostic(
            code=code,
            title=title,
            primary=Label(span, label) if span is not None else None,
            secondary=tuple(Label(s, text) for s, text in secondary if s is not None),
            notes=tuple(notes),
            help=(help,) if isinstance(help, str) else tuple(help),
            fix=fix,
            place=place,
        )
    )


def counted(number: int | str, noun: str) -> str:
    """`1 row`, `2 rows`; `N rows` for a size that is only named."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def first_of(items: Sequence[str], most: int) -> str:
    """The first of a list: `a, b and 3 more`."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def edit_distance(a: str, b: str) -> int:
    """Least number of single-character edits (a swap of neighbours counts one) from a to b."""
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            best = min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        before, previous = previous, current
    return previous[-1]


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names a person may have meant, best first; empty when none is close.

    Among names equally far, slips of the fingers come first (letters in another order, then a
    letter left out or hit twice), then names that differ least in capitals, then those that begin
    alike. A name of which every letter would be another is not close. One that differs in capitals
    only stands alone.
    """
    allowed = max(1, len(name) // 3)
    scored = []
    for candidate in known:
        if abs(len(candidate) - len(name)) > allowed:
            continue
        distance = edit_distance(name.lower(), candidate.lower())
        if distance <= allowed and distance < max(len(name), len(candidate)):
            away, begins = edit_distance(name, candidate), name[:1] == candidate[:1]
            scored.append((distance, _unlike_a_slip(name, candidate), away, not begins, candidate))
    scored.sort()
    if scored and scored[0][0] == 0:  # but for capitals it is this one
        del scored[1:]
    return [candidate for *_, candidate in scored][:limit]


def _unlike_a_slip(written: str, meant: str) -> int:
    """0 when the letters only stand in another order, 1 when some are missing or too many."""
    if sorted(written) == sorted(meant):
        return 0
    return 1 if _within(written, meant) or _within(meant, written) else 2


def _within(a: str, b: str) -> bool:
    """Whether the letters of a stand in b in their order."""
    letters = iter(b)
    return all(letter in letters for letter in a)
