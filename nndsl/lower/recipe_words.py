"""Words that only a `train` section knows: penalties, conditions of stopping, clipping, answers."""

from __future__ import annotations

from nndsl.params import Figure, Length, Real
from nndsl.vocab.registry import Word

PENALTIES = {
    "l2": Word(
        "l2",
        {"coefficient": Real(doc="what half the sum of squares is multiplied by", ge=0)},
        "Half the sum of the squared weights, times a number.",
    ),
    "l1": Word(
        "l1",
        {"coefficient": Real(doc="what the sum of absolute values is multiplied by", ge=0)},
        "The sum of the weights' absolute values, times a number.",
    ),
}

CLIPS = {
    "norm": Word(
        "norm",
        {"norm": Real(doc="greatest norm of all gradients together", gt=0)},
        "Gradients longer than the limit are scaled down to it.",
        "Pascanu et al. 2013, On the difficulty of training recurrent neural networks",
    ),
    "value": Word(
        "value",
        {"value": Real(doc="greatest size of each number of a gradient", gt=0)},
        "Every number of a gradient that is larger becomes the limit.",
    ),
}

RULES = {
    "perceptron": Word(
        "perceptron",
        {"rate": Real(1.0, "how far the line is turned", gt=0)},
        "Every row on the wrong side turns the line: w <- w + rate t x.",
        "Rosenblatt 1958",
    )
}

RULE_SETTINGS = {
    "perceptron": {
        "loss": "perceptron",
        "optimizer": "sgd({rate!r})",
        "batch": "1",
        "penalty": "none",
        "keep": "last",
    }
}
"""The settings that a rule stands for, with its arguments in their places."""

STOPS = {
    "patience": Word(
        "patience",
        {
            "epochs": Length(doc="epochs without a better figure"),
            "metric": Figure("val_loss", "the figure"),
        },
        "Ends when a figure has not been better than its best for some epochs.",
    ),
    "gradient_below": Word(
        "gradient_below",
        {"threshold": Real(doc="norm of the gradient", gt=0)},
        "Ends when the norm of the gradient is small.",
    ),
    "no_mistakes": Word("no_mistakes", {}, "Ends when every training row is classified rightly."),
}
