"""A stand-in for compiled programs: softmax regression with momentum and noise, in NumPy.

It keeps the contract of `nndsl.train.job.Executable` to the letter, so that the training loop is
tested without a compiler.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from nndsl.ir.graph import Graph
from nndsl.lower.result import Network, OptimizerUse, ParameterInfo, Recipe
from nndsl.params import TimeLength
from nndsl.random import permutation, uniform_block
from nndsl.schema import TargetKind
from nndsl.train.job import Output, TrainingJob
from nndsl.vocab.kinds import Initializer, Optimizer
from nndsl.vocab.registry import WordCall

DOCUMENTS = {"model.nn": "net Double { dense(3) -> softmax }\n", "schema.json": "{}\n"}
INPUTS, CLASSES = 4, 3


class SoftmaxRegression:
    """weights [4, 3], bias [3]; v <- 0.9 v - lr g; inputs are shaken by noise of the step."""

    def __init__(self, lr: float = 0.1, batch: int = 16, threads: int = 1, delay: float = 0.0):
        self.lr, self.batch, self.delay = lr, batch, delay
        self.calls: list[tuple[int, int]] = []
        self._p = {
            "dense.weight": np.zeros((INPUTS, CLASSES), np.float32),
            "dense.bias": np.zeros(CLASSES, np.float32),
        }
        self._s = {f"velocity.{n}": np.zeros_like(a) for n, a in self._p.items()}
        self._s["run.loss_sum"] = np.zeros((), np.float64)
        self._data: dict[str, np.ndarray] = {}
        self._out: dict[str, np.ndarray] = {}

    def bind(self, name, array):
        self._data[name] = array

    def parameters(self):
        return {name: array.copy() for name, array in self._p.items()}

    def states(self):
        return {name: array.copy() for name, array in self._s.items()}

    def is_finite(self):
        return all(np.isfinite(a).all() for a in (*self._p.values(), *self._s.values()))

    def set_parameters(self, values: Mapping[str, np.ndarray]):
        for name, value in values.items():
            assert np.shape(value) == self._p[name].shape
            self._p[name][...] = value

    def set_states(self, values: Mapping[str, np.ndarray]):
        for name, value in values.items():
            self._s[name][...] = value

    def memory(self, name):
        return self._s[name] if name in self._s else self._p[name]

    def copies(self, names):
        return {name: self.memory(name).copy() for name in names}

    def take(self, other, names):
        for name in names:
            self.memory(name)[...] = other.memory(name)

    def output(self, name):
        return self._out[name].copy()

    def run(
        self, first_step, steps, *, seed=0, shuffle=False, rows=None, epoch_rows=None,
        total_steps=None,
    ):  # fmt: skip
        self.calls.append((first_step, steps))
        count = rows or len(self._data["input"])
        per_epoch = -(-(epoch_rows or count) // self.batch)
        for done in range(1, steps + 1):
            step = first_step + done - 1
            epoch, inside = divmod(step, per_epoch)
            order = permutation(count, seed, epoch) if shuffle else np.arange(count)
            chosen = order[inside * self.batch : (inside + 1) * self.batch]
            self._step(chosen, seed, step)
            if self.delay:
                time.sleep(self.delay)
            if not np.isfinite(self._out["loss"]):
                return done
        return steps

    def _step(self, rows, seed, step):
        noise = uniform_block(seed, 5, step, len(rows) * INPUTS).reshape(len(rows), INPUTS)
        x = (self._data["input"][rows] + 0.1 * noise).astype(np.float32)
        t = self._data["species"][rows]
        with np.errstate(all="ignore"):
            p, loss = self._forward(x, t)
            g = p - np.eye(CLASSES, dtype=np.float32)[t]
            gradients = {"dense.weight": x.T @ g / len(rows), "dense.bias": g.mean(axis=0)}
            for name, gradient in gradients.items():
                v = self._s[f"velocity.{name}"]
                v[...] = np.float32(0.9) * v - np.float32(self.lr) * gradient
                self._p[name] += v
            self._s["run.loss_sum"] += float(loss) * len(rows)
        norm = np.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
        self._out = {"loss": loss, "data_loss": loss, "gradient_norm": np.asarray(norm)}

    def _forward(self, x, t):
        z = x @ self._p["dense.weight"] + self._p["dense.bias"]
        z = z - z.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return np.exp(logs), np.asarray(-logs[np.arange(len(t)), t].mean())

    def evaluate(self, arrays):
        p, loss = self._forward(arrays["input"], arrays["species"])
        return {"output": p, "loss": loss, "data_loss": loss}


def zeros(draw, shape, fan_in, fan_out, arguments):
    return 0.1 * draw.normal(int(np.prod(shape))).reshape(shape)


def network() -> Network:
    draw = WordCall(Initializer("small", {}, sample=zeros))
    infos = [
        ParameterInfo("dense.weight", (INPUTS, CLASSES), draw, INPUTS, CLASSES, axes=(1, 0)),
        ParameterInfo("dense.bias", (CLASSES,), draw, INPUTS, CLASSES),
    ]
    return Network("Double", "iris", Graph(), {i.name: i for i in infos}, [], {"input": (INPUTS,)})


def recipe(epochs: float = 5, unit: str = "epoch", lr: float = 0.1, **settings) -> Recipe:
    use = OptimizerUse(WordCall(Optimizer("momentum")), {"lr": lr}, ("dense.weight", "dense.bias"))
    given = {"batch": 16, "length": TimeLength(epochs, unit), "net": "Double", "data": "iris"}
    return Recipe(
        **{**given, **settings}, graph=Graph(), loss=("cross_entropy",), optimizers=(use,)
    )


def flowers(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Three overlapping clouds of points."""
    random = np.random.default_rng(seed)
    t = random.integers(0, CLASSES, rows).astype(np.int32)
    x = random.normal(size=(rows, INPUTS)) + 1.5 * np.eye(CLASSES, INPUTS)[t]
    return {"input": x.astype(np.float32), "species": t}


OUTPUT = Output("output", "species", TargetKind.CLASSES, ("setosa", "versicolor", "virginica"))


def job(the_recipe: Recipe | None = None, lr: float = 0.1, delay: float = 0.0, **settings):
    the_recipe = the_recipe or recipe()
    batch = the_recipe.batch or 96
    given = {
        "train": flowers(96, 1),
        "validation": flowers(24, 2),
        "test": flowers(30, 3),
        "documents": DOCUMENTS,
        "training": SoftmaxRegression(lr, batch, delay=delay),
        "evaluation": SoftmaxRegression(lr, batch),
    }
    return TrainingJob(
        recipe=the_recipe, network=network(), outputs=(OUTPUT,), **{**given, **settings}
    )
