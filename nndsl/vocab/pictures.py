"""Pictures of a finished run: what its report may show, each as one definition.

A picture looks at a run and gives figures as data; who draws them is no concern of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nndsl.params import Parameter
from nndsl.records import dataclass
from nndsl.vocab.answers import decided
from nndsl.vocab.figures import Confusion, Figure, Histogram, Line, Lines
from nndsl.vocab.metrics import confusion_matrix
from nndsl.vocab.registry import Word, WordCall, register

MOST_POINTS = 2000
"""Points of a scatter: more hide each other."""
MOST_HISTOGRAMS = 24
LEAST_NUMBERS = 8
"""Of an array whose numbers are drawn as a histogram."""
LOGARITHMIC = 30.0
"""Losses whose largest is so many times the smallest are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Judged:
    """What a network said of some rows, and what was right.

    Classes: `predictions` are shares [rows, classes], `actual` class numbers [rows]. Numbers (then
    `classes` is empty): both are [rows, k], in the target's own unit. `part` says which rows,
    `shares_target` that another output answers for the same target, `answer` how shares become an
    answer (None: the most likely class). Where an answer is a picture, `image` is its channels,
    height and width (of classes one channel), and rows are the pixels of one after another; where
    it is a sequence, its length, and rows are the places.
    """

    output: str
    target: str
    part: str
    classes: tuple[str, ...]
    predictions: np.ndarray
    actual: np.ndarray
    shares_target: bool = False
    answer: WordCall | None = None
    image: tuple[int, ...] = ()

    @property
    def pixels(self) -> int:
        """How many answers one row of the data has."""
        return math.prod(self.image)

    @property
    def unit(self) -> str:
        """What has one answer each: rows, their pixels or places."""
        if len(self.image) == 1:
            return "places"
        return "pixels" if self.image else "rows"

    @property
    def said(self) -> np.ndarray:
        """The numbers of the classes answered, -1 for none: [rows]."""
        return decided(self.answer, self.predictions)

    def largest(self, row: int) -> list[tuple[str, float]]:
        """The two classes with the largest shares of a row, and these."""
        order = np.argsort(-self.predictions[row], kind="stable")[:2]
        return [(self.classes[int(i)], float(self.predictions[row, i])) for i in order]

    @property
    def title(self) -> str:
        """What its pictures and tables are called: the target, with the output where need be."""
        return f"{self.target} by {self.output}" if self.shares_target else self.target


@dataclass(frozen=True)
class Example:
    """What a network makes of one row that did not train.

    `name` says which row, `told` what it is and what it was taken for. `image` is the row as a
    picture of numbers from 0 to 1, [height, width] or [height, width, 3] in red, green and blue;
    None when it is none. `maps` are what layers give, [channels, height, width] by their names.
    """

    name: str
    told: str
    image: np.ndarray | None
    maps: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Plane:
    """What a network says over the plane of two columns of numbers.

    `points` [rows, 2] are the rows that are `judged`, `shares` [y, x, classes] the answers at the
    points of a grid; all numbers are as the table has them.
    """

    columns: tuple[str, str]
    points: np.ndarray
    x: np.ndarray
    y: np.ndarray
    shares: np.ndarray
    judged: Judged


class Run(Protocol):
    """What a picture may look at."""

    @property
    def history(self) -> Mapping[str, Sequence[float]]:
        """Figures of each epoch by name: `epoch`, `train_loss`, `val_accuracy` ..."""

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept; None when they are the last."""

    @property
    def weights(self) -> Mapping[str, np.ndarray]:
        """Learnt arrays by path, in the layout that people see: [outputs, inputs]."""

    @property
    def judged(self) -> Sequence[Judged]:
        """Each output on rows that did not train; empty when the data is not at hand."""

    def example(self, row: int, place: str | None) -> Example | None:
        """What becomes of a row, counted from 1, of those that did not train.

        `place` is the path of a stage or named line; None: those worth looking at. None when there
        is no such row.
        """

    def reconstructed(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Rows that did not train and what the network makes of them, as pictures.

        Both [rows, height, width] or [rows, height, width, 3], of numbers from 0 to 1. None where
        its answer is no picture of its input.
        """

    def sampled(self, net: str | None, count: int) -> tuple[str, np.ndarray] | None:
        """A net of the run and its answers to random numbers, as such pictures.

        None where they are none, or where no net is named and none is fed by noise alone.
        """

    def plane(self, steps: int) -> Plane | None:
        """The first output over the plane of the input's two columns, on a grid of so many steps
        each way; None where there are not two, or no classes.
        """


Shapes = Mapping[str, tuple[int | str, ...]]
"""Learnt arrays by path with their sizes, in the layout that people see; for pictures of what
stages give, stages by path with the shape of their output for one row."""


@dataclass(frozen=True)
class Picture(Word):
    """A picture in the report of a run: `draw(run, arguments)` gives its figures.

    `standard` ones are in every report that they fit, and `section` is the part of it where they
    stand ("learning", "answers", "weights", "pictures"). `problem(shapes, arguments)` says what the
    arguments would have to be for this network ("" when they are right).
    """

    draw: Callable[[Run, Mapping[str, Any]], Sequence[Figure]] | None = None
    problem: Callable[[Shapes, Mapping[str, Any]], str] | None = None
    standard: bool = False
    needs_rows: bool = False
    section: str = "pictures"


def picture(
    name: str,
    draw: Callable[[Run, Mapping[str, Any]], Sequence[Figure]],
    doc: str,
    see: str = "",
    *,
    problem: Callable[[Shapes, Mapping[str, Any]], str] | None = None,
    standard: bool = False,
    needs_rows: bool = False,
    section: str = "pictures",
    **parameters: Parameter,
) -> None:
    """Define a picture."""
    register(
        Picture(name, parameters, doc, see, draw, problem, standard, needs_rows, section),
        f"train Net {{ report = [{name}] }}",
    )


# --- the course of the training -------------------------------------------------------------

NOT_FIGURES = ("epoch", "step", "learning_rate", "train_loss", "val_loss")


def _curves(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    epochs = run.history.get("epoch", ())
    if not epochs:
        return []
    losses = [n for n in run.history if n.startswith("train_") and n.endswith(".loss")]
    of_updates = [name.partition("_")[2] for name in losses]
    found: list[Figure] = [_over_epochs(run, "Loss", _both(run, "loss"))] if not of_updates else []
    found += [_over_epochs(run, _title(figure), _both(run, figure)) for figure in of_updates]
    for name in run.history:
        if name not in NOT_FIGURES and name.partition("_")[2] not in of_updates:
            found.append(_over_epochs(run, _title(name), [name]))
    if len(set(run.history.get("learning_rate", ()))) > 1:
        found.append(_over_epochs(run, "Learning rate", ["learning_rate"]))
    return found


def _both(run: Run, figure: str) -> list[str]:
    """A figure of the training and of the validation rows."""
    return [n for n in (f"train_{figure}", f"val_{figure}") if n in run.history]


def _over_epochs(run: Run, title: str, names: Sequence[str]) -> Lines:
    epochs = [float(e) for e in run.history["epoch"]]
    lines = tuple(Line(spoken(n), epochs, run.history[n]) for n in names)
    values = [v for n in names for v in run.history[n] if math.isfinite(v)]
    wide = title == "Loss" and min(values, default=0) > 0
    return Lines(
        title,
        ". ".join(_told(spoken(n), run.history[n], run.best_epoch) for n in names),
        lines,
        "epoch",
        marks=_best_mark(run, names[-1]),
        y_log=wide and max(values) > LOGARITHMIC * min(values),
    )


def _best_mark(run: Run, name: str) -> tuple[tuple[float, float, str], ...]:
    best = run.best_epoch
    if best is None or name == "learning_rate":
        return ()
    values = dict(zip(run.history["epoch"], run.history[name], strict=True))
    return ((float(best), values[best], f"kept: epoch {best}"),) if best in values else ()


SPOKEN = {
    "r2": "R²",
    "f1": "F1",
    "pr_auc": "area under precision over recall",
    "median_ae": "median absolute error",
    "max_error": "greatest error",
}
LETTERS = ("auc", "mcc", "rmse", "mse", "mae", "mape")
_PARTS = {"val": "validation", "train": "training", "test": "test"}


def spoken(name: str) -> str:
    """A figure as people say it: `val_accuracy` is `validation accuracy`."""
    part, _, rest = name.partition("_")
    if part in _PARTS and rest:
        return f"{_PARTS[part]} {spoken(rest)}"
    output, _, metric = name.rpartition(".")
    if output:
        return f"{spoken(metric)} of {output}"
    return name.upper() if name in LETTERS else SPOKEN.get(name, name.replace("_", " "))


def _title(name: str) -> str:
    said = spoken(name)
    return said[:1].upper() + said[1:]


def _told(name: str, values: Sequence[float], best: int | None) -> str:
    known = [v for v in values if math.isfinite(v)]
    if not known:
        return f"{name}: no numbers"
    text = f"{name} from {known[0]:.3g} in the first to {known[-1]:.3g} in the last of "
    text += f"{len(values)} epochs, between {min(known):.3g} and {max(known):.3g}"
    return text if best is None else f"{text}; epoch {best} was kept"


picture(
    "curves",
    _curves,
    "Losses, metrics and the learning rate over the epochs, the kept epoch marked.",
    standard=True,
    section="learning",
)

# --- what it says of new rows ---------------------------------------------------------------


def confusion_of(judged: Judged) -> np.ndarray:
    """How often each class [actual, predicted] was said."""
    said, classes = judged.said, len(judged.classes)
    answered = said >= 0
    return confusion_matrix(np.eye(classes)[said[answered]], judged.actual[answered], classes)


def _confusion(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    found: list[Figure] = []
    for judged in run.judged:
        if judged.classes:
            counts = confusion_of(judged)
            right = int(np.trace(counts))
            told = f"{right:,} of {len(judged.actual):,} {judged.part} {judged.unit} "
            told += "are in their own class"
            refused = len(judged.actual) - int(counts.sum())
            told += f", {refused:,} have no answer" if refused else ""
            title = f"{judged.title}: actual and predicted classes"
            found.append(Confusion(title, told, counts, judged.classes))
    return found


picture(
    "confusion",
    _confusion,
    "The confusion matrix: how often each class was taken for each.",
    standard=True,
    needs_rows=True,
    section="answers",
)


def _predictions(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    found: list[Figure] = []
    for judged in run.judged:
        if not judged.classes:
            for column in range(judged.actual.shape[1]):
                found += _against_actual(judged, column)
    return found


def _against_actual(judged: Judged, column: int) -> list[Figure]:
    step = -(-len(judged.actual) // MOST_POINTS)
    actual = judged.actual[:, column].astype(np.float64)
    said = judged.predictions[:, column].astype(np.float64)
    errors = said - actual
    low, high = float(min(actual.min(), said.min())), float(max(actual.max(), said.max()))
    told = (
        f"{len(actual):,} {judged.part} rows; half of the predictions are within "
        f"{np.median(np.abs(errors)):.3g} of the actual {judged.target}"
    )
    several = judged.actual.shape[1]
    name = judged.title if several == 1 else f"{judged.title}, {column + 1} of {several}"
    points = Line("rows", actual[::step].tolist(), said[::step].tolist(), dots=True)
    ideal = Line("right", [low, high], [low, high], dashed=True)
    return [
        Lines(
            f"{name}: predicted against actual",
            told,
            (points, ideal),
            "actual",
            "predicted",
            square=True,
        ),
        histogram(f"{name}: predicted minus actual", errors, "residual"),
    ]


def histogram(title: str, values: np.ndarray, x_label: str = "") -> Histogram:
    """The histogram of finite numbers; about as many bars as the cube root of twice the rows."""
    known = values[np.isfinite(values)].astype(np.float64)
    wanted = min(40, max(8, math.ceil(2 * len(known) ** (1 / 3))))
    if len(known) == 0:
        return Histogram(title, "no numbers", [0.0, 1.0], [0.0], x_label)
    low, high = float(known.min()), float(known.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(known, wanted, (low, high))
    quarter, middle, most = np.quantile(known, (0.25, 0.5, 0.75))
    told = f"{len(known)} values from {known.min():.3g} to {known.max():.3g}, "
    told += f"half of them between {quarter:.3g} and {most:.3g}, median {middle:.3g}"
    return Histogram(title, told, edges.tolist(), counts.tolist(), x_label)


picture(
    "predictions",
    _predictions,
    "Predicted against actual numbers, and how far they are apart.",
    standard=True,
    needs_rows=True,
    section="answers",
)

# --- weights --------------------------------------------------------------------------------


def _spread(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    names = [name for name, array in run.weights.items() if array.size >= LEAST_NUMBERS]
    return [histogram(name, run.weights[name].reshape(-1)) for name in names[:MOST_HISTOGRAMS]]


picture(
    "weight_spread",
    _spread,
    "A histogram of the learnt numbers of each array.",
    standard=True,
    section="weights",
)
