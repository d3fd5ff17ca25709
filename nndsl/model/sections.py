"""The `train` sections of a file in their order, from the beginning or from where a run stopped.

A file that trains one net has one run folder; one that trains several has a folder for each net
inside the run's. Sections of a net go on from where the last one of it stopped, and a net that is
used as a stage of another one keeps its weights wherever it is trained. Between two sections of a
net the weights and the history of the first stay in the folder as `weights-<n>.safetensors` and
`history-<n>.csv`, n counting the sections of the file from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import field, replace
from pathlib import Path

import numpy as np

from nndsl import driver
from nndsl.diagnostics import error
from nndsl.lower.result import JOINT, Network, Recipe
from nndsl.model.source_files import run_importer, run_source
from nndsl.model.training import Options, Trained, chosen_recipes, new_folder, train_section
from nndsl.records import dataclass
from nndsl.runtime import weights as weight_files
from nndsl.train import folder as folders
from nndsl.train.checkpoint import Checkpoint
from nndsl.train.events import Observer
from nndsl.train.initial import initial_parameters, to_graph_layout
from nndsl.train.job import inference_states
from nndsl.train.record import RunRecord
from nndsl.train.saved import read_checkpoint, read_record

Weights = dict[str, np.ndarray]
Tell = Callable[[Trained], None]
"""What is called with each section when it is over."""


@dataclass
class Learnt:
    """What sections have learnt so far: weights by the net they belong to and their path in it."""

    weights: dict[str, Weights] = field(default_factory=dict)

    def add(self, network: Network, found: Mapping[str, np.ndarray]) -> None:
        """Remember the weights and states of a net that was trained."""
        for name, array in found.items():
            net, path = _home(network, name)
            self.weights.setdefault(net, {})[path] = array

    def start(self, network: Network, seed: int) -> Weights | None:
        """What the next section of a net starts from; None when nothing of it was trained yet."""
        known = dict(self.weights.get(network.name, {}))
        for name in (*network.parameters, *inference_states(network)):
            net, path = _home(network, name)
            if path in self.weights.get(net, {}):
                known[name] = self.weights[net][path]
        return {**initial_parameters(network, seed), **known} if known else None


def _home(network: Network, name: str) -> tuple[str, str]:
    """The net that a weight belongs to, and its path in there."""
    info = network.parameters.get(name)
    member, _, path = name.partition(".")
    if info is None and member in network.name.split(JOINT):
        return member, path  # a running statistic of a net that is trained with others
    if info is None or not info.owner:
        return network.name, name
    return info.owner, name.split(f"{info.owner}.", 1)[-1]


@dataclass
class _Runner:
    """The sections of one run, and the folders that this process holds for them."""

    opened: driver.Opened
    options: Options
    observer: Observer
    run: Path
    held: dict[str, folders.RunFolder]
    stack: ExitStack
    tell: Tell
    learnt: Learnt = field(default_factory=Learnt)
    done: list[Trained] = field(default_factory=list)

    def folder(self, net: str) -> folders.RunFolder:
        if net not in self.held:
            self.held[net] = self.stack.enter_context(folders.create_at(self.run / net))
        return self.held[net]

    def go_on(self, recipes: list[Recipe], checkpoint: Checkpoint | None = None) -> None:
        """Run sections until one is interrupted; a checkpoint belongs to the first of them."""
        for number, recipe in enumerate(recipes, 1):
            folder = self.folder(recipe.net)
            _keep_earlier(folder)
            network = self.opened.module.networks[recipe.net]
            start = self.learnt.start(network, recipe.seed)
            trained = train_section(
                self.opened,
                recipe,
                (folder, self.run),
                start,
                self.options,
                self.observer,
                checkpoint,
            )
            checkpoint = None
            if number < len(recipes) and trained.result.signalled:
                stopped = replace(trained.result, exit_code=trained.result.signalled)
                trained = replace(trained, result=stopped)
            self.learnt.add(network, {**trained.result.parameters, **trained.result.states})
            self.done.append(trained)
            self.tell(trained)
            if trained.result.exit_code:
                break


def _nothing(trained: Trained) -> None:
    """Tell nobody."""


def train_file(
    opened: driver.Opened, stem: str, options: Options, observer: Observer, tell: Tell = _nothing
) -> list[Trained]:
    """Run the `train` sections of a file in order, into a new run folder."""
    recipes = chosen_recipes(opened, options.only)
    several = len({recipe.net for recipe in recipes}) > 1
    with ExitStack() as stack:
        base = stack.enter_context(new_folder(options.out, stem))
        held = {} if several else {recipes[0].net: base}
        runner = _Runner(opened, options, observer, base.path, held, stack, tell)
        runner.go_on(recipes)
    return runner.done


def resume(
    path: Path, threads: int | None, observer: Observer, tell: Tell = _nothing
) -> tuple[driver.Opened, list[Trained]]:
    """Go on with a run that was stopped, to the bit as if it had not been.

    `path` is the folder of the run, or that of one of its nets: then only this net's sections go
    on. Raises NN062 when all of them are done, NN506 when there is no run, NN508 when what the
    result depends on has changed.
    """
    places = _places(path)
    first, record = next(iter(places.values()))
    opened = _opened_again(first, record)
    whole = first != path
    recipes = [r for r in opened.module.recipes if whole or r.net == record.network]
    if not recipes:
        raise error("NN509", f"`{path}` does not fit together: no net `{record.network}`")
    left, checkpoint = _left(opened, recipes, places)
    ensembles = {r.net for r in recipes if r.ensemble is not None}  # no other net starts from one
    options = Options(threads=threads, record=record)
    with ExitStack() as stack:
        if whole:
            stack.enter_context(folders.RunFolder(path))
        held = {net: stack.enter_context(folders.RunFolder(p)) for net, (p, _) in places.items()}
        runner = _Runner(opened, options, observer, path, held, stack, tell)
        for net, (place, found) in places.items():
            if net not in ensembles and (checkpoint is None or net != left[0].net):
                network = opened.module.networks[net]
                runner.learnt.add(network, _finished_weights(place, found.section, network))
        runner.go_on(left, checkpoint)
    return opened, runner.done


def _opened_again(place: Path, record: RunRecord) -> driver.Opened:
    """The source and the data of a run, from where they were read."""
    sections = {name: file for name, file in record.data.items() if not name.startswith('"')}
    matrices = {name[1:-1]: file for name, file in record.data.items() if name.startswith('"')}
    return driver.open_source(
        run_source(place), place, sections, load_import=run_importer(place), matrices=matrices
    )


def _places(path: Path) -> dict[str, tuple[Path, RunRecord]]:
    """The folders of the nets of a run with their records, in the order of their sections."""
    inner = [p.parent for p in path.glob(f"*/{folders.RECORD}")] if path.is_dir() else []
    if (path / folders.RECORD).exists() or not inner:
        record = read_record(path)
        return {record.network: (path, record)}
    records = sorted(((p, read_record(p)) for p in inner), key=lambda found: found[1].section)
    return {record.network: (place, record) for place, record in records}


def _left(
    opened: driver.Opened, recipes: list[Recipe], places: Mapping[str, tuple[Path, RunRecord]]
) -> tuple[list[Recipe], Checkpoint | None]:
    """The sections that are still to run, and the checkpoint inside the first of them."""
    numbers = {id(r): number for number, r in enumerate(opened.module.recipes, 1)}
    for position, recipe in enumerate(recipes):
        if recipe.net not in places:
            return recipes[position:], None
        place, record = places[recipe.net]
        number = numbers[id(recipe)]
        if record.section < number:
            return recipes[position:], None
        if record.section == number and record.status != "finished":
            return recipes[position:], read_checkpoint(place)
    place, _ = places[recipes[-1].net]
    read_checkpoint(place)  # usually not there any more, which is an error with more to say
    raise error("NN062", f"the run in `{place}` is finished: there is nothing to resume")


def _keep_earlier(folder: folders.RunFolder) -> None:
    """Put what the section before has left aside, before this one writes over it."""
    if not (folder.path / folders.RECORD).exists():
        return
    record = read_record(folder.path)
    name, table = _names(record.section)
    if record.status != "finished" or (folder.path / table).exists():
        return
    contents = {
        name: weight_files.read_regular(folder.path / folders.WEIGHTS),
        table: folders.read_text(folder.path, folders.HISTORY).encode(),
    }
    folder.write(contents)


def _names(section: int) -> tuple[str, str]:
    return f"weights-{section}.safetensors", f"history-{section}.csv"


def _finished_weights(place: Path, section: int, network: Network) -> Weights:
    """The weights that a finished section left, from the copy if the next one has begun."""
    kept = place / _names(section)[0]
    found, _ = weight_files.load(kept if kept.exists() else place / folders.WEIGHTS)
    return to_graph_layout(network, found)
