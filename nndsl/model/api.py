"""The Python interface: a network of a file or of a run, to ask, to step, and to train."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nndsl import compilation, driver
from nndsl.data import invert_pictures, invert_target
from nndsl.data.images.distorter import Levels
from nndsl.diagnostics import error
from nndsl.ir.graph import Graph, Input, Role
from nndsl.ir.types import ElementType
from nndsl.lower.result import Network, Recipe
from nndsl.model.answered_pictures import classes_by_pixel
from nndsl.model.buckets import CompiledBuckets, in_buckets
from nndsl.model.given_rows import Preparation, arrays_of, is_table, table_of
from nndsl.model.kernels import Kernels
from nndsl.model.running import load_run
from nndsl.model.training import judged_of, outputs_of, split_of
from nndsl.model.weight_mapping import Weights
from nndsl.params import TimeLength
from nndsl.records import dataclass
from nndsl.schema import TargetKind, TargetSchema
from nndsl.train.ensembles import member_recipe, train_job
from nndsl.train.events import Observer
from nndsl.train.initial import initial_parameters, to_file_layout
from nndsl.train.job import Output, RunResult, TrainingJob
from nndsl.train.plan import plan
from nndsl.train.scoring import probabilities
from nndsl.train.together import Join, join_of
from nndsl.vocab.answers import decided

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Origin:
    """What a model was loaded from: an opened file, or what a run keeps of its data."""

    network: Network
    recipe: Recipe | None
    opened: driver.Opened | None = None
    preparation: Preparation | None = None


def load(
    path: str | Path,
    *,
    precision: str | None = None,
    data: str | None = None,
    net: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Model:
    """The network of a `.nn` file (with the weights it starts from) or of a run folder.

    `precision` is "float32" or "float64", else what the file says. `data` is a file to read in
    place of the one in the source, `net` the net wanted (else the last one that is trained, or the
    last), `settings` what `--set` takes (of a run, `answer` alone). Raises NndslError, whose text
    is that of the command line.
    """
    place = Path(path)
    if precision not in (None, "float32", "float64"):
        raise error("NN074", f"there is no precision `{precision}`", help="float32 or float64")
    if place.is_dir():
        return _of_run(place, precision, settings or {})
    opened = driver.open_file(place, data, dict(settings or {}), data_needed=False)
    recipe = next((r for r in reversed(opened.module.recipes) if net in (None, r.net)), None)
    networks = opened.module.networks
    chosen = net or (recipe.net if recipe is not None else next(reversed(networks), None))
    if chosen not in networks:
        listed = ", ".join(networks) or "none"
        raise error("NN014", f"the file has no net `{chosen or ''}`", help=f"nets: {listed}")
    network = networks[chosen]
    if not network.is_complete:
        raise error("NN401", f"the sizes of `{chosen}` depend on data that is not there")
    seed = recipe.seed if recipe is not None else 0
    model = Model(Origin(network, recipe, opened), precision)
    model._kernels.set_parameters(initial_parameters(network, seed))
    return model


def _of_run(path: Path, precision: str | None, settings: Mapping[str, str]) -> Model:
    loaded = load_run(path, settings)
    preparation = Preparation(loaded.specification, loaded.schema)
    model = Model(Origin(loaded.network, loaded.recipe, preparation=preparation), precision)
    if loaded.recipe.ensemble is not None:
        model._set_members(loaded.members)
    else:
        model._set_arrays(*loaded.members[0])
    return model


class Model:
    """A network with its weights. Rows are arrays as the network sees them, or a table.

    An array of rows stands for the only input (or target); several are a mapping by name. A table
    is a file's path, a data frame, or (for `predict`) a mapping from column names to lists: its
    columns are matched by name and prepared as in training.

    A trained ensemble predicts with all `members`, models of their own; whatever is about one set
    of weights is theirs alone (NN076).
    """

    def __init__(self, origin: Origin, precision: str | None = None) -> None:
        self.origin = origin
        recipe = origin.recipe
        self.precision = precision or (recipe.precision if recipe is not None else "float32")
        zero = {n: np.zeros(info.shape) for n, info in origin.network.parameters.items()}
        self._kernels = Kernels(origin.network, recipe, self.precision, zero)
        self._step = 0
        self.members: tuple[Model, ...] = ()

    def __repr__(self) -> str:
        return f"Model({self.name}: {self.weights!r}, {self.precision})"

    @property
    def name(self) -> str:
        """The net's name."""
        return self.origin.network.name

    def arrays(self) -> Arrays:
        """Weights and running statistics, in the graph's own layout."""
        self._require_one("weights")
        return {**self._kernels.parameters(), **self._kernels.states()}

    @property
    def steps(self) -> int:
        """Updates done by `train_step`."""
        return self._step

    def _set_arrays(
        self, parameters: Mapping[str, np.ndarray], states: Mapping[str, np.ndarray]
    ) -> None:
        """Replace weights and running statistics, given in the graph's own layout."""
        self._kernels.set_parameters(parameters)
        self._kernels.set_states(states)

    @property
    def weights(self) -> Weights:
        """Learnt arrays by name, in PyTorch's layout; reading copies, assigning checks."""
        self._require_one("weights")
        return Weights(self.origin.network, self._kernels)

    def predict(self, x: Any) -> Any:
        """The network's output for some rows, [rows, ...]; by name where there are several.

        Softmax or sigmoid is applied where the loss wants logits. For a table, numbers are in the
        target's own unit.
        """
        from_table = is_table(x) or self._is_columns(x)
        inputs = self._table(x)[0] if from_table else self._inputs(x)
        outputs = self._outputs(inputs)
        if from_table:
            outputs = self._in_own_units(outputs)
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def predictor(self, rows: int = 1) -> Callable[[np.ndarray], np.ndarray]:
        """A function for `rows` rows at a time, as fast as can be, with the weights of this moment.

        It takes an array of the only input, [rows, ...], best contiguous and of the precision, and
        gives the first output; this is its own memory, which the next call overwrites. Raises NN073
        where the network has several inputs, takes class numbers, or fewer rows at a time.
        """
        self._require_one("predictor")
        recipe = self.origin.recipe and replace(self.origin.recipe, precision=self.precision)
        executable = compilation.compile_prediction(
            self.origin.network, recipe, precision=self.precision
        ).executable
        known = {**self._kernels.parameters(), **self._kernels.states()}
        executable.set_parameters({n: known[n] for n in executable.program.parameters})
        executable.set_states({n: known[n] for n in executable.program.states if n in known})
        try:
            return executable.predictor(rows)
        except ValueError as problem:
            raise error("NN073", f"there is {problem}", help="model.predict(x)") from None

    def _outputs(self, inputs: Arrays) -> Arrays:
        if not self.members:
            return self._kernels.predict(inputs)
        found = [member._kernels.predict(inputs) for member in self.members]
        return {n: join(np.stack([one[n] for one in found])) for n, join in self.joins.items()}

    @property
    def joins(self) -> dict[str, Join]:
        """How the members answer together, for each output; nothing for a single network."""
        judged = self._judged if self.members else {}
        return {name: join_of(self._recipe, output) for name, output in judged.items()}

    @property
    def _judged(self) -> dict[str, Output]:
        """The outputs by name, with the targets that they are judged by."""
        found = outputs_of(self.origin.network, self._preparation.schema, self._recipe)
        return {output.name: output for output in found}

    def _set_members(self, trained: Sequence[tuple[Mapping[str, np.ndarray], ...]]) -> None:
        """Be the ensemble of these networks: parameters and states of each."""
        members = []
        for number, arrays in enumerate(trained, 1):
            recipe = member_recipe(self._recipe, number)
            members.append(Model(replace(self.origin, recipe=recipe), self.precision))
            members[-1]._set_arrays(*arrays)
        self.members = tuple(members)

    def _require_one(self, what: str) -> None:
        if self.members:
            raise error(
                "NN076",
                f"an ensemble of {len(self.members)} networks has no {what} of its own",
                help="each of `model.members` has",
            )

    def answer(self, x: Any) -> Any:
        """What the network says of some rows, by the setting `answer`; by name of several outputs.

        Classes: their names, None for a row that is refused; of pictures the numbers of the classes
        (-1: refused) [rows, 1, height, width], of sequences a list of names for each row. Numbers:
        as `predict` gives them.
        Raises NN401 where nothing is known of the data.
        """
        given, judged = self.predict(x), self._judged
        by_name = given if isinstance(given, dict) else {next(iter(judged)): given}
        said = {name: self._answer(judged[name], values) for name, values in by_name.items()}
        return said if len(said) > 1 else next(iter(said.values()))

    def _answer(self, output: Output, values: np.ndarray) -> Any:
        if output.kind is TargetKind.NUMBERS:
            return values
        if output.pictures:
            return classes_by_pixel(values, self._recipe.answer)
        if output.sequence:
            return [self._answer(replace(output, sequence=False), row) for row in values]
        chosen = decided(self._recipe.answer, probabilities(values))
        return [output.classes[i] if i >= 0 else None for i in chosen.tolist()]

    def loss_and_gradients(self, x: Any, y: Any = None) -> tuple[float, Arrays]:
        """The loss of one batch, and its gradient by every weight, in PyTorch's layout.

        As in training: with penalties and dropout, before any clipping.
        """
        self._require_one("gradients")
        arrays, rows = self._batch(x, y)
        seed = self._recipe.seed
        loss, found = self._kernels.gradients(arrays, rows, self._step, seed)
        return loss, to_file_layout(self.origin.network, found)

    def train_step(self, x: Any, y: Any = None) -> float:
        """One update of the file's optimizer on one batch; the loss before it, with penalties.

        Schedules go by the file's own length: an epoch is as many steps as its data takes, or one
        where there is no data. Raises NN075 when the loss is not finite.
        """
        self._require_one("steps")
        arrays, rows = self._batch(x, y)
        known = self._rows_of_file or rows
        planned = plan(self._recipe, known)
        loss = self._kernels.update(arrays, rows, self._step, self._recipe.seed, planned)
        self._step += 1
        if not np.isfinite(loss):
            raise error(
                "NN075",
                f"the loss became {loss:g} at step {self._step}",
                help="lower the learning rate, or look at the rows given",
            )
        return loss

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        epochs: int | None = None,
        observer: Observer | None = None,
    ) -> RunResult:
        """Train as the `train` section says, from the present weights; they are those kept.

        Without rows, on the file's own data, split as it says; else on these rows, with
        `validation` rows if the best weights are to be kept. Nothing is written to disk. The
        members of an ensemble start from the weights that their seeds draw, always anew.
        """
        recipe = replace(self._recipe, precision=self.precision)
        if epochs is not None:
            recipe = replace(recipe, length=TimeLength(float(epochs), "epoch"))
        levels: Mapping[str, Levels] = {}
        if x is None:
            levels = self._own_rows.levels
            split = self._own_rows.train, self._own_rows.validation, self._own_rows.test
        else:
            kept = self._batch(*validation)[0] if validation is not None else {}
            split = self._batch(x, y)[0], kept, {}
        result = train_job(self._job(recipe, *split, levels), observer)
        if recipe.ensemble is None:
            self._set_arrays(result.parameters, result.states)
        elif not result.exit_code:
            self._set_members([(one.parameters, one.states) for one in result.members])
        return result

    def _job(
        self,
        recipe: Recipe,
        rows: Arrays,
        validation: Arrays,
        test: Arrays,
        levels: Mapping[str, Levels],
    ) -> TrainingJob:
        count = len(next(iter(rows.values())))
        training: compilation.Compiled | compilation.CompiledRounds | CompiledBuckets
        if recipe.buckets and self.origin.opened is not None:
            training, evaluation = in_buckets(self.origin.opened, recipe, rows, 1)
        else:
            training, evaluation = compilation.compile_both(recipe, count)
        network = self.origin.network
        preparation = self._preparation
        return TrainingJob(
            recipe,
            network,
            training.executable,
            evaluation.executable,
            judged_of(network, preparation.schema, recipe),
            rows,
            validation,
            test,
            recipe.seed,
            levels=levels,
            initial=self.arrays() if recipe.ensemble is None else None,
            graph=None if recipe.turns or recipe.buckets else training.graph,
        )

    # --- rows --------------------------------------------------------------------------------

    @property
    def _recipe(self) -> Recipe:
        if self.origin.recipe is None:
            raise error(
                "NN013",
                f"the file has no `train {self.name}` section",
                help=f"add `train {self.name} {{ }}` to the file",
            )
        return self.origin.recipe

    @cached_property
    def _own_rows(self) -> driver.Rows:
        """The data of the file, in its parts."""
        opened, recipe = self.origin.opened, self._recipe
        if opened is None or opened.specification_of(recipe).name not in opened.tables:
            raise error(
                "NN401", "the data of this network is not there", help="give rows to train on"
            )
        precise = replace(recipe, precision=self.precision)
        return driver.rows_of(opened, precise, split_of(opened, recipe))

    @property
    def _rows_of_file(self) -> int:
        """Training rows of the file's own data; 0 when it is not there."""
        opened, recipe = self.origin.opened, self._recipe
        if opened is None or opened.specification_of(recipe).name not in opened.tables:
            return 0
        return len(next(iter(self._own_rows.train.values())))

    @property
    def _preparation(self) -> Preparation:
        """How tables become arrays: as the run did, or as the file's own training part says."""
        if self.origin.preparation is not None:
            return self.origin.preparation
        opened = self.origin.opened
        assert opened is not None
        return Preparation(opened.specification_of(self._recipe), self._own_rows.schema)

    def _is_columns(self, x: Any) -> bool:
        """Whether a mapping names columns of a table rather than inputs of the network."""
        return isinstance(x, Mapping) and not set(x) & set(self.origin.network.inputs)

    def _table(self, given: Any) -> tuple[Arrays, Arrays]:
        prepared = table_of(given, self._preparation, self.precision)
        inputs, targets = prepared.inputs, prepared.targets
        if self.origin.recipe is not None:
            recipe = self.origin.recipe
            inputs, targets = (driver.as_judged(recipe, rows) for rows in (inputs, targets))
        known = {i.value.name for i in self.origin.network.graph.of_role(Role.DATA)}
        return {n: a for n, a in inputs.items() if n in known}, targets

    def _inputs(self, x: Any) -> Arrays:
        wanted = self.origin.network.graph.of_role(Role.DATA)
        return arrays_of(x, wanted, {}, self.precision, "x")

    def _batch(self, x: Any, y: Any) -> tuple[Arrays, int]:
        """Inputs and targets of one batch under the graph's names, and how many rows."""
        wanted = driver.columns_of(self._recipe, Role.TARGET)
        alone = y is None and not wanted and isinstance(x, np.ndarray)  # no target is compared
        if (y is None and not alone) or is_table(x) or self._is_columns(x):
            inputs, targets = self._table(x)
            limits = _class_counts(self._recipe.graph, wanted)
            targets = arrays_of(targets, wanted, limits, self.precision, "y")
        else:
            given = driver.columns_of(self._recipe, Role.DATA)
            inputs = arrays_of(x, given, {}, self.precision, "x")
            limits = _class_counts(self._recipe.graph, wanted)
            targets = arrays_of({} if alone else y, wanted, limits, self.precision, "y")
        counts = {name: len(array) for name, array in {**inputs, **targets}.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise error("NN073", f"the numbers of rows differ: {listed}")
        return {**inputs, **targets}, next(iter(counts.values()))

    def _in_own_units(self, outputs: Arrays) -> Arrays:
        """Numbers as the target's column has them."""
        targets = self._preparation.schema.targets
        named = dict(zip(outputs, targets, strict=False))
        return {
            name: _own_unit(named[name], values) if name in named else values
            for name, values in outputs.items()
        }


def _own_unit(target: TargetSchema, values: np.ndarray) -> np.ndarray:
    """Predicted numbers in the target's own unit; shares of classes as they are."""
    if target.kind is not TargetKind.NUMBERS:
        return values
    if target.pictures:
        return invert_pictures(target, values)
    return invert_target(target, values.reshape(len(values), -1))


def _class_counts(graph: Graph, wanted: list[Input]) -> dict[str, int]:
    """How many classes a target of class numbers has: the width of the output it is judged by."""
    counts: dict[str, int] = {}
    outputs = [v for name, v in graph.outputs.items() if name not in ("loss", "data_loss")]
    for given, output in zip(wanted, outputs, strict=False):
        size = output.type.shape[1 if output.type.rank == 4 else -1]
        if given.value.type.element is ElementType.INDEX and isinstance(size, int):
            counts[given.value.name] = max(size, 2)  # one output stands for two classes
    return counts
