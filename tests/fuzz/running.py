"""Running `check`, and for what is right the compiler up to kernels as text, on any text."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from nndsl import compilation, driver
from nndsl.diagnostics import NndslError, Severity, Source
from nndsl.report_text import render_text
from tests.mutation.judging import small_tables, time_limit, well_formed

MOST_SECONDS = 5.0
MOST_TO_COMPILE = 60.0
"""A net may have thousands of layers."""


@dataclass(frozen=True)
class Outcome:
    """What became of a text: `crash` a traceback, `badly_said` a message that breaks the form."""

    number: int
    way: str
    text: str
    errors: int = 0
    crash: str = ""
    badly_said: str = ""

    @property
    def fault(self) -> str:
        """The last line of the crash, or the message."""
        return self.crash.strip().rpartition("\n")[2] or self.badly_said


def outcome(number: int, way: str, text: str, compiled: bool = False) -> Outcome:
    """Check a text; with `compiled`, right ones go on through passes and code generation."""
    try:
        with time_limit(MOST_SECONDS):
            found = _checked(number, way, text)
        with time_limit(MOST_TO_COMPILE):
            if compiled and not found.errors:
                _compile(text, small_tables())
        return found
    except RecursionError as problem:
        return Outcome(number, way, text, crash=f"RecursionError: {problem}")
    except Exception:
        return Outcome(number, way, text, crash=traceback.format_exc())


def _checked(number: int, way: str, text: str) -> Outcome:
    said = driver.check_text(text, "fuzzed.nn", small_tables())
    errors = [d for d in said if d.severity is Severity.ERROR]
    bad = next((render_text(d) for d in said if not well_formed(d)), "")
    return Outcome(number, way, text, len(errors), badly_said=bad)


def _compile(text: str, folder: Path) -> None:
    """Every training step and every network of a right file, up to the text of the kernels."""
    opened = driver.open_source(Source("fuzzed.nn", text), folder, data_needed=False)
    for network in opened.module.networks.values():
        compilation.prediction_graph(network)
    for recipe in opened.module.recipes:
        graph = compilation.training_graph(recipe)
        try:
            compilation.require_room(graph, recipe, compilation.batch_of(recipe, 60))
            compilation.program_of(graph, recipe, 60)
        except NndslError:
            continue  # too large for this machine
