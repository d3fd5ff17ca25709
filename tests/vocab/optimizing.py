"""Runs the formulas of an optimizer as written: the slow meaning of a training step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.scalar.evaluation import evaluate
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Optimizer
from nndsl.vocab.registry import words

STEPS = 1000


def definition(name: str) -> Optimizer:
    word = words("optimizer")[name]
    assert isinstance(word, Optimizer)
    return word


def gradient(p: np.ndarray, step: int) -> np.ndarray:
    """The gradient of a bumpy bowl, with a part that changes from step to step."""
    return 0.3 * p + np.sin(3 * p) + 0.1 * np.cos(0.7 * step + np.arange(p.size))


def run(name: str, arguments: Mapping[str, Any]) -> np.ndarray:
    """The weights after 1,000 steps of the formulas in float64."""
    bound = bind_arguments(definition(name), (), arguments)
    optimizer = definition(name)
    numbers = {k: float(v) for k, v in bound.items()}
    p = start()
    states: dict[str, Any] = {state: np.zeros_like(p) for state in optimizer.state}
    states |= dict.fromkeys(optimizer.running, 0.0)
    for step in range(STEPS):
        values: dict[str, Any] = {**numbers, **states, "p": p, "g": gradient(p, step)}
        values["t"] = float(step + 1)
        for scalar, formula in optimizer.scalars.items():
            values[scalar] = evaluate(formula, values)
        for target, formula in (*optimizer.running.items(), *optimizer.step.items()):
            if target == "p":
                norms = {n: evaluate(e, values) for n, e in optimizer.norms.items()}
                values |= {n: np.linalg.norm(vector) for n, vector in norms.items()}
            values[f"next_{target}"] = evaluate(formula, values)
        states = {state: values[f"next_{state}"] for state in states}
        p = values["next_p"]
    return p


def start() -> np.ndarray:
    return np.linspace(-2.0, 2.0, 7)


# name, arguments here, the class in torch.optim, its arguments
TORCH: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("sgd", {"lr": 0.01}, "SGD", {"lr": 0.01}),
    (
        "sgd",
        {"lr": 0.01, "momentum": 0.9, "decay": 0.01},
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01},
    ),
    (
        "sgd",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    ),
    ("adam", {"lr": 0.01}, "Adam", {"lr": 0.01}),
    (
        "adam",
        {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "decay": 0.02},
        "Adam",
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.02},
    ),
    ("adamw", {"lr": 0.01, "decay": 0.05}, "AdamW", {"lr": 0.01, "weight_decay": 0.05}),
    ("amsgrad", {"lr": 0.01}, "Adam", {"lr": 0.01, "amsgrad": True}),
    ("adagrad", {"lr": 0.1}, "Adagrad", {"lr": 0.1}),
    ("rmsprop", {"lr": 0.01}, "RMSprop", {"lr": 0.01}),
    (
        "rmsprop",
        {"lr": 0.001, "rho": 0.9, "momentum": 0.9, "decay": 0.01},
        "RMSprop",
        {"lr": 0.001, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.01},
    ),
    (
        "rmsprop",
        {"lr": 0.001, "momentum": 0.5, "centered": True},
        "RMSprop",
        {"lr": 0.001, "momentum": 0.5, "centered": True},
    ),
    ("adadelta", {"lr": 0.5}, "Adadelta", {"lr": 0.5}),
    ("adamax", {"lr": 0.01, "decay": 0.02}, "Adamax", {"lr": 0.01, "weight_decay": 0.02}),
    ("nadam", {"lr": 0.01}, "NAdam", {"lr": 0.01}),
    (
        "nadam",
        {"lr": 0.01, "decay": 0.02, "warmup": 0.01, "beta1": 0.8},
        "NAdam",
        {"lr": 0.01, "weight_decay": 0.02, "momentum_decay": 0.01, "betas": (0.8, 0.999)},
    ),
    ("radam", {"lr": 0.01, "decay": 0.02}, "RAdam", {"lr": 0.01, "weight_decay": 0.02}),
]
