"""Activations and their slopes beside PyTorch's, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate
from tests.vocab.test_activations import formula, inputs

pytestmark = pytest.mark.peers


def peers() -> dict[str, Callable[[Any], Any]]:
    from torch.nn import functional

    return {
        "relu": functional.relu,
        "relu6": functional.relu6,
        "leaky_relu": functional.leaky_relu,
        "elu": functional.elu,
        "selu": functional.selu,
        "celu": functional.celu,
        "sigmoid": functional.sigmoid,
        "log_sigmoid": functional.logsigmoid,
        "tanh": functional.tanh,
        "hard_sigmoid": functional.hardsigmoid,
        "hard_tanh": functional.hardtanh,
        "hard_swish": functional.hardswish,
        "softplus": functional.softplus,
        "softsign": functional.softsign,
        "silu": functional.silu,
        "mish": functional.mish,
        "gelu": functional.gelu,
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "thresholded_relu": lambda x: functional.threshold(x, 1.0, 0.0),
        "hard_shrink": functional.hardshrink,
        "soft_shrink": functional.softshrink,
        "tanh_shrink": functional.tanhshrink,
    }


def test_values_and_slopes_are_pytorchs(rng: np.random.Generator) -> None:
    import torch

    for name, peer in peers().items():
        x = inputs(name, rng)
        given = torch.tensor(x, requires_grad=True)
        value = peer(given)
        value.sum().backward()
        f = formula(name)
        slope = np.broadcast_to(evaluate(differentiate(f, "x"), {"x": x}), x.shape)
        expected = value.detach().numpy()
        # PyTorch's sixth is one of float32, its softplus a straight line from 20 on
        rough = {"hard_sigmoid": 1e-7, "hard_swish": 1e-7, "softplus": 1e-8}
        close = {"rtol": rough.get(name, 1e-12), "atol": 1e-13, "err_msg": name}
        np.testing.assert_allclose(evaluate(f, {"x": x}), expected, **close)
        np.testing.assert_allclose(slope, given.grad.numpy(), **close)
