"""Figures that training computes each epoch, as words name them: `val_loss`, `train_accuracy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nndsl.diagnostics import Span, error, nearest
from nndsl.lower.names import unknown_name
from nndsl.lower.values import Mention
from nndsl.lower.words import shown
from nndsl.params import TimeLength
from nndsl.syntax import tree
from nndsl.vocab.registry import words

PARTS = ("train_", "val_", "test_")


def figure_name(value: Any, span: Span) -> str:
    """A bare name that is a figure, checked."""
    if not isinstance(value, Mention) or value.given is not None:
        title = f"a figure such as `val_loss` is needed here, not {shown(value)}"
        raise error("NN309", title, span)
    require_figure(value.name, span)
    return value.name


def is_figure(name: str) -> bool:
    """Whether a training may compute a figure of that name."""
    return name in _figures()


def _figures() -> list[str]:
    return [f"{part}{m}" for part in PARTS for m in ("loss", *words("metric"))]


def require_figure(name: str, span: Span) -> None:
    """NN301 when no training computes a figure of that name."""
    known = _figures()
    if name not in known:
        usual = [figure for figure in known if figure.startswith("val_")]
        near = known if nearest(name, known) else usual
        raise unknown_name("NN301", f"there is no figure called `{name}`", name, near, span)


def dotted(expression: tree.Expression) -> list[tree.Field]:
    """Figures of further outputs and of updates in an expression: `test_sold.accuracy`."""
    found = tree.nodes(expression, _is_dotted)
    return [node for node in found if isinstance(node, tree.Field) and _is_dotted(node)]


def _is_dotted(node: tree.Tree) -> bool:
    first = node
    while isinstance(first, tree.Field):
        first = first.base
    return first is not node and isinstance(first, tree.Name) and first.name.startswith(PARTS)


def require_dotted(found: tree.Field, figures: Sequence[str]) -> None:
    """NN301 when the training computes no such figure of an output or an update."""
    name = "".join(found.span.text.split())
    known = [f"{part}{figure}" for part in PARTS for figure in figures]
    if name not in known:
        title = f"there is no figure called `{name}`"
        raise unknown_name("NN301", title, name, known or ("test_loss",), found.span)


def whole_epochs(length: TimeLength, mention: Mention) -> int:
    """How many epochs a word waits; NN309 for a length that is not in epochs."""
    if length.unit not in ("", "epoch"):
        raise error(
            "NN309",
            f"`{mention.name}` looks at figures once an epoch, so it waits for epochs",
            mention.span,
            f"not for {length.value:g} {length.unit}{'s' if length.value != 1 else ''}",
            help="a bare number, or for instance `5 epochs`",
        )
    return max(1, round(length.value))
