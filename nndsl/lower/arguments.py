"""Arguments of blocks: by name or in the declared order, each once, none unknown."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.lower.names import unknown_name
from nndsl.lower.values import Given


def arrange(
    name: str, order: Sequence[str], given: Sequence[Given], span: Span
) -> dict[str, Given]:
    """Arguments by the name of the parameter."""
    found: dict[str, Given] = {}
    for position, argument in enumerate(given):
        key = argument.name
        if key is None:
            if position >= len(order):
                raise _too_many(name, order, argument)
            key = order[position]
        elif key not in order:
            place = argument.name_span or argument.span
            title = f"`{name}` has no argument `{key}`"
            raise unknown_name("NN311", title, key, order, place, label="no such argument")
        if key in found:
            raise error(
                "NN313",
                f"`{key}` of `{name}` is given twice",
                argument.span,
                "given again here",
                secondary=[(found[key].span, "first given here")],
                help=f"leave one `{key}` out",
            )
        found[key] = argument
    return found


def _too_many(name: str, order: Sequence[str], argument: Given) -> NndslError:
    takes = f"at most {counted(len(order), 'argument')}" if order else "no arguments"
    return error(
        "NN315",
        f"`{name}` takes {takes}",
        argument.span,
        "one too many",
        help=f"write `{name}({', '.join(order)})`" if order else f"write `{name}`",
    )
