"""Are the derived gradients right? The compiled kernels against central differences in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import ElementType
from nndsl.lower.result import Network, Recipe
from nndsl.ops.binding import bound_copy, names_in
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes import pipeline
from nndsl.passes.differentiate import PREFIX
from nndsl.records import dataclass
from nndsl.runtime.executable import Executable, load
from nndsl.train.initial import initial_parameters

RELATIVE = 1e-5
ABSOLUTE = 1e-7
STEPS = (1e-5, 1e-6, 1e-7, 2e-8, 5e-9)
"""A smaller one is tried where a larger one disagrees: it may have gone over a kink of a ReLU or a
pool. An early weight of a network on pictures moves some hundred thousand of them.
"""
ROWS = 7
LENGTH = 5
MOST_CHECKED = 100
"""Numbers of one parameter that are compared, chosen at random beyond that."""


@dataclass(frozen=True)
class GradientCheck:
    """How one parameter's gradient compares; `worst` is the largest error over its tolerance."""

    parameter: str
    checked: int
    worst: float

    @property
    def agrees(self) -> bool:
        """Whether every number was within the tolerance."""
        return self.worst <= 1.0


def check_gradients(recipe: Recipe, network: Network) -> Iterator[GradientCheck]:
    """Check the gradient of every trained parameter on a random batch of seven rows.

    Of several updates each is checked, on the parameters that it trains.
    """
    for checked in [turn.recipe for turn in recipe.turns] or [recipe]:
        yield from _check_graph(checked.graph, network, recipe.seed)


def check_gradients_of_outputs(network: Network) -> Iterator[GradientCheck]:
    """The same of a network that nothing trains: of its outputs, times random numbers, summed.

    Lengths that the file leaves open are `LENGTH`. Raises what a network says of such a length.
    """
    graph = bound_copy(network.graph, dict.fromkeys(names_in(network.graph), LENGTH))
    build = Builder(graph)
    sums = []
    for name, output in graph.outputs.items():
        if output.type.element is ElementType.REAL:
            factor = build.input(f"factor of {name}", output.type, Role.DATA)
            product = add_map(build, operand(0) * operand(1), output, factor)
            sums.append(build.add(Reduce("sum", tuple(range(output.type.rank))), product))
    if sums and network.parameters:
        graph.outputs = {"loss": add_sum(build, sums)}
        yield from _check_graph(graph, network, 0)


def _check_graph(recipe: Graph, network: Network, seed: int) -> Iterator[GradientCheck]:
    random = np.random.default_rng(seed)
    graph = pipeline.run(recipe, pipeline.gradients())
    executable = load(generate(graph, "float64", ROWS, watch=None))
    arrays = random_rows(graph, executable, random)
    parameters = initial_parameters(network, seed)
    # biases start at zero, where activations may have their kinks
    moved = {n: p + 0.01 * random.standard_normal(p.shape) for n, p in parameters.items()}
    known = executable.program.parameters
    executable.set_parameters({n: array for n, array in moved.items() if n in known})
    gradients = {
        name.removeprefix(PREFIX): gradient
        for name, gradient in executable.evaluate(arrays, ROWS).items()
        if name.startswith(PREFIX)
    }
    for name, gradient in gradients.items():
        yield _compare(executable, arrays, name, gradient, random)


def random_rows(
    graph: Graph, executable: Executable, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """A random batch: normal numbers for inputs, numbers in (0, 1) for targets, classes."""
    arrays: dict[str, np.ndarray] = {}
    for given in graph.of_role(Role.DATA, Role.TARGET):
        name = given.value.name
        shape = (ROWS, *(d for d in given.value.type.shape[1:] if isinstance(d, int)))
        if given.value.type.element is ElementType.INDEX:
            limit = executable.program.limits.get(name, 2)
            arrays[name] = random.integers(0, limit, shape).astype(np.int32)
        elif given.role is Role.TARGET:
            arrays[name] = random.uniform(0.05, 0.95, shape)
        else:
            arrays[name] = random.standard_normal(shape)
    return arrays


def _compare(
    executable: Executable,
    arrays: dict[str, np.ndarray],
    name: str,
    gradient: np.ndarray,
    random: np.random.Generator,
) -> GradientCheck:
    expected = gradient.reshape(-1)
    chosen = np.arange(len(expected))
    if len(chosen) > MOST_CHECKED:
        chosen = random.choice(chosen, MOST_CHECKED, replace=False)
    worst = 0.0
    for i in chosen.tolist():
        index = np.unravel_index(i, gradient.shape) if gradient.shape else ()
        weight = executable.cell(name, tuple(int(n) for n in index))
        allowed = ABSOLUTE + RELATIVE * abs(expected[i])
        error = math.inf
        for step in STEPS:
            found = _slope(executable, arrays, weight, step)
            error = min(error, float(abs(found - expected[i]) / allowed))
            if error <= 1.0:
                break
        worst = max(worst, error)
    return GradientCheck(name, len(chosen), worst)


def _slope(
    executable: Executable, arrays: dict[str, np.ndarray], weight: np.ndarray, step: float
) -> float:
    """The central difference of the loss by one weight, which keeps its value."""
    start = weight.item()
    losses = []
    for moved in (start + step, start - step):
        weight[()] = moved
        losses.append(float(executable.evaluate(arrays, ROWS)["loss"]))
    weight[()] = start
    return (losses[0] - losses[1]) / (2 * step)
