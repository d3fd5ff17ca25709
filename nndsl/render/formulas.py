"""All formulas of a network and its training, with this network's sizes and numbers.

`formulas(network, recipe)` gives sections of lines; each line is LaTeX, from which its plain text
and its MathML are read. `formula_text.py` prints them for a terminal and as a LaTeX document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from nndsl.ir.graph import Graph, Role
from nndsl.lower.result import Network, ParameterInfo, Recipe
from nndsl.ops.base import operation_of
from nndsl.ops.map import Map
from nndsl.records import dataclass
from nndsl.render.backpropagation import Backward, LossEquations, general_recursion
from nndsl.render.equations import Notation
from nndsl.render.formulas_of_words import optimizer_equations, schedule_equations, start_law
from nndsl.render.functions import letter_functions
from nndsl.render.writer import Equation
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.expression import Expression
from nndsl.scalar.latex import formula, number_latex
from nndsl.scalar.notation_mathml import to_mathml
from nndsl.scalar.notation_text import to_plain
from nndsl.scalar.piece import Level
from nndsl.scalar.primitives import PRIMITIVES
from nndsl.vocab.arguments import value_text

MEAN = "Of one example; the batch's is the mean."
NO_MEAN = "Of a batch of one example; that of more is no mean over the examples."
UPDATE = "Of any weight w at step t = 0, 1, ...; g is the gradient of the batch's loss."


@dataclass(frozen=True)
class Formula:
    """One line: a formula, the spaces its symbols live in (LaTeX too), a few words."""

    latex: str
    where: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """The formula as plain Unicode text."""
        return to_plain(self.latex)

    @property
    def mathml(self) -> str:
        """The formula as a `<math>` element."""
        return to_mathml(self.latex)


@dataclass(frozen=True)
class Section:
    """Formulas under a title."""

    title: str
    formulas: tuple[Formula, ...]
    remark: str = ""


@dataclass(frozen=True)
class Formulas:
    """The formulas of one network."""

    title: str
    sections: tuple[Section, ...]


def formulas(network: Network, recipe: Recipe | None = None) -> Formulas:
    """The formulas of a network, and with a recipe those of its training.

    With a recipe the forward pass is that of training: dropout and noise are in it. Where several
    updates take turns, each has its own forward pass, loss and gradients.
    """
    if recipe is None or not recipe.turns:
        return Formulas(network.name, tuple(_sections(network, recipe)))
    sections = [
        replace(section, title=f"{section.title} (update {turn.name})")
        for turn in recipe.turns
        for section in _sections(network, turn.recipe)
    ]
    return Formulas(network.name, tuple(sections))


def _sections(network: Network, recipe: Recipe | None) -> Iterable[Section]:
    graph = recipe.graph if recipe is not None else network.graph
    notation = Notation(network, graph)
    sections = [
        _section("Forward", notation.forward(), "Tensors are columns, for one example."),
        _section("Functions", _functions(notation), "Those of one number act on each alone."),
    ]
    if recipe is not None:
        sections += _training(notation, network, recipe)
    return (section for section in sections if section.formulas)


def _section(title: str, equations: Iterable[Equation], remark: str = "") -> Section:
    return Section(title, tuple(Formula(e.latex, e.where, e.note) for e in equations), remark)


def _functions(notation: Notation) -> Iterable[Equation]:
    """Each activation with its derivative, and the operations that are called by name."""
    for expression, name in notation.functions.names.items():
        names = {"x0": ("z", Level.LEAF)}
        slope = differentiate(expression, "x0")
        shown = formula(expression, names)
        if shown == rf"{name}\left(z\right)":  # a primitive: in terms of others, if it has any
            composition = PRIMITIVES[expression.operator].composition
            shown = formula(composition(*expression.arguments), names) if composition else ""
        if shown:
            yield Equation(rf"{name}\left(z\right) = {shown}")
        yield Equation(rf"{name}'\left(z\right) = {formula(slope, names)}")
    yield from map(Equation, letter_functions(notation.functions.names))
    nodes = [node for step in notation.steps for node in step.nodes]
    for line in dict.fromkeys(line for n in nodes for line in operation_of(n).definition()):
        yield Equation(line)


def _training(notation: Notation, network: Network, recipe: Recipe) -> Iterable[Section]:
    loss = LossEquations(notation)
    backward = Backward(notation, loss.slopes())
    deltas = [*general_recursion(notation), *backward.recursion()]
    of_what = MEAN if loss.is_mean else NO_MEAN
    yield _section("Loss", _loss(loss, recipe), of_what)
    yield _section("Back-propagation", deltas, "δ⁽ˡ⁾ is the derivative of E by z⁽ˡ⁾.")
    yield _section("Gradients", backward.gradients(), of_what)
    yield _section("Penalty", _penalties(recipe.graph), "Added to the loss of the batch.")
    yield _section("Update", _updates(recipe), UPDATE)
    yield _section("Start", _starts(notation, network.parameters))


def _loss(loss: LossEquations, recipe: Recipe) -> Iterable[Equation]:
    yield Equation(f"E = {loss.loss()}", note=" + ".join(recipe.loss))


def _penalties(graph: Graph) -> Iterable[Equation]:
    """Each formula of a penalty once, over all weights that have it."""
    seen: dict[Expression, list[str]] = {}
    for node in graph.nodes:
        if node.label == "penalty" and isinstance(node.operation, Map) and len(node.inputs) == 1:
            seen.setdefault(node.operation.expressions[0], []).append(node.inputs[0].name)
    for expression, names in seen.items():
        each = formula(expression, {"x0": ("w", Level.LEAF)})
        shown = ", ".join(names) if len(names) <= 3 else f"{len(names)} arrays of weights"
        yield Equation(rf"\sum_{{w}} \, {each}", note=f"over {shown}")


def _updates(recipe: Recipe) -> Iterable[Equation]:
    if recipe.clip is not None:
        word = recipe.clip.word
        limit = ", ".join(value_text(v) for v in recipe.clip.arguments.values())
        yield Equation("g", note=f"{word.name}({limit}): {word.doc}")
    for use in recipe.optimizers:
        if len(recipe.optimizers) > 1:
            yield Equation("w", note="in " + ", ".join(use.parameters))
        yield from optimizer_equations(use)
        yield from schedule_equations(use)


def _starts(notation: Notation, parameters: Mapping[str, ParameterInfo]) -> Iterable[Equation]:
    for i in notation.graph.of_role(Role.PARAMETER):
        info = parameters.get(i.value.name)
        if info is None or i.value not in notation.symbols:
            continue
        symbol = notation.symbols[i.value][0]
        if info.values is None:
            law = start_law(info)
            word = info.initializer.word
            yield (Equation(rf"{symbol} \sim {law}", note=word.name) if law else
                   Equation(symbol, note=f"{word.name}: {word.doc}"))  # fmt: skip
        elif np.unique(info.values).size == 1:
            yield Equation(f"{symbol} = {number_latex(float(info.values.flat[0]))}")
        else:
            yield Equation(symbol, note="as written in the file")
