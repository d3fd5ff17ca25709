"""Conditions that end a training early: `stop = patience(20, val_loss) or 30 minutes`.

A condition looks at the history and the clock alone, so a resumed run decides as the uninterrupted
one would; only durations depend on the clock on the wall, and count the seconds of all parts of a
resumed run together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from nndsl.diagnostics import Span, error
from nndsl.lower.result import Stop
from nndsl.params import TimeLength
from nndsl.records import dataclass
from nndsl.train.history import History

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class Condition(Protocol):
    """One reason to stop."""

    def met(self, history: History) -> str | None:
        """Why training should end after this epoch, or None."""


@dataclass
class Patience:
    """Ends when a figure has not been better than its best for `epochs` epochs."""

    metric: str
    epochs: int
    higher: bool
    _seen: int = 0
    _best_epoch: int = 0
    _best: float = float("nan")

    def met(self, history: History) -> str | None:
        """Looks at each epoch once, so a long history costs nothing."""
        position = history.columns.index(self.metric)
        for index in range(self._seen, len(history)):
            value = history.rows[index][position]
            better = value > self._best if self.higher else value < self._best
            if better or (self._best != self._best and value == value):
                self._best, self._best_epoch = value, index + 1
        self._seen = len(history)
        if self._seen - self._best_epoch < self.epochs:
            return None
        return f"no better {self.metric} for {self.epochs} epochs"


@dataclass
class GradientBelow:
    """Ends when the norm of the loss's gradient, at the last step of an epoch, is small."""

    threshold: float
    norm: Callable[[], float]

    def met(self, history: History) -> str | None:
        """Reads the norm that the last step computed."""
        norm = self.norm()
        if norm >= self.threshold:
            return None
        return f"gradient norm {norm:.3g} below {self.threshold:g}"


@dataclass
class NoMistakes:
    """Ends when `count`, of training rows that are not classified rightly, is 0."""

    count: Callable[[], int]

    def met(self, history: History) -> str | None:
        """Looks at the weights that the last step of the epoch left."""
        return "every training row is classified rightly" if self.count() == 0 else None


def conditions(
    stops: Sequence[Stop],
    columns: Sequence[str],
    higher: Callable[[str], bool],
    norm: Callable[[], float] | None,
    mistakes: Callable[[], int] = lambda: 0,
) -> list[Condition]:
    """The conditions on epochs that a recipe asks for; durations are read by `time_limit`.

    `columns` are the figures there will be, `higher` says of a figure whether more is better,
    `norm` reads the gradient's norm, `mistakes` counts the training rows that are not classified
    rightly. Raises NN391 for a figure that there is not.
    """
    found: list[Condition] = []
    for stop in stops:
        if stop.word == "patience":
            metric = str(stop.arguments["metric"])
            check_figure(metric, columns, stop.span)
            epochs = stop.arguments["epochs"]
            count = epochs.value if isinstance(epochs, TimeLength) else epochs
            found.append(Patience(metric, max(1, round(count)), higher(metric)))
        elif stop.word == "gradient_below":
            if norm is None:
                raise ValueError("the training program computes no gradient norm")
            found.append(GradientBelow(float(stop.arguments["threshold"]), norm))
        elif stop.word == "no_mistakes":
            found.append(NoMistakes(mistakes))
    return found


def time_limit(stops: Sequence[Stop]) -> float | None:
    """Seconds after which training ends, of the shortest duration among the conditions."""
    lengths = [stop.arguments["length"] for stop in stops if stop.word == "duration"]
    seconds = [length.value * SECONDS[length.unit] for length in lengths]
    return min(seconds, default=None)


def check_figure(name: str, columns: Sequence[str], span: Span | None) -> None:
    """Raise NN391 when a figure that training should watch will not be computed."""
    figures = [c for c in columns if c not in ("epoch", "step", "learning_rate")]
    if name in figures:
        return
    if name.startswith("val_") and not any(c.startswith("val_") for c in columns):
        raise error(
            "NN391",
            f"there are no validation rows, so there is no `{name}` to watch",
            span,
            "needs validation rows",
            help="give the data a validation part, such as `split = [64%, 16%, 20%]`",
        )
    raise error(
        "NN391",
        f"training computes no figure `{name}`",
        span,
        "not computed",
        help="one of " + ", ".join(f"`{c}`" for c in figures),
    )
