"""Paths of parts as people write them: levels that tell nothing apart may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower.names import unknown_name
from nndsl.lower.values import Query

WRITTEN_AS = {"weights": "weight"}
"""What a file may call an array, and what its path calls it."""


class WithParameters(Protocol):
    """A net, as far as paths need it."""

    @property
    def name(self) -> str:
        """Its name."""

    def parameter_names(self) -> list[str]:
        """The paths of its learnt arrays."""


def resolve(net: WithParameters, query: Query, span: Span) -> list[str]:
    """The learnt arrays of a part: all whose path lies under the shallowest match of the query.

    Errors: NN318 for a part that does not exist or that two places answer to.
    """
    names = net.parameter_names()
    found = located(net.name, names, query, span, " with weights")
    return [n for n in names if n == found or n.startswith(f"{found}.")]


def located(net: str, names: Sequence[str], query: Query, span: Span, having: str = "") -> str:
    """The path of a part of `net`, one of `names` or what they lie under: the shallowest match.

    `having` ends the message. Errors: NN318 for a part that does not exist or that two places
    answer to.
    """
    prefixes = _prefixes(names)
    matches = [p for p in prefixes if fits(p, query)]
    if not matches:
        raise _no_part(net, query, sorted({_word(p[-1]) for p in prefixes}), span, having)
    depth = min(len(p) for p in matches)
    shallowest = [p for p in matches if len(p) == depth]
    if len(shallowest) > 1:
        choices = ", ".join(f"`{net}.{'.'.join(p)}`" for p in shallowest[:4])
        raise error(
            "NN318",
            f"`{net}.{query_text(query)}` may be one of {len(shallowest)} parts",
            span,
            help=f"write one of {choices}",
        )
    return ".".join(shallowest[0])


def _no_part(net: str, query: Query, known: Sequence[str], span: Span, having: str) -> NndslError:
    """NN318 at the name that no part has."""
    written = [*known, *(name for name, called in WRITTEN_AS.items() if called in known)]
    name = next((name for name, _ in query if name not in written), query[-1][0])
    start = span.start + max(span.text.rfind(name), 0)
    place = Span(span.source, start, start + len(name)) if name in span.text else span
    title = f"net `{net}` has no part `{query_text(query)}`{having}"
    return unknown_name("NN318", title, name, written, place)


def query_text(query: Query) -> str:
    """The query as written."""
    return ".".join(f"{name}[{index}]" if index else name for name, index in query)


def _prefixes(names: Sequence[str]) -> list[tuple[str, ...]]:
    found: dict[tuple[str, ...], None] = {}
    for name in names:
        segments = tuple(name.split("."))
        for end in range(1, len(segments) + 1):
            found.setdefault(segments[:end])
    return list(found)


def _word(segment: str) -> str:
    return segment.partition("[")[0]


def _fits(segment: str, name: str, index: int | None) -> bool:
    if _word(segment) != name:
        return False
    return index is None or segment == f"{name}[{index}]" or (index == 1 and segment == name)


def fits(path: tuple[str, ...], query: Query) -> bool:
    """Whether a query's names occur in the path in order, the last at its end."""
    if not _fits(path[-1], *query[-1]):
        return False
    position = len(path) - 2
    for name, index in reversed(query[:-1]):
        while position >= 0 and not _fits(path[position], name, index):
            position -= 1
        if position < 0:
            return False
        position -= 1
    return True
