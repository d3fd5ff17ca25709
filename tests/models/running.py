"""Models of the canon as jobs that a test can run step by step, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nndsl import compilation, driver
from nndsl.data import split_rows
from nndsl.diagnostics import Source
from nndsl.lower.result import Network
from nndsl.model.expectations import written_weights
from nndsl.model.training import Options, make_job
from nndsl.random import permutation
from nndsl.train.initial import initial_parameters
from nndsl.train.job import TrainingJob
from nndsl.train.plan import Plan, plan
from nndsl.train.replay import do_steps
from nndsl.train.streams import in_streams

MODELS = Path(__file__).resolve().parents[2] / "models"
Arrays = dict[str, np.ndarray]


def model_text(name: str) -> str:
    return (MODELS / f"{name}.nn").read_text(encoding="utf-8")


def opened(name: str, **settings: str) -> driver.Opened:
    return driver.open_file(MODELS / f"{name}.nn", None, settings)


def opened_text(text: str, folder: Path = MODELS, **settings: str) -> driver.Opened:
    return driver.open_source(Source("m.nn", text), folder, None, settings)


def answers(found: driver.Opened, net: str, inputs: np.ndarray) -> np.ndarray:
    """What a net with its weights in the file says, through float64 kernels: [rows, outputs]."""
    network = found.module.networks[net]
    weights = written_weights(network)
    assert weights is not None
    return compilation.answer(network, weights, {only_input(network): inputs.astype(np.float64)})


def only_input(network: Network) -> str:
    (name,) = network.inputs
    return name


@dataclass
class Stepper:
    """A `train` section in float64 that does steps when told."""

    job: TrainingJob
    plan: Plan
    done: int = 0

    def step(self, count: int = 1) -> float:
        """Do steps; the data's part of the loss of the last one."""
        assert do_steps(self.job, self.plan, self.done, count) == count
        self.done += count
        return float(self.job.training.output("data_loss"))

    @property
    def start(self) -> Arrays:
        """The weights before the first step, in the graph's layout."""
        return initial_parameters(self.job.network, self.job.seed)

    @property
    def weights(self) -> Arrays:
        """The weights now."""
        return self.job.training.parameters()

    def batch(self, step: int) -> np.ndarray:
        """Which training rows a step sees, in their order."""
        epoch, position = divmod(step, self.plan.steps_per_epoch)
        order = permutation(self.plan.data_rows, self.job.seed, epoch)
        return order[position * self.plan.batch : (position + 1) * self.plan.batch]

    def rows(self, step: int) -> Arrays:
        """The arrays of a step's rows, inputs and targets."""
        return {name: array[self.batch(step)] for name, array in self.job.train.items()}


def job_of(found: driver.Opened, net: str = "") -> TrainingJob:
    """The section that trains `net` (else the only one), on the file's own split."""
    recipes = found.module.recipes
    (recipe,) = [r for r in recipes if r.net == net] if net else recipes
    specification = found.specification_of(recipe)
    table, schema = found.tables[specification.name], found.module.schemas[specification.name]
    split = split_rows(table, schema, specification, recipe.seed)
    return make_job(found, recipe, split, Options(threads=1))[0]


def stepper(found: driver.Opened, net: str = "") -> Stepper:
    """The section that trains `net` (else the only one), before its first step."""
    job = job_of(found, net)
    job = in_streams(job) if job.recipe.carry else job
    assert job.recipe.precision == "float64"
    for name, array in job.train.items():
        job.training.bind(name, array)
    at_start = Stepper(job, plan(job.recipe, len(next(iter(job.train.values())))))
    job.training.set_parameters(at_start.start)
    return at_start
