"""Figures of a network on rows of data: losses, metrics, and what they are worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nndsl.lower.result import Recipe
from nndsl.schema import TargetKind
from nndsl.train import figures
from nndsl.train.job import Arrays, Evaluation, Output, Scores, TrainingJob, Verdict, row_count
from nndsl.vocab.answers import decided
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Metric
from nndsl.vocab.metrics import confusion_matrix
from nndsl.vocab.registry import WordCall, words

LOSS = "data_loss"
_DEFAULT = {TargetKind.CLASSES: ("accuracy",), TargetKind.NUMBERS: ("r2",)}
_OF_PIXELS = ("accuracy", "dice")
OF_PLACES = ("accuracy", "perplexity")
OF_SERIES = ("mae", "rmse", "r2")
_MOST_COUNTED = 256
"""Classes of which a table of mistakes is kept; of a vocabulary nobody would read it."""
_SORT = {TargetKind.CLASSES: "classes", TargetKind.NUMBERS: "numbers"}


class Scorer:
    """Scores one part of the data. The metrics are the recipe's, else accuracy or R2.

    With several outputs the figures of the second and later ones are named `<output>.<metric>`;
    the losses of several updates, which come first, `<update>.loss`.
    """

    def __init__(self, executable: Evaluation, recipe: Recipe, outputs: Sequence[Output]) -> None:
        self._executable = executable
        self._first = outputs[0] if outputs else None
        self.answer = recipe.answer
        self._losses = [turn.figure for turn in recipe.turns]
        self._measures = [
            (_figure_name(metric, output, position), metric, output)
            for position, output in enumerate(outputs)
            for metric in metrics_of(recipe, output.kind, default_metrics(output))
        ]

    @property
    def names(self) -> list[str]:
        """Names of the metrics, in order."""
        return [*self._losses, *(name for name, _, _ in self._measures)]

    @property
    def measured(self) -> list[str]:
        """Names of the metrics of outputs, in order."""
        return [name for name, _, _ in self._measures]

    def higher_is_better(self, name: str) -> bool:
        """Whether more is better, for `val_loss`, `val_accuracy`, `accuracy`, ..."""
        bare = name.split("_", 1)[-1] if name.startswith(("val_", "train_", "test_")) else name
        known = {own: metric.word for own, metric, _ in self._measures}
        word = known.get(bare)
        return isinstance(word, Metric) and word.higher_is_better

    def score(self, arrays: Arrays) -> Scores:
        """Losses, metrics and outputs of some rows."""
        outputs = self._executable.evaluate(arrays)
        pairs: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        metrics = {name: float(outputs[name]) for name in self._losses}
        for name, metric, output in self._measures:
            if output.name not in pairs:
                where = outputs.get(output.places)
                pairs[output.name] = judged(output, outputs[output.name], arrays, where)
            metrics[name] = measured(metric, *pairs[output.name], self.answer)
        return Scores(row_count(arrays), float(outputs[LOSS]), metrics, outputs)

    def mistakes(self, arrays: Arrays) -> int:
        """How many rows the first output, of classes, does not classify rightly."""
        assert self._first is not None  # only where a target has classes
        values = self._executable.evaluate(arrays)[self._first.name]
        predictions, actual = judged(self._first, values, arrays)
        return int(np.sum(decided(self.answer, predictions) != actual))


def judged(
    output: Output, values: np.ndarray, arrays: Arrays, where: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets as metrics want them.

    Classes: probabilities [n, C] and indices [n]. Numbers: [n, k] both, in the target's own unit.
    Of pictures n counts the pixels of all rows, and numbers are single ones; of sequences it
    counts the places, or those where `where` is not 0.
    """
    targets = arrays[output.target][:]
    if output.pictures:
        return by_pixel(output, values, targets)
    if output.sequence:
        counted = slice(None) if where is None else where.reshape(-1) != 0
        shares = probabilities(values.reshape(targets.size, -1))
        return shares[counted], targets.reshape(-1)[counted]
    if output.kind is TargetKind.CLASSES:
        return probabilities(values), targets.reshape(len(targets))
    predictions = values.reshape(len(values), -1).astype(np.float64)
    actual = targets.reshape(len(targets), -1).astype(np.float64)
    if output.restore is None:
        return predictions, actual
    return output.restore(predictions), output.restore(actual)


def by_pixel(
    output: Output, values: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [rows, C, height, width] as rows of pixels: predictions and targets."""
    if output.kind is TargetKind.CLASSES:
        shares = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
        return probabilities(shares), targets.reshape(-1)
    pair = values.astype(np.float64), targets.astype(np.float64)
    if output.restore is not None:
        pair = output.restore(pair[0]), output.restore(pair[1])
    return pair[0].reshape(-1, 1), pair[1].reshape(-1, 1)


def probabilities(values: np.ndarray) -> np.ndarray:
    """One column a class; a single number is the probability of the second of two classes."""
    flat = values.reshape(len(values), -1)
    return np.concatenate((1 - flat, flat), axis=1) if flat.shape[1] == 1 else flat


def final_figures(job: TrainingJob, scorer: Scorer) -> tuple[dict[str, float], Verdict | None]:
    """All figures of a finished training by name (`test_accuracy`), and what the test ones say.

    Training rows are scored where that was asked for, or where there are no others.
    """
    metrics, judgement = dict[str, float](), None
    alone = row_count(job.validation) == row_count(job.test) == 0
    train = job.train if job.score_train or alone else {}
    for part, arrays in (("train", train), ("val", job.validation), ("test", job.test)):
        if row_count(arrays) == 0:
            continue
        scores = scorer.score(arrays)
        metrics[f"{part}_loss"] = scores.loss
        metrics |= {f"{part}_{name}": value for name, value in scores.metrics.items()}
        if part == "test" and scorer.measured:
            judgement = verdict(
                job.outputs[0], scorer.measured[0], job.train, job.test, scores, scorer.answer
            )
    return metrics, judgement


def verdict(
    output: Output,
    name: str,
    train: Arrays,
    test: Arrays,
    scores: Scores,
    answer: WordCall | None = None,
) -> Verdict:
    """The figure called `name` of an output on the test rows, beside its baseline."""
    values, where = scores.outputs[output.name], scores.outputs.get(output.places)
    predictions, actual = judged(output, values, test, where)
    if output.kind is TargetKind.NUMBERS:
        if output.naive is not None:
            always = output.naive(test)
        else:
            _, known = judged(output, train[output.target], train)
            always = np.tile(known.mean(axis=0), (len(actual), 1))
        baseline = measured(call(words("metric")[name]), always, actual)
        naive = output.naive is not None
        return Verdict(name, scores.metrics[name], scores.rows, baseline, naive=naive)
    known = train[output.target][:].reshape(-1)
    few = predictions.shape[1] <= _MOST_COUNTED
    said = predictions
    if few or answer is not None:
        said, actual = answered(predictions, actual, answer)
    right, rows = int(np.sum(np.argmax(said, axis=1) == actual)), len(actual)
    matrix = confusion_matrix(said, actual, predictions.shape[1]) if few else None
    by_accuracy = name == "accuracy" and rows > 0
    independent = by_accuracy and output.independent
    return Verdict(
        name,
        scores.metrics[name],
        rows,
        figures.majority_share(known, actual) if by_accuracy else math.nan,
        figures.wilson_interval(right, rows) if independent else None,
        right,
        output.classes,
        matrix,
        () if matrix is None else tuple(figures.recalls(matrix)),
        len(predictions) - rows,
    )


def default_metrics(output: Output) -> tuple[str, ...]:
    """The metrics of an output where none are asked for."""
    if output.sequence:
        return OF_PLACES
    if output.naive is not None:
        return OF_SERIES
    by_pixel = output.pictures and output.kind is TargetKind.CLASSES
    return _OF_PIXELS if by_pixel else _DEFAULT[output.kind]


def metrics_of(recipe: Recipe, kind: TargetKind, default: Sequence[str]) -> list[WordCall]:
    """The metrics that a recipe asks for and that fit a sort of target, else the default ones."""
    fitting = [
        asked
        for asked in recipe.metrics
        if isinstance(asked.word, Metric) and asked.word.targets == _SORT[kind]
    ]
    return fitting or [call(words("metric")[name]) for name in default]


def measured(
    metric: WordCall,
    predictions: np.ndarray,
    targets: np.ndarray,
    answer: WordCall | None = None,
) -> float:
    """What a metric says of predictions and targets as `judged` gives them.

    `answer` is how shares become an answer. NaN where a metric of answers finds none, or nothing
    is judged.
    """
    if not len(targets):
        return math.nan
    word = metric.word
    assert isinstance(word, Metric)
    assert word.measure is not None
    if answer is not None and word.targets == "classes" and word.judges != "shares":
        only_answered = word.judges == "answers"
        predictions, targets = answered(predictions, targets, answer, leave_out=only_answered)
        if not len(targets):
            return math.nan
    return float(word.measure(predictions, targets, **metric.arguments))


def answered(
    shares: np.ndarray, targets: np.ndarray, answer: WordCall | None, *, leave_out: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Shares [n, C] as answers, 1 for the class answered, with their targets [n].

    Rows without an answer are left out, or are rows of zeros.
    """
    said = decided(answer, shares)
    has_answer = said >= 0
    hot = np.zeros(shares.shape)
    hot[np.flatnonzero(has_answer), said[has_answer]] = 1.0
    return (hot[has_answer], targets[has_answer]) if leave_out else (hot, targets)


def _figure_name(metric: WordCall, output: Output, position: int) -> str:
    return metric.name if position == 0 else f"{output.name}.{metric.name}"
