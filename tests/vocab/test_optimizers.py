"""Optimizers: formulas against plain NumPy loops of the published rule, and against torch.optim."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nndsl.scalar.inspection import variables
from nndsl.vocab.registry import words
from tests.vocab.optimizing import STEPS, TORCH, definition, gradient, run, start

NAMES = list(words("optimizer"))
Loop = Callable[[], np.ndarray]


def loop_sgd() -> np.ndarray:
    p, v = start(), np.zeros(7)
    for step in range(STEPS):
        g = gradient(p, step) + 0.01 * p
        v = 0.9 * v + g
        p = p - 0.01 * (g + 0.9 * v)
    return p


def loop_momentum() -> np.ndarray:
    p, v = start(), np.zeros(7)
    for step in range(STEPS):
        v = 0.9 * v - 0.01 * gradient(p, step)
        p = p + v
    return p


def loop_nesterov() -> np.ndarray:
    """As taught: the gradient at the point ahead; the weights told are the points ahead."""
    p, v = start(), np.zeros(7)
    ahead = p + 0.9 * v
    for step in range(STEPS):
        v = 0.9 * v - 0.01 * gradient(ahead, step)
        p = p + v
        ahead = p + 0.9 * v
    return ahead


def loop_adam() -> np.ndarray:
    p, m, s = start(), np.zeros(7), np.zeros(7)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        p = p - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return p


def loop_adamw() -> np.ndarray:
    p, m, s = start(), np.zeros(7), np.zeros(7)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        p = p - 0.01 * 0.05 * p
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        p = p - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return p


def loop_amsgrad() -> np.ndarray:
    p, m, s, most = start(), np.zeros(7), np.zeros(7), np.zeros(7)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        most = np.maximum(most, s)
        p = p - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(most / (1 - 0.999**t)) + 1e-8)
    return p


def loop_adagrad() -> np.ndarray:
    p, s = start(), np.zeros(7)
    for step in range(STEPS):
        g = gradient(p, step)
        s = s + g**2
        p = p - 0.1 * g / (np.sqrt(s) + 1e-10)
    return p


def loop_rmsprop() -> np.ndarray:
    p, s, v = start(), np.zeros(7), np.zeros(7)
    for step in range(STEPS):
        g = gradient(p, step)
        s = 0.99 * s + 0.01 * g**2
        v = 0.9 * v + g / (np.sqrt(s) + 1e-8)
        p = p - 0.001 * v
    return p


def loop_adadelta() -> np.ndarray:
    p, s, v = start(), np.zeros(7), np.zeros(7)
    for step in range(STEPS):
        g = gradient(p, step)
        s = 0.9 * s + 0.1 * g**2
        change = np.sqrt(v + 1e-6) / np.sqrt(s + 1e-6) * g
        v = 0.9 * v + 0.1 * change**2
        p = p - change
    return p


def loop_lion() -> np.ndarray:
    p, m = start(), np.zeros(7)
    for step in range(STEPS):
        g = gradient(p, step)
        direction = np.sign(0.9 * m + 0.1 * g)
        p = p - 0.001 * (direction + 0.1 * p)
        m = 0.99 * m + 0.01 * g
    return p


def loop_adamax() -> np.ndarray:
    p, m, u = start(), np.zeros(7), np.zeros(7)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        m = 0.9 * m + 0.1 * g
        u = np.maximum(0.999 * u, np.abs(g) + 1e-8)
        p = p - 0.01 / (1 - 0.9**t) * m / u
    return p


def loop_nadam() -> np.ndarray:
    """Dozat's algorithm, with the schedule of his paper: mu = 0.9 (1 - 0.5 * 0.96^(t / 250))."""
    p, m, s, product = start(), np.zeros(7), np.zeros(7), 1.0
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (i / 250)) for i in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        ahead = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        p = p - 0.01 * ahead / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return p


def loop_radam() -> np.ndarray:
    p, m, s = start(), np.zeros(7), np.zeros(7)
    most = 2 / (1 - 0.999) - 1
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        mean = m / (1 - 0.9**t)
        length = most - 2 * t * 0.999**t / (1 - 0.999**t)
        if length <= 5:
            p = p - 0.01 * mean
            continue
        trust = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
        p = p - 0.01 * mean * np.sqrt(trust) * np.sqrt(1 - 0.999**t) / (np.sqrt(s) + 1e-8)
    return p


def loop_lamb() -> np.ndarray:
    p, m, s = start(), np.zeros(7), np.zeros(7)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        direction = (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-6) + 0.05 * p
        p = p - 0.01 * np.linalg.norm(p) / np.linalg.norm(direction) * direction
    return p


LOOPS: dict[str, tuple[dict[str, Any], Loop]] = {
    "sgd": ({"lr": 0.01, "momentum": 0.9, "nesterov": True, "decay": 0.01}, loop_sgd),
    "momentum": ({"lr": 0.01}, loop_momentum),
    "nesterov": ({"lr": 0.01}, loop_nesterov),
    "adam": ({"lr": 0.01}, loop_adam),
    "adamw": ({"lr": 0.01, "decay": 0.05}, loop_adamw),
    "amsgrad": ({"lr": 0.01}, loop_amsgrad),
    "adagrad": ({"lr": 0.1}, loop_adagrad),
    "rmsprop": ({"lr": 0.001, "momentum": 0.9}, loop_rmsprop),
    "adadelta": ({"lr": 1.0}, loop_adadelta),
    "lion": ({"lr": 0.001, "decay": 0.1}, loop_lion),
    "adamax": ({"lr": 0.01}, loop_adamax),
    "nadam": ({"lr": 0.01}, loop_nadam),
    "radam": ({"lr": 0.01}, loop_radam),
    "lamb": ({"lr": 0.01, "decay": 0.05}, loop_lamb),
}


@pytest.mark.parametrize("name", NAMES)
def test_against_a_plain_loop(name: str) -> None:
    arguments, loop = LOOPS[name]
    np.testing.assert_allclose(run(name, arguments), loop(), rtol=0, atol=1e-12)


@pytest.mark.peers
@pytest.mark.parametrize(("name", "arguments", "peer", "settings"), TORCH)
def test_against_torch(
    name: str, arguments: dict[str, Any], peer: str, settings: dict[str, Any]
) -> None:
    import torch

    p = torch.tensor(start(), dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, peer)([p], **settings)
    for step in range(STEPS):
        p.grad = torch.from_numpy(gradient(p.detach().numpy(), step))
        optimizer.step()
    np.testing.assert_allclose(run(name, arguments), p.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_formulas_read_only_what_is_declared(name: str) -> None:
    word = definition(name)
    known = {"p", "g", "t", *word.parameters, *word.state}
    for scalar, formula in word.scalars.items():
        assert set(variables(formula)) <= {"t", *word.parameters, *word.scalars}
        known.add(scalar)
    for target, formula in (*word.running.items(), *word.step.items()):
        own = {target} if target in word.running else set()
        assert set(variables(formula)) <= known | own | (set(word.norms) if target == "p" else own)
        known.add(f"next_{target}")
    for formula in word.norms.values():
        assert set(variables(formula)) <= known - {"next_p"}
    assert list(word.step)[-1] == "p"
    assert next(iter(word.parameters)) == "lr"
