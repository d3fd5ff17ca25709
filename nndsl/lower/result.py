"""What lowering makes of a file: networks as graphs, training as recipes, expectations, lints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import prod
from typing import Any

import numpy as np

from nndsl.diagnostics import Diagnostic, Span
from nndsl.ir.graph import Graph, Value
from nndsl.params import TimeLength
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.schema import Schema
from nndsl.syntax import tree
from nndsl.vocab.registry import WordCall


@dataclass(frozen=True)
class ParameterInfo:
    """A learnt array. `name` is its path: `dense[2].weight`, `trunk.dense.bias`.

    `shape` is the layout inside the graph; `axes` the transposition to the layout that people and
    files see (None: the same). `values` are start values written in the file, in the graph's
    layout; else `initializer` (never None here) draws them.
    """

    name: str
    shape: tuple[int, ...]
    initializer: WordCall
    fan_in: int
    fan_out: int
    axes: tuple[int, ...] | None = None
    values: np.ndarray | None = None
    decays: bool = True
    span: Span | None = None
    owner: str = ""  # the net that the array belongs to, when it is another one used as a stage

    @property
    def size(self) -> int:
        """How many numbers; 0 while a size is known only with the data."""
        if not all(isinstance(size, int) for size in self.shape):
            return 0
        return prod(self.shape)


@dataclass(frozen=True)
class Part:
    """A stage of the network as written, for summaries, diagrams and names of weights.

    `inputs` and `output` are values of the inference graph; `parent` is the path of the block it
    stands in ("" at the top); `text` the stage as written with its arguments, `shown` with values
    in place of names, `word` the word or block name.
    """

    path: str
    word: str
    text: str
    parent: str
    inputs: tuple[Value, ...]
    output: Value
    parameters: tuple[str, ...] = ()
    is_block: bool = False
    span: Span | None = None
    shown: str = ""


@dataclass(frozen=True)
class Settling:
    """A `settle`: its state before and behind each of `limit` steps, [N, limit, ...], in the
    inference graph; a pair for each memory of a cell. `within` so many recurrences there is an axis
    of steps for each of these before that of its own.
    """

    path: str
    states: tuple[tuple[Value, Value], ...]
    limit: int
    tolerance: float
    span: Span | None = None
    within: int = 0


@dataclass(frozen=True)
class Inferred:
    """Something that was left out of the source, what was taken, and why: for `show defaults`."""

    what: str
    taken: str
    why: str = ""
    span: Span | None = None


JOINT = "+"
"""Between the names of nets that are trained together, in the name of all."""


@dataclass
class Network:
    """A lowered `net`: the inference graph and all that is known of its parts.

    The inference graph's inputs have Role.DATA under the names of the net's inputs (one input:
    "input") and Role.PARAMETER under the parameters' paths; its outputs are "output" or the
    names of the last line, in order.
    """

    name: str
    data: str | None
    graph: Graph
    parameters: dict[str, ParameterInfo]
    parts: list[Part]
    inputs: dict[str, tuple[int | str, ...]]
    inferred: list[Inferred] = field(default_factory=list)
    span: Span | None = None
    points: dict[str, Value] = field(default_factory=dict)  # named lines, by path
    wiring: tuple[tuple[str, str], ...] = ()  # of nets trained together: what is fed to which
    settlings: tuple[Settling, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all sizes of weights are known; not so in a check without the data."""
        return all(isinstance(d, int) for p in self.parameters.values() for d in p.shape)

    @property
    def parameter_count(self) -> int:
        """How many numbers are learnt."""
        return sum(p.size for p in self.parameters.values())


Number = float | Expression
"""A constant, or an expression of the clock's variables (`CLOCK_NAMES`): a schedule."""


@dataclass(frozen=True)
class Penalty:
    """`coefficient` times l1: sum |w|, or l2: sum w^2 / 2, over the parameters named."""

    kind: str
    coefficient: float
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class OptimizerUse:
    """An optimizer with its numbers, for the parameters named; `rate` multiplies `lr`."""

    optimizer: WordCall
    numbers: Mapping[str, Number]
    parameters: tuple[str, ...]
    rate: float = 1.0


@dataclass(frozen=True)
class Restraint:
    """What is done to a weight after each update.

    First the lectures' weight decay (1 - `decay`)(w + dw); then the weights into each unit are
    scaled down to the norm `max_norm` where theirs is greater. Units follow one another along
    `axis` of the graph's layout.
    """

    decay: float = 0.0
    max_norm: float | None = None
    axis: int = 0


PLATEAU = "run.plateau"
"""How the states begin that hold numbers of plateaus."""


@dataclass(frozen=True)
class Plateau:
    """A number of a schedule that falls when a figure no longer gets better.

    The state called `name` (a number, 1 at the start) holds it. It is looked at when an epoch
    ends: after `patience` epochs in a row without a figure `metric` that beats the best so far by
    more than `threshold` times its size, it is multiplied by `factor`, but stays at least `least`.
    """

    name: str
    metric: str
    patience: int
    factor: float
    least: float
    threshold: float
    span: Span | None = None


@dataclass(frozen=True)
class Stop:
    """One condition of `stop`: `patience(20, val_loss)`, `gradient_below(1e-4)`, a duration.

    Words and their arguments: "patience" (`epochs`: int, `metric`: str), "gradient_below"
    (`threshold`: float; the training graph then has the output `gradient_norm`), "duration"
    (`length`: TimeLength in seconds, minutes or hours), "no_mistakes".
    """

    word: str
    arguments: Mapping[str, Any]
    span: Span | None = None


@dataclass(frozen=True)
class Augment:
    """How the pictures that train are distorted, and how often each is shown in an epoch.

    `size` is the height and width that the chain gives where it is not that of the pictures: then
    the middle of this size is what is validated, tested and predicted.
    """

    chain: tuple[WordCall, ...] = ()
    copies: int = 1
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Guess:
    """That `output` tells the ids of `input`, of the data, and is judged by them.

    `places` names the output of the evaluation that is not 0 where it counts; "": everywhere.
    """

    output: str
    input: str
    places: str


@dataclass(frozen=True)
class Recipe:
    """One `train` section, ready to run.

    `graph` is the forward pass in training mode: the inference graph's inputs, Role.TARGET inputs
    under the targets' names, and the outputs `loss` (REAL scalar: mean over the batch's rows,
    with penalties), `data_loss` (the same without) beside the net's outputs.
    `length` is how long to train (epochs or steps); `batch` None means all rows.
    `evaluation` is the same forward pass in inference mode (no dropout, running statistics), with
    the same inputs: outputs `loss`, `data_loss`, and under the names of the net's outputs what
    people are shown: where a loss takes an output as logits, the softmax or sigmoid is applied.
    Validation runs it as it is; prediction runs it without the losses and the target inputs.
    `targets` gives the targets of each output: one, or several columns of numbers in order.
    `memory` is "small" where cheap values are made again rather than remembered.
    `report` are pictures that the report shows beside the standard ones.
    With `turns` (the `update` sections) a round does each of them; `graph` is the first one's, and
    the loss of the evaluation the sum of theirs.
    """

    net: str
    data: str | None
    graph: Graph
    loss: tuple[str, ...]  # for people, one for each output
    optimizers: tuple[OptimizerUse, ...]
    penalties: tuple[Penalty, ...] = ()
    restraints: Mapping[str, Restraint] = field(default_factory=dict)  # by parameter
    clip: WordCall | None = None
    batch: int | None = 32
    drop_last: bool = False
    length: TimeLength = TimeLength(300, "epoch")
    seed: int = 0
    precision: str = "float32"
    memory: str = "fast"
    stop: tuple[Stop, ...] = ()
    keep: str | None = "val_loss"  # metric whose best weights are restored; None: the last
    answer: WordCall | None = None  # None: the most likely class
    writing: WordCall | None = None  # how a text is continued; None: as the word's defaults say
    ensemble: WordCall | None = None  # None: one network
    metrics: tuple[WordCall, ...] = ()
    plateaus: tuple[Plateau, ...] = ()
    inferred: tuple[Inferred, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    span: Span | None = None
    evaluation: Graph | None = None
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guesses: tuple[Guess, ...] = ()  # outputs that an input judges
    report: tuple[WordCall, ...] = ()
    augment: Augment = field(default_factory=Augment)
    replay: WordCall | None = None  # None: an epoch shows all rows
    buckets: int = 0  # lengths to which batches of padded sequences are cut; 0: not
    carry: bool = False  # memories go on from batch to batch; rows are taken in streams
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, eq=False)
class Turn:
    """An `update` of a training: what a round does `times` times, in one round of every `every`.

    `recipe` is the training's with the graph, the optimizers and all else of this update. Its loss
    is called `<name>.loss` in the evaluation's outputs and in the figures.
    """

    name: str
    recipe: Recipe
    times: int = 1
    every: int = 1

    @property
    def figure(self) -> str:
        """The name of its loss."""
        return f"{self.name}.loss"

    def steps_before(self, rounds: int) -> int:
        """The steps that it does in the first rounds."""
        return self.times * (rounds // self.every)


@dataclass(frozen=True)
class Expectation:
    """An `expect` that must hold: judged by `lower.expectations.judge`."""

    condition: tree.Expression
    span: Span


@dataclass
class Module:
    """A whole file after lowering."""

    file: tree.File
    networks: dict[str, Network]
    recipes: list[Recipe]
    schemas: Mapping[str, Schema]
    expectations: list[Expectation]
    lints: list[Diagnostic] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    scope: Any = field(default=None, repr=False)  # what names stand for; `expectations` reads it
