"""What a network says where its answer is a picture: for files, for figures, for people."""

from __future__ import annotations

import numpy as np

from nndsl.data import Prepared, invert_pictures
from nndsl.data.images.writing import are_bytes
from nndsl.data.predictions import Prediction
from nndsl.lower.result import Recipe
from nndsl.schema import Schema, TargetKind, TargetSchema
from nndsl.train.job import Output
from nndsl.train.scoring import by_pixel, default_metrics, measured, metrics_of, probabilities
from nndsl.vocab.answers import decided
from nndsl.vocab.registry import WordCall


def classes_by_pixel(values: np.ndarray, answer: WordCall | None) -> np.ndarray:
    """Class numbers [rows, 1, height, width], -1 for none, of shares [rows, C, height, width]."""
    rows, channels, height, width = values.shape
    shares = probabilities(values.transpose(0, 2, 3, 1).reshape(-1, channels))
    return decided(answer, shares).reshape(rows, 1, height, width)


def picture_prediction(
    target: TargetSchema, values: np.ndarray, answer: WordCall | None, schema: Schema
) -> Prediction:
    """An output [rows, C, height, width] as the answer for a target of pictures."""
    if target.kind is TargetKind.CLASSES:
        return Prediction(target, classes_by_pixel(values, answer), values)
    return Prediction(
        target, invert_pictures(target, values), None, as_bytes=are_bytes(target, schema)
    )


def picture_figures(
    output: Output, prediction: Prediction, prepared: Prepared, recipe: Recipe, prefix: str
) -> dict[str, float]:
    """The metrics of predicted pictures, over the pixels of all rows."""
    target, given = prediction.target, prediction.probabilities
    actual = prepared.targets[target.name][:]
    if given is None:
        pair = prediction.values, invert_pictures(target, actual)
        predictions, actual = (one.reshape(-1, 1) for one in pair)
    else:
        predictions, actual = by_pixel(output, given, actual)
    return {
        prefix + metric.name: measured(metric, predictions, actual, recipe.answer)
        for metric in metrics_of(recipe, target.kind, default_metrics(output))
    }
