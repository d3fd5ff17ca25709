"""The error surface of a trained network: its loss as a function of two of its weights."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nndsl import compilation, driver
from nndsl.data import apply_schema, read_table
from nndsl.diagnostics import error, nearest
from nndsl.ir.graph import Role
from nndsl.model.running import LoadedRun
from nndsl.records import dataclass
from nndsl.runtime.executable import Executable

POINTS = 61
_WEIGHT = re.compile(r"(?P<name>.+)\[(?P<indices>\d+(?:\s*,\s*\d+)*)\]")


@dataclass(frozen=True)
class Surface:
    """`losses[i, j]` is the loss with the first weight at `values[i]`, the second at `values[j]`.

    `trained` are the two weights as training left them.
    """

    names: tuple[str, str]
    values: np.ndarray
    losses: np.ndarray
    trained: tuple[float, float]


def error_surface(
    loaded: LoadedRun, data: str | None, names: tuple[str, str], low: float, high: float
) -> Surface:
    """The loss on the run's data over a square of two weights, all others as trained.

    Weights are written as `dense[1].weight[2, 1]`, in the layout that people see, counted from 1.
    Raises NN018 for a weight that is not there, NN076 for an ensemble.
    """
    if len(loaded.members) > 1:
        raise error(
            "NN076",
            f"an ensemble of {len(loaded.members)} networks has no error surface of its own",
            help="train one network for it: --set ensemble=none",
        )
    executable, arrays = _evaluation(loaded, data)
    cells = [_cell(loaded, executable, name) for name in names]
    trained = [float(cell[()]) for cell in cells]
    values = np.linspace(low, high, POINTS)
    losses = np.empty((POINTS, POINTS))
    for i, j in np.ndindex(POINTS, POINTS):
        cells[0][()], cells[1][()] = values[i], values[j]
        losses[i, j] = executable.evaluate(arrays)["data_loss"]
    return Surface(names, values, losses, (trained[0], trained[1]))


def _evaluation(loaded: LoadedRun, data: str | None) -> tuple[Executable, dict[str, np.ndarray]]:
    recipe, specification = loaded.recipe, loaded.specification
    known = loaded.run.record.data.get(specification.name)
    source = data or (known if specification.path is not None else None)
    table = read_table(specification, Path.cwd(), source, expected=loaded.schema)
    prepared = apply_schema(table, loaded.schema, recipe.precision)
    arrays = {**driver.as_judged(recipe, prepared.inputs), **prepared.targets}
    executable = compilation.compile_evaluation(recipe).executable
    executable.set_parameters(loaded.executable.parameters())
    executable.set_states(loaded.executable.states())
    wanted = [i.value.name for i in recipe.graph.of_role(Role.DATA, Role.TARGET)]
    return executable, {name: arrays[name] for name in wanted}


def _cell(loaded: LoadedRun, executable: Executable, written: str) -> np.ndarray:
    """The memory of one weight, as an array without axes."""
    found = _WEIGHT.fullmatch(written.strip())
    parameters = loaded.network.parameters
    if found is None or found["name"] not in parameters:
        name = found["name"] if found else written
        near = nearest(name, parameters)
        example = f"{(near or list(parameters))[0]}[1, 1]"
        raise error("NN018", f"the network has no weight `{written}`", help=f"such as `{example}`")
    info = parameters[found["name"]]
    shape, axes = info.shape, info.axes or tuple(range(len(info.shape)))
    sizes = [shape[axis] for axis in axes]
    indices = [int(text) - 1 for text in found["indices"].split(",")]
    if len(indices) != len(sizes) or any(
        not 0 <= index < size for index, size in zip(indices, sizes, strict=False)
    ):
        raise error(
            "NN018",
            f"`{written}` lies outside of `{found['name']}`",
            help=f"it is {' x '.join(map(str, sizes))}",
        )
    return executable.cell(found["name"], tuple(indices[axes.index(axis)] for axis in sorted(axes)))
