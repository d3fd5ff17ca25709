"""The manual page of a word as data: formulas, a plot, arguments, an example, the source.

Everything is read off the word's definition; `word_text.py` prints a page for a terminal and
`docs/make_words.py` for the language reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from nndsl import driver
from nndsl.diagnostics import NndslError, Source
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import BATCH, ElementType, TensorType
from nndsl.lower.result import Network, Recipe
from nndsl.lower.schedules import ScheduleReader
from nndsl.ops.base import Fusion, Op, operation_of
from nndsl.params import Length, Parameter, Real
from nndsl.passes.join import Join
from nndsl.passes.pipeline import CLEANING, run
from nndsl.passes.simplify import Simplify
from nndsl.records import dataclass
from nndsl.render.equations import Notation
from nndsl.render.formulas import Formula
from nndsl.render.formulas_of_words import symbolic_law, update_equations
from nndsl.render.functions import letter_functions, named_function
from nndsl.render.plots import Series
from nndsl.render.word_sorts import Example, Sort, example
from nndsl.render.writer import Equation, Writer
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.inspection import substitute, variables
from nndsl.scalar.latex import formula
from nndsl.scalar.piece import Level
from nndsl.vocab.arguments import call, usage, value_text
from nndsl.vocab.kinds import Activation, Initializer, Layer, Loss, Optimizer, Schedule
from nndsl.vocab.registry import Word

POINTS = 161
REACH = 4.0
"""Functions are drawn from -REACH to REACH."""
EPOCHS, STEPS_PER_EPOCH = 10, 20
"""The run that schedules are drawn over."""
CLASSES = 3


@dataclass(frozen=True)
class Argument:
    """One argument: name, what is allowed, its default ("" where there is none), its meaning."""

    name: str
    allowed: str
    default: str
    meaning: str
    may_change: bool  # a schedule may stand for it


@dataclass(frozen=True)
class Plot:
    """Lines of a word's function with the names of the axes."""

    series: tuple[Series, ...]
    x_label: str


@dataclass(frozen=True)
class WordPage:
    """All that is told of a word."""

    word: Word
    sort: Sort
    usage: str
    formulas: tuple[Formula, ...]
    plot: Plot | None
    arguments: tuple[Argument, ...]
    example: Example
    notes: tuple[str, ...]


def word_page(sort: Sort, word: Word) -> WordPage:
    """The page of a word."""
    lines = tuple(Formula(e.latex, e.where, e.note) for e in _equations(sort, word))
    arguments = tuple(argument(n, p) for n, p in word.parameters.items())
    return WordPage(
        word, sort, usage(word), lines, plot_of(word), arguments, example(sort, word),
        tuple(_notes(word)),
    )  # fmt: skip


def argument(name: str, parameter: Parameter) -> Argument:
    """An argument as the manual shows it."""
    default = parameter.default
    shown = "" if parameter.required or default is None else value_text(default).strip("`")
    may_change = isinstance(parameter, Real) and parameter.schedule
    return Argument(name, parameter.describe(), shown, parameter.doc, may_change)


def _notes(word: Word) -> Iterable[str]:
    if isinstance(word, Activation | Layer) and word.initializer:
        yield f"Weights before it start as `{word.initializer}` when `init` is left out."
    if isinstance(word, Loss) and word.joint:
        yield f"Computed jointly with `{word.joint}`; an output without it is taken as logits."


# --- formulas -------------------------------------------------------------------------------


def _equations(sort: Sort, word: Word) -> Iterable[Equation]:
    if isinstance(word, Activation):
        shown = _function(named_function(word.name), word.expression, "x")
        slope = differentiate(word.expression, "x")
        return [*shown, *map(Equation, letter_functions((word.expression, slope)))]
    if isinstance(word, Loss):
        return _loss(word)
    if isinstance(word, Optimizer):
        return update_equations(word, {})[0]
    if isinstance(word, Schedule) and word.expression.value not in (None, *word.parameters):
        return []  # a plateau waits for figures: no formula of the clock
    if isinstance(word, Schedule):
        names = {"step": ("t", Level.LEAF), "length": ("T", Level.LEAF)}
        note = "t steps after its start" + (
            ", T its length" if "length" in variables(word.expression) else ""
        )
        return [Equation(rf"s\left(t\right) = {formula(word.expression, names)}", note=note)]
    if isinstance(word, Initializer) and word.law:
        return [Equation(rf"w \sim {symbolic_law(word)}")]
    if isinstance(word, Layer):
        return _stage(example(sort, word), word.name)
    return []


def _function(name: str, expression: Expression, variable: str) -> Iterable[Equation]:
    shown = formula(expression)
    if shown != rf"\{expression.operator}\left({variable}\right)":  # as for tanh
        yield Equation(rf"{name}\left({variable}\right) = {shown}")
    slope = formula(differentiate(expression, variable))
    yield Equation(rf"{name}'\left({variable}\right) = {slope}")


def _loss(word: Loss) -> Iterable[Equation]:
    if word.expression is not None:
        name = rf"\ell\left(y, t\right) = {formula(word.expression)}"
        over = "the sum" if word.over == "sum" else "the mean"
        yield Equation(name, note=f"E is {over} over the outputs")
        slope = formula(differentiate(word.expression, "y"))
        yield Equation(rf"\frac{{\partial \ell}}{{\partial y}} = {slope}")
    elif word.rows is not None:
        yield Equation(f"E = {_rows_formula(word)}", note=f"of logits z, {CLASSES} classes")


def _rows_formula(word: Loss) -> str:
    """The loss of one row of logits z with a target t, from the nodes that it is built of."""
    assert word.rows is not None
    build = Builder()
    logits = build.input("z", TensorType((BATCH, CLASSES)), Role.DATA)
    classes = TensorType((BATCH,), ElementType.INDEX)
    is_class = word.targets == "classes"
    target = build.input("t", classes if is_class else logits.type, Role.TARGET)
    defaults = {n: p.default for n, p in word.parameters.items()}
    build.graph.outputs["rows"] = word.rows(build, logits, target, defaults)
    graph = run(build.graph, (Simplify(), Join(), *CLEANING))
    symbols = {logits: ("z", Level.LEAF), target: ("t", Level.LEAF)}
    return Writer(symbols, graph.producers()).piece(graph.outputs["rows"])[0]


TRAINED = """data d = table(p=[1, 2, 3], q=[2, 3, 1], r=[3, 1, 2], s=[1, 3, 2], y=[0, 1, 0]) {{
  target = y
}}
net Net on d {{
  {line}
  dense(2) -> softmax
}}
train Net {{ epochs = 1 }}
"""


def _stage(shown: Example, name: str) -> Iterable[Equation]:
    """The equations of a layer in the training pass of a small network."""
    found = _opened(TRAINED.format(line=shown.line)) or _opened(shown.file)
    if found is None:
        return
    network, recipe = found
    notation = Notation(network, recipe.graph if recipe is not None else network.graph)
    for step in notation.steps:
        if step.part is None or not _is_of(step.label, name):
            continue
        yield from notation.noise(step)
        unfolding = notation.unfolding(step)
        if unfolding is not None and unfolding.letters:
            yield from unfolding.equations(notation.writer, "", [])
        for value in step.results if unfolding is None else ():
            is_noise = operation_of(step.nodes[-1]).fusion is Fusion.RANDOM
            sign = r"\sim" if is_noise else "="
            right = notation.right_side(step, value)
            yield Equation(f"{notation.symbols[value][0]} {sign} {right}")
        seen: list[Op] = []
        for node in step.nodes:
            if operation_of(node) not in seen:
                seen.append(operation_of(node))
                yield from (Equation(line) for line in operation_of(node).definition())
        return


def _is_of(label: str, name: str) -> bool:
    return any(part.partition("[")[0] == name for part in label.split("."))


def _opened(text: str) -> tuple[Network, Recipe | None] | None:
    try:
        opened = driver.open_source(Source("example.nn", text), Path())
    except NndslError:
        return None
    recipes = opened.module.recipes
    return opened.module.networks["Net"], recipes[0] if recipes else None


# --- plots ----------------------------------------------------------------------------------


def plot_of(word: Word) -> Plot | None:
    """The lines of a word that is a function of one number, at the defaults of its arguments."""
    if isinstance(word, Activation):
        return _value_and_slope(word, word.expression, "x")
    if isinstance(word, Loss) and word.expression is not None:
        target = 1.0 if word.joint else 0.0
        filled = substitute(word.expression, {"t": constant(target)})
        label = "y" if word.joint != "sigmoid" else "y, the logit"
        return _value_and_slope(word, filled, "y", f"{label} (t = {target:g})")
    if isinstance(word, Schedule):
        return _over_a_run(word)
    return None


def _value_and_slope(
    word: Word, expression: Expression, variable: str, x_label: str = ""
) -> Plot | None:
    given = {n: constant(float(p.default)) for n, p in word.parameters.items()
             if isinstance(p.default, float | int)}  # fmt: skip
    filled = substitute(expression, given)
    if set(variables(filled)) > {variable}:
        return None
    kinks = word.kinks if isinstance(word, Activation) else ()
    x = _places(kinks)
    value = _values(filled, variable, x)
    slope = _values(differentiate(filled, variable), variable, x)
    slope[np.isnan(value)] = np.nan
    lines = (
        Series("value", x.tolist(), value.tolist()),
        Series("derivative", x.tolist(), slope.tolist(), dashed=True),
    )
    return Plot(lines, x_label or variable)


def _places(kinks: Sequence[float]) -> np.ndarray:
    """Evenly spread numbers, with a pair just beside each kink, where the slope jumps."""
    spread = np.linspace(-REACH, REACH, POINTS)
    beside = [kink + shift for kink in kinks for shift in (-1e-6, 1e-6)]
    return np.unique(np.concatenate([spread, beside]))


def _values(expression: Expression, variable: str, x: np.ndarray) -> np.ndarray:
    values = np.broadcast_to(np.asarray(evaluate(expression, {variable: x}), np.float64), x.shape)
    finite: np.ndarray = np.where(np.isfinite(values), values, np.nan)
    return finite


def _over_a_run(word: Schedule) -> Plot | None:
    """The factor of the rate over a run of `EPOCHS` epochs."""
    reader = ScheduleReader("epoch")
    arguments = call(word).arguments
    clock = {
        "steps_per_epoch": float(STEPS_PER_EPOCH),
        "total_steps": float(EPOCHS * STEPS_PER_EPOCH),
    }
    names: dict[str, Expression] = {"length": constant(clock["total_steps"])}
    for name, value in arguments.items():
        if isinstance(word.parameters[name], Length):
            if value is not None:
                names[name] = constant(float(evaluate(reader.steps(value, None), clock)))
        elif isinstance(value, float | int):
            names[name] = constant(float(value))
    filled = substitute(substitute(word.expression, names), {
        n: constant(v) for n, v in clock.items()})  # fmt: skip
    if not set(variables(filled)) <= {"step"}:
        return None
    steps = np.arange(EPOCHS * STEPS_PER_EPOCH, dtype=np.float64)
    values = _values(filled, "step", steps)
    return Plot((Series("factor", (steps / STEPS_PER_EPOCH).tolist(), values.tolist()),), "epochs")


LARGEST = 8.0
"""Numbers beyond this are left out of a plot, so that poles do not flatten the rest."""


def bounded(plot: Plot) -> Plot:
    """The plot without numbers that are far off."""
    series = tuple(
        Series(one.name, one.x, [y if abs(y) <= LARGEST else math.nan for y in one.y],
               one.dashed, one.dots)
        for one in plot.series
    )  # fmt: skip
    return Plot(series, plot.x_label)
