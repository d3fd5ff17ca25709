"""A run folder brought back to life: predict and evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

import numpy as np

from nndsl import compilation, driver
from nndsl.data import (
    Prepared,
    Table,
    apply_schema,
    invert_target,
    read_table,
    schema_from_json,
)
from nndsl.data.predictions import Prediction, write_predictions
from nndsl.data.series import naive_forecast, window_of
from nndsl.diagnostics import Diagnostic, error
from nndsl.ir.graph import Role
from nndsl.lower import data_specifications, lower
from nndsl.lower.result import JOINT, Network, Recipe
from nndsl.model.answered_pictures import picture_figures, picture_prediction
from nndsl.model.net_inputs import inputs_for
from nndsl.model.settling import Rests
from nndsl.model.sizes import require_same_weights, size_of_pictures, sized
from nndsl.model.source_files import run_importer, run_source
from nndsl.model.training import guesses_of, outputs_of
from nndsl.records import dataclass
from nndsl.runtime.executable import Executable
from nndsl.schema import DataSpecification, Schema, TargetKind, TargetSchema
from nndsl.syntax import tree
from nndsl.syntax.parser import parse
from nndsl.train import folder as folders
from nndsl.train.job import Arrays, Output, inference_states
from nndsl.train.limits import LIMITS, Limits, at_limits
from nndsl.train.saved import SavedRun, fitting_weights, read_members, read_record, read_run
from nndsl.train.scoring import OF_PLACES, OF_SERIES, Scorer, measured, metrics_of, probabilities
from nndsl.train.together import Together
from nndsl.vocab.answers import decided

FREE = ("answer",)
"""The settings that may still be changed when a network is trained."""

_DEFAULT_METRICS = {
    TargetKind.CLASSES: ("accuracy",),
    TargetKind.NUMBERS: ("r2", "rmse", "mae"),
}


@dataclass(frozen=True)
class LoadedRun:
    """A trained network, or an ensemble of several, ready to answer.

    `members` are parameters and states of each network; `run.weights` and `executable` have those
    of the first. With `any_size` the network takes pictures of other sizes too (`of_size`).
    """

    run: SavedRun
    network: Network
    recipe: Recipe
    schema: Schema
    specification: DataSpecification
    outputs: tuple[Output, ...]
    executable: Executable
    members: tuple[tuple[Arrays, Arrays], ...]
    networks: Mapping[str, Network] = field(default_factory=dict)  # all of the file
    any_size: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    def evaluate(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs for some rows, as people are shown them; inputs it has not are left out."""
        wanted = self.executable.program.shapes
        given = {n: a for n, a in inputs.items() if n in wanted}
        if self.recipe.ensemble is None:
            return self.executable.evaluate(given)
        return Together(self.executable, self.members, self.recipe, self.outputs).evaluate(given)


@dataclass(frozen=True)
class Refused:
    """A row, counted from 1, whose target got no answer, and its two largest shares by class."""

    row: int
    target: str
    between: Mapping[str, float]


@dataclass(frozen=True)
class Answers:
    """Predictions for the rows of a table, and the figures where it has the targets."""

    table: Table
    predictions: tuple[Prediction, ...]
    metrics: dict[str, float]
    notes: tuple[Diagnostic, ...]
    limits: Limits | None = None  # of the first target, where it has classes and is known

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The rows without an answer, in their order."""
        return tuple(
            Refused(row + 1, prediction.target.name, _first_two(prediction, row))
            for prediction in self.predictions
            if prediction.probabilities is not None
            if not prediction.target.shape
            for row in np.flatnonzero(prediction.values < 0).tolist()
        )


def load_run(
    path: Path, settings: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> LoadedRun:
    """Read a run folder, check its parts against each other, compile its network.

    `settings` are as of `--set`: `answer` alone, all else has shaped the weights (NN010). `size` is
    the height and width of pictures, where it is not that of those which trained.
    """
    _require_one_run(path)
    overrides = _answer_alone(settings or {})
    record = read_record(path)
    schema_text = folders.read_text(path, folders.SCHEMA)
    schema = schema_from_json(schema_text, str(path / folders.SCHEMA))
    schema = schema if size is None else sized(schema, size)
    file = parse(run_source(path))
    specifications = data_specifications(file)
    module = lower(file, {schema.name: schema}, overrides, run_importer(path))
    recipes = [r for r in module.recipes if r.net == record.network]
    if not recipes or recipes[-1].data not in specifications:
        raise error("NN509", f"`{path}` does not fit together: no net `{record.network}`")
    recipe = recipes[-1]
    network = module.networks[recipe.net]
    runs = (
        [read_run(path)]
        if recipe.ensemble is None
        else read_members(path, recipe.ensemble.arguments["members"])
    )
    if size is not None:
        require_same_weights(network, runs[0], size)
    compiled = compilation.compile_prediction(network, recipe)
    known = compiled.executable.copies(inference_states(network))
    members = [fitting_weights(run, network, known, recipe.precision) for run in runs]
    compiled.executable.set_parameters(members[0][0])
    compiled.executable.set_states(members[0][1])
    return LoadedRun(
        replace(runs[0], path=path, record=record),
        network,
        recipe,
        schema,
        specifications[recipe.data or ""],
        outputs_of(network, schema, recipe),
        compiled.executable,
        tuple(members),
        module.networks,
        recipe.net in module.scope.nets and module.scope.nets[recipe.net].any_size,
        settings or {},
    )


def of_size(loaded: LoadedRun, data: str) -> LoadedRun:
    """The run for pictures as large as those of `data`, where its network takes any size.

    Another size is another program with the same weights. NN426 when these depend on the size.
    """
    if not loaded.any_size:
        return loaded
    size = size_of_pictures(loaded.specification, data)
    known = next(i.shape[1:] for i in loaded.schema.inputs if len(i.shape) == 3)
    if size is None or size == known:
        return loaded
    return load_run(loaded.run.path, loaded.settings, size)


def only_net(loaded: LoadedRun) -> str:
    """The net that answers where none is named; NN023 for a run of several side by side."""
    name = loaded.network.name
    if JOINT not in name:
        return name
    listed = name.split(JOINT)
    raise error(
        "NN023",
        f"the run in `{loaded.run.path}` has several nets: {', '.join(listed)}",
        help=f"--net {listed[0]}",
    )


def _answer_alone(settings: Mapping[str, str]) -> dict[str, tree.Expression]:
    for name in settings:
        if name not in FREE:
            raise error(
                "NN010",
                f"`{name}` cannot be set any more: the network is trained",
                help="of a run, `answer` can be set; train anew for anything else",
            )
    return driver.parse_settings(settings)


def _require_one_run(path: Path) -> None:
    """NN506 with the runs inside when a folder of runs was given in place of one."""
    if not path.is_dir() or (path / folders.RECORD).exists():
        return
    inner = sorted(place.parent for place in path.glob(f"*/{folders.RECORD}"))
    if inner:
        names = ", ".join(place.name for place in inner[:5])
        raise error(
            "NN506",
            f"`{path}` is not a run, it holds runs: {names}{', ...' if len(inner) > 5 else ''}",
            help=f"name one of them, such as `{inner[-1]}`",
        )


def answer(loaded: LoadedRun, data: str) -> Answers:
    """Predict the rows of a data file; columns are matched by name."""
    folder, loaded = Path.cwd(), of_size(loaded, data)
    table = read_table(loaded.specification, folder, data, expected=loaded.schema)
    prepared = apply_schema(table, loaded.schema, loaded.recipe.precision)
    inputs = driver.as_judged(loaded.recipe, prepared.inputs)
    if not loaded.outputs:
        figures = _objectives(loaded, inputs, prepared)
        alone = JOINT not in loaded.network.name
        plain = _plain(loaded.evaluate(inputs_for(loaded.network, inputs))) if alone else ()
        return Answers(table, plain, figures, (*table.notes, *prepared.notes))
    results = loaded.evaluate(inputs)
    answered: dict[str, Prediction] = {}
    for output, target in zip(loaded.outputs, _targets(loaded), strict=True):
        if target.name not in answered:
            answered[target.name] = _prediction(target, results[output.name], loaded)
    predictions = tuple(answered.values())
    prepared = replace(prepared, targets=driver.as_judged(loaded.recipe, prepared.targets))
    figures = _figures(predictions, prepared, loaded)
    notes = (*table.notes, *prepared.notes, *_rests(loaded, inputs))
    return Answers(table, predictions, figures, notes, _limits(predictions[0], prepared, loaded))


def _rests(loaded: LoadedRun, inputs: Mapping[str, np.ndarray]) -> list[Diagnostic]:
    """How a network with cycles came to rest on these rows; nothing of an ensemble."""
    rests = Rests()
    if len(loaded.members) == 1 and loaded.network.settlings:
        parameters, states = loaded.members[0]
        rests.add(loaded.network, {**parameters, **states}, inputs, loaded.recipe.precision)
    return rests.told()


def _plain(results: Mapping[str, np.ndarray]) -> tuple[Prediction, ...]:
    """Outputs that no target judges: each number of a row a column, pictures as they are."""
    found = []
    for name, values in results.items():
        if values.ndim == 4:
            target = TargetSchema(name, TargetKind.NUMBERS, shape=values.shape[1:])
            found.append(Prediction(target, values, None, as_bytes=False))
            continue
        flat = values.reshape(len(values), -1)
        for number in range(flat.shape[1]):
            column = f"{name}_{number + 1}" if flat.shape[1] > 1 else name
            target = TargetSchema(column, TargetKind.NUMBERS)
            found.append(Prediction(target, flat[:, number], None))
    return tuple(found)


def _objectives(
    loaded: LoadedRun, inputs: Mapping[str, np.ndarray], prepared: Prepared
) -> dict[str, float]:
    """What the run minimises, on these rows; nothing where a column of it is missing."""
    graph = loaded.recipe.evaluation
    rows = {**inputs, **driver.as_judged(loaded.recipe, prepared.targets)}
    wanted = graph.of_role(Role.DATA, Role.TARGET) if graph is not None else ()
    names = [given.value.name for given in wanted]
    if graph is None or loaded.recipe.net != loaded.network.name or not set(names) <= set(rows):
        return {}
    compiled = compilation.compile_evaluation(loaded.recipe)
    compiled.executable.set_parameters(loaded.members[0][0])
    compiled.executable.set_states(loaded.members[0][1])
    scorer = Scorer(compiled.executable, loaded.recipe, guesses_of(loaded.recipe))
    scores = scorer.score({name: rows[name] for name in names})
    return {"loss": scores.loss, **scores.metrics}


def _first_two(prediction: Prediction, row: int) -> dict[str, float]:
    assert prediction.probabilities is not None
    shares = prediction.probabilities[row]
    order = np.argsort(-shares, kind="stable")[:2]
    return {prediction.target.classes[i]: float(shares[i]) for i in order}


def _targets(loaded: LoadedRun) -> list[TargetSchema]:
    by_name = {target.name: target for target in loaded.schema.targets}
    return [by_name[output.target] for output in loaded.outputs]


def _prediction(target: TargetSchema, values: np.ndarray, loaded: LoadedRun) -> Prediction:
    recipe = loaded.recipe
    if target.pictures:
        return picture_prediction(target, values, recipe.answer, loaded.schema)
    if target.kind is TargetKind.CLASSES:
        places = len(values) * (target.shape[0] if target.sequence else 1)
        chances = probabilities(values.reshape(places, -1))
        return Prediction(target, decided(recipe.answer, chances), chances)
    numbers = invert_target(target, values.reshape(len(values), -1))
    numbers[: max(window_of(loaded.schema) - 1, 0)] = np.nan  # no whole window behind these
    return Prediction(target, numbers if target.shape else numbers[:, 0], None)


def _figures(
    predictions: tuple[Prediction, ...], prepared: Prepared, loaded: LoadedRun
) -> dict[str, float]:
    figures: dict[str, float] = {}
    recipe, outputs = loaded.recipe, loaded.outputs
    for position, prediction in enumerate(predictions):
        target = prediction.target
        if target.name not in prepared.targets:
            continue
        prefix = "" if position == 0 else f"{target.name}."
        if target.pictures:
            output = next(o for o in outputs if o.target == target.name)
            figures |= picture_figures(output, prediction, prepared, recipe, prefix)
            continue
        actual, known = _known(prediction, prepared.targets[target.name])
        given = prediction.probabilities
        guess = prediction.values.reshape(len(actual), -1) if given is None else given
        default = _default_metrics(target, loaded.schema)
        asked = metrics_of(recipe, target.kind, default)
        for metric in asked if known.any() else ():
            value = measured(metric, guess[known], actual[known], recipe.answer)
            figures[prefix + metric.name] = value
        naive = naive_forecast(loaded.schema, target)
        if naive is not None and known.any():
            value = measured(asked[0], naive(prepared.inputs)[known], actual[known])
            figures[f"{prefix}naive_{asked[0].name}"] = value
    return figures


def _default_metrics(target: TargetSchema, schema: Schema) -> tuple[str, ...]:
    if target.sequence:
        return OF_PLACES
    series = window_of(schema) and target.kind is TargetKind.NUMBERS
    return OF_SERIES if series else _DEFAULT_METRICS[target.kind]


def _limits(prediction: Prediction, prepared: Prepared, loaded: LoadedRun) -> Limits | None:
    """What other margins or thresholds would give for a target of classes."""
    shares, name = prediction.probabilities, prediction.target.name
    if shares is None or name not in prepared.targets or prediction.target.shape:
        return None
    actual, known = _known(prediction, prepared.targets[name])
    if not known.any():
        return None
    return at_limits(loaded.recipe.answer, shares[known], actual[known], LIMITS)


def _known(prediction: Prediction, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets in their own unit, and which rows have one."""
    if prediction.target.kind is TargetKind.CLASSES:
        flat = targets.reshape(-1)
        return flat, flat >= 0
    numbers = invert_target(prediction.target, targets.reshape(len(targets), -1))
    return numbers, np.isfinite(numbers).all(axis=1)


def write_answers(answers: Answers, path: Path) -> None:
    """The input rows with their predictions, as CSV, whole or not at all."""
    write_predictions(answers.table, answers.predictions, path)
