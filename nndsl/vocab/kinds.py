"""The sorts of words. Each adds to `Word` the part that only it has; all of it is data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

import numpy as np

from nndsl.ir.graph import Builder, Value
from nndsl.ir.types import Dimension
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.vocab.registry import Word, WordCall

NO_EXPRESSION = constant(0.0)


@dataclass(frozen=True)
class Activation(Word):
    """A function of one number `x` (and of its arguments, as variables of their names)."""

    expression: Expression = NO_EXPRESSION
    initializer: str = "glorot_uniform"  # for the weights before it, when `init` is left out
    kinks: tuple[float, ...] = ()  # where the derivative jumps, at the default arguments
    onnx: str = ""


class LayerContext(Protocol):
    """What a layer may ask of the one who builds it (`lower`)."""

    build: Builder
    training: bool
    judging: bool  # whether an objective is computed to be told, on rows that do not train
    reverse: bool  # whether sequences are gone through from their end

    def parameter(
        self,
        name: str,
        shape: tuple[Dimension, ...],
        *,
        initializer: WordCall | None = None,
        values: np.ndarray | float | None = None,
        fan_in: int = 1,
        fan_out: int = 1,
        axes: tuple[int, ...] | None = None,
        decays: bool = True,
    ) -> Value:
        """A learnt array called `name` in this layer's part.

        `initializer` None leaves the choice to the activation that follows; `values` are given
        start values, in the file layout or one number for all. `axes` is the transposition from
        the shape here to the layout that people and files see; `decays` says whether penalties
        act on it (weights do, biases do not).
        """

    def state(self, name: str, shape: tuple[Dimension, ...], *, start: float = 0.0) -> Value:
        """An array called `name` in this layer's part that is kept from step to step.

        It is full of `start` before the first step. Its present value: the input, or what
        `update` has put in its place since.
        """

    def update(self, name: str, value: Value) -> None:
        """Let the state called `name` be `value` after the step."""

    def remark(self, text: str, keeping: str = "") -> None:
        """How the size came about, for messages; `keeping` is the argument that would keep it."""

    def mask(self, value: Value) -> Value | None:
        """Of a sequence [N, T, ...] that may end before its last place: [N, T], 0 behind it."""

    def weights_at(self, path: tuple[str, ...]) -> Sequence[Value]:
        """The learnt arrays made so far at the path of a shared stage."""

    def stream(self) -> int:
        """A number for a random stream that no other part of the network uses."""


LayerBuild = Callable[[LayerContext, Sequence[Value], Mapping[str, Any]], Value]
SeveralBuild = Callable[[LayerContext, Sequence[Value], Mapping[str, Any]], Sequence[Value]]


@dataclass(frozen=True)
class Layer(Word):
    """A stage with an axis, weights or randomness. `operands` = least and greatest number.

    Where `init` is left out, the weights before are chosen by the activation that follows:
    `transparent` lets the search look past this layer, `initializer` ends it, as an activation's.
    `takes` is the shape that the input of its example is declared with. A layer that gives several
    results has `several` in place of `make`.
    """

    make: LayerBuild | None = None
    operands: tuple[int, int | None] = (1, 1)
    transparent: bool = False
    initializer: str = ""
    takes: str = "[4]"
    several: SeveralBuild | None = None


@dataclass(frozen=True)
class Loss(Word):
    """How wrong an output is.

    A scalar loss gives `expression` in `y` (prediction) and `t` (target), taken as the mean (or,
    with `over` "sum", the sum) over all elements of a row and then as the mean over the rows.
    Targets are as `targets` says: "numbers" (of a class its number, or a one-hot row), "signs"
    (likewise, but -1 and 1), "shares" (numbers of at least 0 that add up to 1 in a row, of a class
    its one-hot row) or "classes". A loss of "shares" or "classes" gives `rows` instead, which
    builds one number for each row from the logits [N, C] and the targets ([N, C], or INDEX [N]).
    `joint` names the activation whose inverse the loss undoes ("sigmoid", "softmax", "step"): then
    `expression`/`rows` is written in the logits, and outputs without that activation are logits.
    The argument `weights`, where there is one, multiplies a row's loss by the weight of its class.
    """

    expression: Expression | None = None
    over: str = "mean"  # "sum": the terms of one row are added up, not averaged
    rows: Callable[[Builder, Value, Value, Mapping[str, Any]], Value] | None = None
    joint: str = ""
    targets: str = "numbers"


@dataclass(frozen=True)
class Optimizer(Word):
    """One update of a weight `p` with gradient `g`, as formulas.

    `state` names what is kept for each weight (0 at the start). `scalars` are computed once a
    step in float64, of the arguments and of `t` (1 at the first step), in order, each may use
    those before it. `running` are numbers of that kind that are kept from step to step (0 at the
    start), each with its next value. `step` gives the next value of each state and of `p` (the
    last), from the values before the step; a next value may be used by later formulas under the
    name `next_<state>`. `norms` are Euclidean norms over a whole parameter, of formulas that may
    use next states; the formula of `p` may use them.
    The rate is the argument `lr`; every Real argument may be a schedule.
    """

    state: tuple[str, ...] = ()
    scalars: Mapping[str, Expression] = field(default_factory=dict)
    running: Mapping[str, Expression] = field(default_factory=dict)
    norms: Mapping[str, Expression] = field(default_factory=dict)
    step: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule(Word):
    """A number that changes with time.

    `expression` is in `step` (0 at the schedule's start), `length` (its own length in steps),
    `steps_per_epoch`, and the arguments; arguments of type Length arrive in steps.
    """

    expression: Expression = NO_EXPRESSION


@dataclass(frozen=True)
class Initializer(Word):
    """Start values of weights: `sample(uniform or normal numbers, fans, arguments)`.

    `sample` gets `Draw` (numbers of this parameter's own stream), the shape, fan_in and fan_out.
    `law` is the letter of its distribution where it has one: "N" with the mean and variance in
    `numbers`, "U" with both ends, as formulas in fan_in, fan_out and the arguments.
    """

    sample: Callable[[Draw, tuple[int, ...], int, int, Mapping[str, Any]], np.ndarray] | None = None
    law: str = ""
    numbers: tuple[Expression, ...] = ()


class Draw(Protocol):
    """Random numbers of one stream."""

    def uniform(self, count: int) -> np.ndarray:
        """Numbers in [0, 1), float64."""

    def normal(self, count: int) -> np.ndarray:
        """Standard normal numbers, float64."""


@dataclass(frozen=True)
class Metric(Word):
    """A figure of merit: `measure(predictions, targets, **arguments)`, arrays over all rows.

    For classes, predictions are probabilities [n, C] and targets indices [n]; for numbers both
    are [n] or [n, k] in the target's own unit. `judges` says which predictions a metric of classes
    is given: "answers" (1 for the class answered, rows with an answer only), "shares" (of all
    rows, whatever the answer), "refusals" (as answers, and a row of zeros for one without).
    `of_pictures`: unasked it is told of pictures only, where every pixel has its class;
    `of_sequences`: of sequences only, where every place has one.
    """

    measure: Callable[..., float] | None = None
    targets: str = "classes"  # or "numbers"
    higher_is_better: bool = True
    judges: str = "answers"
    of_pictures: bool = False
    of_sequences: bool = False


@dataclass(frozen=True)
class Generator(Word):
    """A data source that makes its rows: `make(arguments)` gives the columns by name.

    Arrays [rows, channels, height, width] of bytes are pictures, others are [rows] numbers. What a
    row is depends on the arguments and its number alone; fewer rows are the first of more.
    `size(arguments)` is how many bytes they take. `target` is predicted unless something else is
    said.
    """

    make: Callable[[Mapping[str, Any]], dict[str, np.ndarray]] | None = None
    size: Callable[[Mapping[str, Any]], int] | None = None
    target: str = ""


@dataclass(frozen=True)
class Preprocessing(Word):
    """A step on columns: learns from the training part, applies anywhere, may be turned back.

    Values are float64 arrays [n] with NaN for missing, or arrays of str (None for missing) when
    `accepts` is "category". `apply` gives [n] or [n, width]. A step that makes several numbers of
    one says how many with `numbers(arguments)`; its `invert` gives [n, 1]. Where the numbers are no
    quantities but ids, `ids(arguments)` says how many there are, and `padding` is the id that fills
    up what is shorter than others.
    """

    fit: Callable[[np.ndarray, Mapping[str, Any]], dict[str, Any]] | None = None
    apply: Callable[[np.ndarray, Mapping[str, Any], Mapping[str, Any]], np.ndarray] | None = None
    invert: Callable[[np.ndarray, Mapping[str, Any], Mapping[str, Any]], np.ndarray] | None = None
    accepts: str = "number"  # "number" | "category"
    numbers: Callable[[Mapping[str, Any]], int] | None = None
    ids: Callable[[Mapping[str, Any]], int] | None = None
    padding: int | None = None
