"""Collecting independent problems: a failed line poisons its names, without follow-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from nndsl.diagnostics import Diagnostic, Label, NndslError, Severity, Span

MOST_ERRORS = 10


class PoisonedError(Exception):
    """A value was asked for whose error has been reported already."""


class TooManyProblemsError(Exception):
    """Enough independent errors were found for one run."""


class NeedsDataError(Exception):
    """A size decides something here and is known only with the data; not a person's mistake."""

    def __init__(self, what: str, span: Span | None) -> None:
        super().__init__(what)
        self.what = what
        self.span = span


def require_known(sizes: Iterable[object], span: Span | None) -> None:
    """NeedsDataError for a size that only absent data can tell: `d.inputs` is called so."""
    for size in sizes:
        if isinstance(size, str) and "." in size:
            raise NeedsDataError(size, span)


class Problems:
    """Errors and lints in the order found; equal problems at one place count once."""

    def __init__(self) -> None:
        self.errors: list[Diagnostic] = []
        self.lints: list[Diagnostic] = []
        self.uses: list[str] = []  # the blocks that are being gone through, for notes
        self._seen: set[tuple[object, ...]] = set()

    def add(self, diagnostic: Diagnostic) -> None:
        """Record one problem; the tenth error ends the run."""
        place = diagnostic.primary.span if diagnostic.primary else None
        key = (diagnostic.code, place or diagnostic.title)
        if key in self._seen:
            return
        self._seen.add(key)
        if self.uses:
            notes = (*diagnostic.notes, *dict.fromkeys((self.uses[-1], self.uses[0])))
            diagnostic = replace(diagnostic, notes=notes)
        if diagnostic.severity is not Severity.ERROR:
            self.lints.append(diagnostic)
            return
        self.errors.append(diagnostic)
        if len(self.errors) >= MOST_ERRORS:
            raise TooManyProblemsError

    def lint(
        self,
        code: str,
        title: str,
        span: Span | None,
        label: str = "",
        *,
        help: str = "",
        note: str = "",
        secondary: tuple[tuple[Span | None, str], ...] = (),
        severity: Severity = Severity.WARNING,
    ) -> None:
        """Record something a person should know of that does not stop the command."""
        self.add(
            Diagnostic(
                code=code,
                title=title,
                primary=Label(span, label) if span is not None else None,
                secondary=tuple(Label(s, text) for s, text in secondary if s is not None),
                notes=(note,) if note else (),
                help=(help,) if help else (),
                severity=severity,
            )
        )

    @contextmanager
    def caught(self) -> Iterator[Caught]:
        """Record the errors raised inside; `failed` says afterwards whether there were any."""
        outcome = Caught()
        try:
            yield outcome
        except NndslError as problem:
            outcome.failed = True
            for diagnostic in problem.diagnostics:
                self.add(diagnostic)
        except PoisonedError:
            outcome.failed = True
        except NeedsDataError as need:
            outcome.failed = True
            self.lint(
                "NN807",
                f"`{need.what.strip('()')}` is known only with the data: not checked further",
                need.span,
                severity=Severity.NOTE,
            )

    def stop_if_any(self) -> None:
        """Raise all errors together, when there are any."""
        if self.errors:
            raise NndslError(in_order(self.errors))


def in_order(errors: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors in the order of the text."""
    return sorted(errors, key=_place)


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.primary.span if diagnostic.primary is not None else None
    return (span.source.name, span.start) if span is not None else ("", 0)


class Caught:
    """What became of a guarded piece of work."""

    def __init__(self) -> None:
        self.failed = False
