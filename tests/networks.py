"""Small networks built by hand, for tests and benchmarks of what follows lowering."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

import nndsl.vocab.optimizers  # noqa: F401 (registers)
from nndsl.ir.graph import Builder, Graph, Role, Value
from nndsl.ir.types import BATCH, ElementType, TensorType
from nndsl.lower.result import OptimizerUse
from nndsl.ops.classes import SoftmaxCrossEntropy
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.passes.pipeline import Pass
from nndsl.scalar import functions as f
from nndsl.vocab.registry import WordCall, words

x0, x1 = operand(0), operand(1)
ACTIVATIONS = {
    "relu": f.maximum(x0, 0.0),
    "elu": f.where(x0 > 0, x0, f.expm1(x0)),
    "tanh": f.tanh(x0),
    "sigmoid": f.sigmoid(x0),
}


def without(passes: Iterable[Pass], names: Iterable[str]) -> tuple[Pass, ...]:
    """The passes but those named: an optimisation switched off."""
    left_out = set(names)
    return tuple(p for p in passes if p.name not in left_out)


def perceptron(sizes: Sequence[int], activation: str, loss: str) -> Graph:
    """A dense network with outputs "y", "loss", "data_loss"; `loss`: classes, binary or mse."""
    build = Builder()
    value = build.input("x", TensorType((BATCH, sizes[0])), Role.DATA)
    for layer, (before, after) in enumerate(pairwise(sizes), 1):
        build.label = f"dense[{layer}]"
        weight = build.input(f"w{layer}", TensorType((before, after)), Role.PARAMETER)
        bias = build.input(f"b{layer}", TensorType((after,)), Role.PARAMETER)
        value = add_map(build, x0 + x1, build.add(MatMul(), value, weight), bias, name="z")
        if layer < len(sizes) - 1:
            value = add_map(build, ACTIVATIONS[activation], value, name="a")
    build.label = "loss"
    build.graph.outputs["y"] = value
    total = add_mean(build, _losses(build, value, loss))
    build.graph.outputs |= {"loss": total, "data_loss": total}
    return build.graph


def _losses(build: Builder, value: Value, loss: str) -> Value:
    if loss == "classes":
        classes = build.input("t", TensorType((BATCH,), ElementType.INDEX), Role.TARGET)
        return build.add_all(SoftmaxCrossEntropy(), value, classes)[0]
    target = build.input("t", value.type, Role.TARGET)
    term = f.softplus(x0) - x0 * x1 if loss == "binary" else (x0 - x1) * (x0 - x1)
    return add_map(build, term, value, target, name="term")


def optimizer(graph: Graph, word: str, **numbers: float) -> tuple[OptimizerUse, ...]:
    """One optimizer for all parameters."""
    names = tuple(n for n, i in graph.inputs.items() if i.role is Role.PARAMETER)
    found = words("optimizer")[word]
    defaults = {n: p.default for n, p in found.parameters.items() if not p.required}
    return (OptimizerUse(WordCall(found, {**defaults, **numbers}), {}, names),)


def start_values(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights to begin with: uniform, by the number of inputs."""
    random = np.random.default_rng(seed)
    values = {}
    for name, entry in graph.inputs.items():
        if entry.role is Role.PARAMETER:
            shape = entry.value.type.shape
            values[name] = random.uniform(-1, 1, shape) / np.sqrt(shape[0])
    return values


def data_for(
    graph: Graph, rows: int, classes: int = 3, dtype: str = "float32", seed: int = 1
) -> dict[str, np.ndarray]:
    """Rows for every DATA and TARGET input."""
    random = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for name, entry in graph.inputs.items():
        if entry.role not in (Role.DATA, Role.TARGET):
            continue
        shape = (rows, *entry.value.type.shape[1:])
        if entry.value.type.element is ElementType.INDEX:
            arrays[name] = random.integers(0, classes, shape).astype(np.int32)
        elif entry.role is Role.TARGET:
            arrays[name] = random.integers(0, 2, shape).astype(dtype)
        else:
            arrays[name] = random.standard_normal(shape).astype(dtype)
    return arrays
