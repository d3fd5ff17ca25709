"""The printed equations, evaluated, are what the compiler's own graphs compute."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl import driver
from nndsl.diagnostics import Source
from nndsl.ir.graph import Role
from nndsl.ir.types import ElementType
from nndsl.ops.base import Clock
from nndsl.ops.standardize import Standardize
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.render.backpropagation import Backward, LossEquations, derivative
from nndsl.render.equations import Notation
from nndsl.runtime.reference import evaluate
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate as value_of
from nndsl.scalar.notation_text import to_plain
from tests.conftest import ROOT
from tests.render.meaning import Meaning

MODELS = ROOT / "models"
EVERYTHING = """data iris = csv("iris.csv", target=species)
block x -> residual(n) { x + (x -> dense(n) -> elu -> dense(n)) }
block gated(n) { dense(n) * (dense(n) -> sigmoid) }
net Net on iris {
  share mix = dense(6) -> tanh
  dense(6) -> leaky_relu(0.2) -> dropout(0.3)
  mix * 2 -> gated(6) -> residual(6)
  [dense(2) -> relu, dense(3) -> saturate, identity] -> concat
  dense(5) -> prelu -> add_noise(0.1)
  dense(iris.classes) -> softmax
}
train Net { loss = cross_entropy(smooth=0.1) }
"""
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(MODELS.glob("*.nn"))}
TEXTS["everything"] = EVERYTHING


def softmax(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def standardize(z):
    """Over one example, as a layer norm does."""
    return (z - z.mean()) / np.sqrt(z.var() + 1e-5)


def jacobian_of_standardize(z):
    y, n = standardize(z), z.size
    return (np.eye(n) - 1 / n - y @ y.T / n) / np.sqrt(z.var() + 1e-5)


def functions_of(notation):
    found = {
        "softmax": softmax,
        "flatten": lambda x: x,  # every tensor is a column here
        "standardize": standardize,
        "standardize′": jacobian_of_standardize,
        "σ": lambda x: 1 / (1 + np.exp(-x)),
    }
    for expression, name in notation.functions.names.items():
        slope = differentiate(expression, "x0")
        found[to_plain(name)] = lambda x, e=expression: value_of(e, {"x0": x}) + 0 * x
        found[to_plain(rf"{name}'\left(z\right)").split("(")[0]] = lambda x, e=slope: (
            value_of(e, {"x0": x}) + 0 * x
        )
    return found


def values_of(graph, rng):
    """One example, weights, and every value of the graph with its gradients, in float64."""
    inputs = {}
    for name, i in graph.inputs.items():
        shape = tuple(d if isinstance(d, int) else 1 for d in i.value.type.shape)
        is_class = i.value.type.element is ElementType.INDEX
        spread = (shape[0] if len(shape) > 1 else 9) ** -0.5  # so that no softmax reaches 0
        inputs[name] = np.array([1], np.int32) if is_class else spread * rng.normal(size=shape)
    everything = Differentiate("data_loss")(graph)
    everything.outputs |= {v.name: v for n in graph.nodes for v in n.outputs}
    everything.updates = {}
    outputs, _ = evaluate(everything, inputs, Clock(sizes={"N": 1}))
    return inputs | outputs


def displayed(notation, value, array):
    """An array in the layout of the formulas: a column for an example, a matrix of weights."""
    info = notation.parameters.get(value.name)
    if info is not None and value.node is None:
        seen = array if info.axes is None else array.transpose(info.axes)
        return seen if seen.ndim == 2 else seen.reshape(-1, 1) if seen.size > 1 else seen.item()
    if value.type.element is ElementType.INDEX:
        return None
    return array.reshape(-1, 1)


def classes_of(loss, target):
    """Between how many classes the prediction chooses that the loss compares with a target."""
    reached, classes = {target}, 1
    for node in loss.graph.nodes:
        if not reached.isdisjoint(node.inputs):
            reached.update(node.outputs)
            compared = [v for v in node.inputs if v in loss.predictions]
            classes = max([classes, *(v.type.shape[-1] for v in compared)])
    return classes


def cases():
    for name, text in TEXTS.items():
        opened = driver.open_source(Source(f"{name}.nn", text), MODELS, data_needed=False)
        for number, recipe in enumerate(opened.module.recipes):
            network = opened.module.networks[recipe.net]
            is_read = not has_other_norms(recipe.graph) and not has_images(recipe.graph)
            if network.is_complete and is_read:
                yield pytest.param(network, recipe, id=f"{name}-{recipe.net}-{number}")


def has_images(graph):
    """Whether a tensor is more than a column for each example: sums over windows are not read."""
    return any(v.type.rank > 2 for n in graph.nodes for v in n.outputs)


def has_other_norms(graph):
    """Whether another norm is there than that of all numbers of one example."""
    norms = [n.operation for n in graph.nodes if isinstance(n.operation, Standardize)]
    return any(norm.axes != (1,) or not norm.center for norm in norms)


@pytest.mark.parametrize(("network", "recipe"), list(cases()))
def test_equations_mean_what_is_computed(network, recipe, rng):
    graph = recipe.graph
    notation = Notation(network, graph)
    list(notation.forward())  # names the functions
    values = values_of(graph, rng)
    loss = LossEquations(notation)
    known = {}
    for value, (latex, _) in notation.symbols.items():
        if value.node is None or not value.node.inputs:  # inputs, weights, and noise
            found = displayed(notation, value, values[value.name])
            if found is None:
                classes = classes_of(loss, value)
                found = np.eye(classes)[1:2].T if classes > 1 else np.ones((1, 1))
            known[to_plain(latex)] = found
    meaning = Meaning(known, functions_of(notation))

    for equation in notation.forward():
        if " = " in equation.latex:
            meaning.define(equation.latex)
    for step in notation.steps:
        for value in step.results:
            found = meaning.values[to_plain(notation.symbols[value][0])]
            np.testing.assert_allclose(found.ravel(), values[value.name].ravel(), rtol=1e-4)

    found = meaning.define(f"E = {loss.loss()}")
    np.testing.assert_allclose(np.ravel(found), values["data_loss"], rtol=1e-4)

    backward = Backward(notation, loss.slopes())
    for equation in (*backward.recursion(), *backward.gradients()):
        meaning.define(equation.latex)
    for i in graph.of_role(Role.PARAMETER):
        value, name = i.value, i.value.name
        found = meaning.values[to_plain(derivative(notation.symbols[value][0]))]
        wanted = displayed(notation, value, values[PREFIX + name])
        np.testing.assert_allclose(np.ravel(found), np.ravel(wanted), rtol=1e-3, atol=1e-9)
