"""What a training needs and what it returns. Everything arrives compiled and ready to run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from typing import Any, Protocol

import numpy as np

from nndsl.data.images.distorter import Levels
from nndsl.diagnostics import Diagnostic
from nndsl.ir.graph import Graph, Role
from nndsl.lower.result import Network, Recipe
from nndsl.records import dataclass
from nndsl.schema import TargetKind
from nndsl.train.folder import RunFolder
from nndsl.train.history import History
from nndsl.train.plan import Plan
from nndsl.train.record import RunRecord

Arrays = Mapping[str, np.ndarray]
"""Rows of data under the names of a graph's inputs, targets included: [rows, ...] each."""

LOSS_SUM = "run.loss_sum"
GRADIENT_NORM = "gradient_norm"


class Evaluation(Protocol):
    """What gives a network's outputs for rows."""

    def evaluate(self, arrays: Arrays, /) -> dict[str, np.ndarray]:
        """Outputs for all rows, in their order; scalars as means over the rows."""


class Stepping(Protocol):
    """What training asks of a compiled step (`nndsl.runtime.executable` and `rounds` are such).

    What a step does depends on parameters, states, bound rows, seed and step number alone.
    """

    def bind(self, name: str, array: np.ndarray, /) -> None:
        """Use these rows for one input from now on. They must not change while bound."""

    def run(
        self,
        first_step: int,
        steps: int,
        /,
        *,
        seed: int = 0,
        shuffle: bool = False,
        rows: int | None = None,
        epoch_rows: int | None = None,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> int:
        """Do steps, `epoch_rows` of the rows in each epoch; the number done.

        `steps_per_epoch` is given when the rows are part of an epoch of so many steps.
        Fewer are done when the loss was not finite at the last of them.
        """

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of the learnt arrays, in the graph's layout."""

    def set_parameters(self, values: Arrays, /) -> None:
        """Replace learnt arrays."""

    def states(self) -> dict[str, np.ndarray]:
        """Copies of what is kept from step to step."""

    def set_states(self, values: Arrays, /) -> None:
        """Replace states."""

    def is_finite(self) -> bool:
        """Whether no parameter and no state holds NaN or infinity."""

    def memory(self, name: str, /) -> np.ndarray:
        """A state itself, not a copy."""

    def copies(self, names: Collection[str], /) -> dict[str, np.ndarray]:
        """Copies of some parameters and states, in the graph's layout."""

    def output(self, name: str, /) -> np.ndarray:
        """An output of the last step."""


class Executable(Stepping, Evaluation, Protocol):
    """A compiled program that does steps and gives outputs (`nndsl.runtime.executable` is one)."""

    def take(self, other: Any, names: Collection[str], /) -> None:
        """Copy some parameters and states from another executable of the same kind."""


class Feeding(Protocol):
    """What makes the rows of a training where they are not simply there (`nndsl.train.feeding`)."""

    @property
    def count(self) -> int:
        """Rows of an epoch."""

    def run(self, executable: Stepping, plan: Plan, first: int, steps: int) -> int:
        """Do steps from number `first` on; the number done."""

    def batch(self, plan: Plan, step: int) -> dict[str, np.ndarray]:
        """The rows of one step."""

    def state(self) -> dict[str, np.ndarray]:
        """What it must know to go on, beside the step and the executable's state."""

    def set_state(self, values: Arrays) -> None:
        """Go on from another moment."""


@dataclass(frozen=True)
class Output:
    """One output of the network, and the target that it is judged by.

    `restore` turns numbers back into the target's own unit: [rows, k] -> [rows, k], of `pictures`
    [rows, channels, height, width]; `prepare` makes of single numbers in their own unit what the
    network is to say: [rows, 1] -> [rows, k]. The answers of pictures are their pixels,
    those of a `sequence` its places. `naive` says of some rows of a series that nothing changes:
    [rows, k] in the target's own unit. `places` names the output of the evaluation that is not 0
    where an answer counts ("": they all do).
    """

    name: str
    target: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    restore: Callable[[np.ndarray], np.ndarray] | None = None
    pictures: bool = False
    prepare: Callable[[np.ndarray], np.ndarray] | None = None
    sequence: bool = False
    naive: Callable[[Arrays], np.ndarray] | None = None
    places: str = ""

    @property
    def independent(self) -> bool:
        """Whether each answer is that of a row of its own: pixels and places of one row are not."""
        return not (self.pictures or self.sequence)


@dataclass(frozen=True)
class TrainingJob:
    """One `train` section, ready to run.

    `training` computes a step with its updates, `evaluation` the outputs and the loss in inference
    mode. `initial` are the weights (and states) to start from; None: drawn as the network says.
    `graph` is the training graph with gradients and updates, for explaining a divergence (None
    where there are several updates).
    `documents` are files that the run folder gets beside training's own (`model.nn`, ...).
    """

    recipe: Recipe
    network: Network
    training: Stepping
    evaluation: Executable
    outputs: tuple[Output, ...]
    train: Arrays
    validation: Arrays
    test: Arrays
    seed: int = 0
    threads: int = 1
    shuffle: bool = True
    feed: Feeding | None = None  # makes the training rows; None: they are bound as they are
    levels: Mapping[str, Levels] = field(default_factory=dict)  # of inputs that are pictures
    initial: Arrays | None = None
    graph: Graph | None = None
    folder: RunFolder | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    record: RunRecord | None = None
    notes: tuple[Diagnostic, ...] = ()  # about the data, told when training begins
    save_seconds: float = 60.0  # between checkpoints
    is_member: bool = False  # of an ensemble, whose folder has the documents
    score_train: bool = False  # also give figures of the training rows, at the cost of a pass


def row_count(arrays: Arrays) -> int:
    """How many rows; 0 without any array."""
    return next((len(array) for array in arrays.values()), 0)


def inference_states(network: Network) -> list[str]:
    """The states that inference needs beside the weights: running statistics."""
    return [given.value.name for given in network.graph.of_role(Role.STATE)]


def part_rows(job: TrainingJob) -> dict[str, int]:
    """How many rows each part of the data has."""
    parts = {"train": job.train, "validation": job.validation, "test": job.test}
    return {name: row_count(arrays) for name, arrays in parts.items()}


def record_of(job: TrainingJob, status: str, **what: Any) -> RunRecord:
    """The record of a job in some status, with what is known of it (fields of `RunRecord`)."""
    base = job.record or RunRecord(status, job.network.name)
    known: dict[str, Any] = {
        "network": job.network.name,
        "seed": job.seed,
        "threads": job.threads,
        "precision": job.recipe.precision,
        "rows": part_rows(job),
        **what,
    }
    return replace(base, status=status, **known)


@dataclass(frozen=True)
class Scores:
    """Figures of one part of the data: the loss, the metrics by name, the outputs by name."""

    rows: int
    loss: float
    metrics: Mapping[str, float]
    outputs: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Verdict:
    """How good the first output is on the test rows, and what that is worth.

    `interval` is the 95 % Wilson interval of the accuracy, `baseline` the figure of always saying
    the most frequent class or the mean, or (`naive`) that a series does not change, `confusion`
    counts [actual, predicted]. Of classes `rows` are those that got an answer, `refused` those that
    got none.
    """

    metric: str
    value: float
    rows: int
    baseline: float
    interval: tuple[float, float] | None = None
    right: int | None = None
    classes: tuple[str, ...] = ()
    confusion: np.ndarray | None = None
    recalls: tuple[float, ...] = ()
    refused: int = 0
    naive: bool = False


@dataclass(frozen=True)
class RunResult:
    """What came of a training.

    `parameters` (graph layout) and `states` (of the inference graph) are those of `best_epoch`, or
    the last where none was kept. `metrics` has `train_loss`, `val_loss`, `test_accuracy`, ...
    Of an ensemble the weights and best epochs are those of `members`, and the rest is of all
    together: history and losses are the means of theirs, other figures those of common answers.
    """

    status: str  # "finished" or "interrupted"
    reason: str
    history: History = field(repr=False)
    parameters: dict[str, np.ndarray] = field(repr=False)
    states: dict[str, np.ndarray] = field(repr=False)
    metrics: dict[str, float]
    epochs: int
    steps: int
    best_epoch: int | None
    seconds: float
    verdict: Verdict | None = None
    exit_code: int = 0  # 130 or 143 after an interruption
    signalled: int = 0  # the same, also when the signal came too late to interrupt this training
    members: tuple[RunResult, ...] = ()  # of an ensemble, those that are trained
