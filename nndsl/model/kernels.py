"""The compiled programs of one model, made when they are first needed, over one set of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from nndsl import compilation
from nndsl.codegen.generate import generate
from nndsl.diagnostics import error
from nndsl.lower.result import Network, Recipe
from nndsl.ops.binding import bound_copy, sizes_of
from nndsl.passes import pipeline
from nndsl.passes.differentiate import PREFIX
from nndsl.passes.update import Update
from nndsl.runtime.executable import Executable, load
from nndsl.train.job import inference_states
from nndsl.train.plan import Plan

Arrays = dict[str, np.ndarray]


class Kernels:
    """Prediction, gradients and updates of one network, which all see the same weights.

    Each program has memory of its own. `_newest` is the one whose weights are valid: the arrays
    here, or the update's program after a step; they are copied when someone else needs them.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe | None,
        precision: str,
        parameters: Mapping[str, np.ndarray],
    ) -> None:
        self._network, self._recipe, self._precision = network, recipe, precision
        self._learnt = {name: array.astype(precision) for name, array in parameters.items()}
        self._states: Arrays = {}
        self._programs: dict[str, tuple[int, Executable]] = {}
        self._newest: Executable | None = None

    def parameters(self) -> Arrays:
        """The weights in the graph's layout."""
        self._fetch()
        return self._learnt

    def states(self) -> Arrays:
        """What inference needs beside the weights: running statistics."""
        self._fetch()
        return self._states

    def set_parameters(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace weights, given in the graph's layout."""
        self._fetch()
        self._learnt.update({n: np.array(a, self._precision) for n, a in arrays.items()})

    def set_states(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace running statistics."""
        self._fetch()
        self._states.update({n: np.array(a) for n, a in arrays.items()})

    def predict(self, inputs: Arrays) -> Arrays:
        """The outputs by name, as people are shown them."""
        sizes = sizes_of(self._network.graph, {n: array.shape for n, array in inputs.items()})
        use = "predict" + "".join(f" {name}={size}" for name, size in sorted(sizes.items()))
        executable = self._program(use, 0, partial(self._predicting, sizes=sizes))
        self._hand_over(executable)
        return executable.evaluate(inputs)

    def gradients(self, arrays: Arrays, rows: int, step: int, seed: int) -> tuple[float, Arrays]:
        """The loss of a batch with penalties, in training mode, and each weight's gradient."""
        executable = self._program("gradients", rows, self._differentiating)
        self._hand_over(executable)
        self._bind(executable, arrays)
        executable.run(step, 1, seed=seed, rows=rows)
        names = [n for n in executable.program.outputs if n.startswith(PREFIX)]
        found = {name.removeprefix(PREFIX): executable.output(name) for name in names}
        return float(executable.output("loss")), found

    def update(self, arrays: Arrays, rows: int, step: int, seed: int, plan: Plan) -> float:
        """One update of the optimizer on one batch; the loss before it, with penalties."""
        previous = self._programs.get("update")
        executable = self._program("update", rows, self._updating)
        if previous is not None and previous[1] is not executable:
            kept = executable.states()  # one with a row for each row of a batch begins anew
            states = previous[1].states().items()
            executable.set_states({n: a for n, a in states if a.shape == kept[n].shape})
        if self._newest is not executable:
            self._hand_over(executable)
        self._bind(executable, arrays)
        executable.run(
            step, 1, seed=seed, rows=rows, total_steps=plan.total_steps,
            steps_per_epoch=plan.steps_per_epoch,
        )  # fmt: skip
        self._newest = executable
        return float(executable.output("loss"))

    def _program(self, use: str, rows: int, make: Callable[[int], Executable]) -> Executable:
        """The program for a use, made anew when the rows are more than it has room for."""
        room, executable = self._programs.get(use, (0, None))
        if executable is None or room < rows:
            self._fetch()
            executable = make(rows)
            self._programs[use] = rows, executable
        return executable

    def _predicting(self, rows: int, sizes: Mapping[str, int]) -> Executable:
        """For sequences of these lengths, where the network leaves them open."""
        network = self._network
        if sizes:
            network = replace(network, graph=bound_copy(network.graph, sizes))
        return compilation.compile_prediction(
            network, self._sized(), precision=self._precision
        ).executable

    def _differentiating(self, rows: int) -> Executable:
        recipe = self._required()
        graph = pipeline.run(recipe.graph, pipeline.gradients())
        return load(generate(graph, self._precision, rows, watch=None))

    def _updating(self, rows: int) -> Executable:
        recipe = self._required()
        kept = (
            replace(step, keep=(*step.keep, "loss")) if isinstance(step, Update) else step
            for step in compilation.training_passes(recipe)
        )
        graph = pipeline.run(recipe.graph, kept)
        return load(generate(graph, self._precision, rows, watch=None))

    def _sized(self) -> Recipe | None:
        return self._recipe and replace(self._recipe, precision=self._precision)

    def _required(self) -> Recipe:
        recipe = self._sized()
        assert recipe is not None, "the model asks only where there is a recipe"
        if recipe.turns:
            raise error(
                "NN390",
                "single steps of a network with several updates are not part of nndsl yet",
                recipe.span,
                help="`fit` does whole rounds",
            )
        return recipe

    def _bind(self, executable: Executable, arrays: Arrays) -> None:
        for name, array in arrays.items():
            if name in executable.program.shapes:
                executable.bind(name, array)

    def _hand_over(self, executable: Executable) -> None:
        self._fetch()
        executable.set_parameters({n: self._learnt[n] for n in executable.program.parameters})
        known = executable.program.states
        executable.set_states({n: a for n, a in self._states.items() if n in known})

    def _fetch(self) -> None:
        """Bring home the weights of the last update."""
        newest, self._newest = self._newest, None
        if newest is None:
            return
        self._learnt.update(newest.parameters())
        self._states.update(newest.copies(inference_states(self._network)))
