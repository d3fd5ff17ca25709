"""Errors about names, with the nearest known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nndsl.diagnostics import Fix, NndslError, Span, error, nearest

MOST_LISTED = 12

PLANNED = ("rbm", "winner", "upto", "vote", "average")
"""Layers that the language has room for and this version does not know yet."""


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`, at most a dozen."""
    ordered = sorted(names)
    shown = ", ".join(f"`{name}`" for name in ordered[:MOST_LISTED])
    return f"{shown} ..." if len(ordered) > MOST_LISTED else shown


def suggestion(name: str, known: Iterable[str]) -> str:
    """'did you mean `relu`?' or the known names, or nothing when there are none."""
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    if close:
        return "did you mean " + " or ".join(f"`{c}`" for c in close[:2]) + "?"
    return f"known here: {listed(names)}" if names else ""


def fix_for(name: str, known: Iterable[str], span: Span | None) -> Fix | None:
    """The replacement by the nearest name."""
    close = nearest(name, known)
    return Fix(span, close[0]) if close and span is not None else None


def unknown_name(
    code: str,
    title: str,
    name: str,
    known: Iterable[str],
    span: Span | None,
    *,
    label: str = "",
    notes: Sequence[str] = (),
    places: Mapping[str, Span | None] | None = None,
) -> NndslError:
    """An error for a name that is not known, with the nearest or the legal ones.

    `places` says where known names are given: that of the nearest one is shown too.
    """
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    defined = [(places.get(close[0]), "given here")] if places and close else []
    return error(
        code,
        title,
        span,
        label,
        secondary=defined,
        help=suggestion(name, names) or (),
        notes=notes,
        fix=fix_for(name, names, span),
    )


def not_yet(what: str, span: Span | None, instead: str = "") -> NndslError:
    """A thing of the language that this version refuses as a whole, never half."""
    return error(
        "NN390",
        f"{what} is not part of nndsl yet",
        span,
        "planned, and refused until all of it works",
        help=instead or (),
    )
