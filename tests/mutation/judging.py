"""What is asked of the messages that a mutant gives, and the figures over many of them."""

from __future__ import annotations

import atexit
import re
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType

from nndsl import driver
from nndsl.diagnostics import Diagnostic, ExitCode, Severity, exit_code
from nndsl.report_text import render_text
from tests.mutation.mutants import MISSPELT, Mutant, column_mutants, drawn, source_mutants

MODELS = Path(__file__).resolve().parents[2] / "models"
MOST_LINES, MOST_COLUMNS, MOST_SECONDS = 12, 100, 5
MOST_ROWS = 60
GOALS = {"form": 1.0, "near": 0.95, "suggested": 0.90, "single": 0.95}
"""The share of the faulty mutants that must pass each question."""

INSIDE = re.compile(
    r"\b([LR]PAR|[LR]SQB|[LR]BRACE|_NEWLINE|\$END|__ANON|Traceback|NoneType|ndarray|float64\(|dict"
    r"|<class|object at|tree\.|Composite|Mention|symbol=|None)|\btuple\b"
)
"""Words of the implementation that no message may hold."""


class HungError(Exception):
    """A check took longer than it may."""


@contextmanager
def time_limit(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Raise `HungError` inside when it takes more seconds of the processor."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise HungError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Verdict:
    """How the messages of one mutant fared. `legal`: the file is right as it stands.

    `form`: exit code, size and words of the first error; `near`: its place; `suggested` (for
    misspelt names): its first proposal; `single`: it is alone. `crash` names an exception.
    """

    mutant: Mutant
    model: str
    errors: tuple[Diagnostic, ...] = ()
    crash: str = ""
    form: bool = True
    near: bool = True
    suggested: bool | None = None
    single: bool = True

    @property
    def legal(self) -> bool:
        return not self.errors and not self.crash

    @property
    def faults(self) -> list[str]:
        """The questions it failed."""
        failed = [name for name in GOALS if getattr(self, name) is False]
        return ["crash"] if self.crash else failed


@cache
def small_tables() -> Path:
    """A folder with the tables of the models, large ones thinned so that checks are quick."""
    folder = Path(tempfile.mkdtemp(prefix="nndsl-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for table in MODELS.glob("*.csv"):
        header, *rows = table.read_bytes().splitlines(keepends=True)
        kept = sorted(Random(0).sample(range(len(rows)), min(MOST_ROWS, len(rows))))
        (folder / table.name).write_bytes(b"".join([header, *(rows[i] for i in kept)]))
    return folder


def judge(mutant: Mutant, model: str, folder: Path | None = None) -> Verdict:
    """Check a mutant in this process and look at what was said."""
    folder = folder or small_tables()
    if not mutant.table:
        return _judged(mutant, model, folder)
    with tempfile.TemporaryDirectory() as copy:
        for name in tables_of(mutant.text):
            if (folder / name).is_file():
                shutil.copy(folder / name, copy)
        path = Path(copy) / mutant.table
        rest = path.read_bytes().partition(b"\n")[2]
        path.write_bytes(mutant.header.encode() + b"\n" + rest)
        return _judged(mutant, model, Path(copy))


def _judged(mutant: Mutant, model: str, folder: Path) -> Verdict:
    try:
        with time_limit():
            said = driver.check_text(mutant.text, model, folder)
            for diagnostic in said:
                render_text(diagnostic)
    except Exception as problem:
        return Verdict(mutant, model, crash=f"{type(problem).__name__}: {problem}")
    errors = tuple(d for d in said if d.severity is Severity.ERROR)
    if not errors:
        return Verdict(mutant, model)
    first = errors[0]
    return Verdict(
        mutant,
        model,
        errors,
        form=well_formed(first) and exit_code(first.code) in (ExitCode.SOURCE, ExitCode.DATA),
        near=first.primary is not None and abs(first.primary.span.line - mutant.line) <= 1,
        suggested=_suggests(first, mutant) if mutant.kind in MISSPELT else None,
        single=len(errors) == 1,
    )


def well_formed(diagnostic: Diagnostic) -> bool:
    """At most 12 lines and 100 columns, in words of the language."""
    text = render_text(diagnostic)
    lines = text.split("\n")
    return (
        len(lines) <= MOST_LINES
        and max(map(len, lines)) <= MOST_COLUMNS
        and not INSIDE.search(text)
    )


def _suggests(first: Diagnostic, mutant: Mutant) -> bool:
    """Whether the first proposal is the name as it was or, where all other places have the
    right one and this is the name's definition, as it is now."""
    proposal = first.fix.replacement if first.fix is not None else ""
    words = re.findall(
        r"`([^`]*)`", " ".join((*first.help, first.primary.text if first.primary else ""))
    )
    return proposal.strip() in (mutant.was, mutant.now) or words[:1] == [mutant.was]


@dataclass
class Figures:
    """Counts over many verdicts."""

    mutants: int = 0
    legal: int = 0
    crashes: int = 0
    asked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GOALS, 0))
    passed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GOALS, 0))

    def add(self, verdict: Verdict) -> None:
        self.mutants += 1
        self.crashes += bool(verdict.crash)
        self.legal += verdict.legal
        if verdict.legal or verdict.crash:
            return
        for name in GOALS:
            answer = getattr(verdict, name)
            if answer is not None:
                self.asked[name] += 1
                self.passed[name] += answer

    def share(self, name: str) -> float:
        """The part of those asked that passed; 1 where nobody was."""
        return self.passed[name] / self.asked[name] if self.asked[name] else 1.0


def figures(verdicts: Iterable[Verdict]) -> Figures:
    """The counts of some verdicts."""
    total = Figures()
    for verdict in verdicts:
        total.add(verdict)
    return total


def tables_of(text: str) -> list[str]:
    """The CSV files that a source reads."""
    return sorted(set(re.findall(r'csv\("([^"]+)"', text)))


@cache
def mutants_of(path: Path) -> list[Mutant]:
    """Every mutant of a model."""
    text = path.read_text(encoding="utf-8")
    found = list(source_mutants(text))
    for table in tables_of(text):
        data = path.parent / table
        if data.is_file():
            header = data.read_text(encoding="utf-8").partition("\n")[0]
            found += column_mutants(text, table, header)
    return found


def judged(path: Path, count: int, seed: int) -> list[Verdict]:
    """The verdicts on `count` mutants of a model."""
    return [judge(mutant, path.name) for mutant in drawn(mutants_of(path), count, seed)]
