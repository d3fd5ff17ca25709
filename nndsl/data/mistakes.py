"""The mistakes of several columns told together, instead of the first alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nndsl.diagnostics import Diagnostic, NndslError

MOST_TOLD = 10


class Mistakes:
    """Collects what is wrong with column after column; equal diagnostics count once."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Keep the mistakes raised inside."""
        try:
            yield
        except NndslError as problem:
            self.found += [d for d in problem.diagnostics if d not in self.found]

    def raise_any(self) -> None:
        """Raise all of them, at most `MOST_TOLD`."""
        if self.found:
            raise NndslError(self.found[:MOST_TOLD])
