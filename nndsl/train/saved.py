"""Reading a run folder: source, schema, weights and record, checked against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, error
from nndsl.lower.result import Network
from nndsl.records import dataclass
from nndsl.runtime import weights
from nndsl.train import folder as names
from nndsl.train.checkpoint import Checkpoint, decode_checkpoint, mismatch
from nndsl.train.history import History
from nndsl.train.initial import to_graph_layout
from nndsl.train.keeping import is_finite
from nndsl.train.record import RunRecord, from_text


@dataclass(frozen=True)
class SavedRun:
    """What a run folder holds. `weights` are in the file layout, by name of the parameter."""

    path: Path
    source: str
    schema: str  # JSON, to be read by `nndsl.data`
    record: RunRecord
    weights: dict[str, np.ndarray]


def read_record(path: Path) -> RunRecord:
    """The record of a run folder alone."""
    return from_text(names.read_text(path, names.RECORD), str(path / names.RECORD))


def read_run(path: Path) -> SavedRun:
    """All that predicting needs. Raises NN5xx for whatever is missing, damaged or no plain file."""
    record = read_record(path)
    if (path / names.FOLDS).exists() and not (path / names.WEIGHTS).exists():
        raise error(
            "NN506",
            f"`{path}` holds a cross-validation, which keeps no weights",
            help="train once without `--folds` to get a network to use",
        )
    tensors, values = weights.load(path / names.WEIGHTS)
    _check_kind(values, path / names.WEIGHTS)
    return SavedRun(
        path,
        names.read_text(path, names.MODEL),
        names.read_text(path, names.SCHEMA),
        record,
        tensors,
    )


def read_member(path: Path, number: int) -> SavedRun:
    """What a member of the ensemble in `path` has learnt; NN511 when that is not all there."""
    place = path / names.member(number)
    if not (place / names.RECORD).exists() or not (place / names.WEIGHTS).exists():
        raise _missing(path, f"`{place.name}` is not there")
    record = read_record(place)
    if record.status != "finished":
        raise _missing(path, f"`{place.name}` is not trained to its end ({record.status})")
    tensors, values = weights.load(place / names.WEIGHTS)
    _check_kind(values, place / names.WEIGHTS)
    source, schema = (names.read_text(path, name) for name in (names.MODEL, names.SCHEMA))
    return SavedRun(place, source, schema, record, tensors)


def read_history(path: Path) -> History:
    """The figures of each epoch of a run; NN502 when the file is damaged."""
    text = names.read_text(path, names.HISTORY)
    try:
        return History.from_csv(text)
    except ValueError:
        raise error("NN502", f"`{path / names.HISTORY}` is damaged: it is no table") from None


def read_members(path: Path, count: int) -> list[SavedRun]:
    """All members of an ensemble's run; NN511 when there are fewer, or more."""
    found = [read_member(path, number) for number in range(1, count + 1)]
    if (path / names.member(count + 1)).exists():
        raise _missing(path, f"`{names.member(count + 1)}` is one too many for its source")
    return found


def _missing(path: Path, why: str) -> NndslError:
    over = read_record(path).status == "finished"
    return error(
        "NN511",
        f"the ensemble in `{path}` is not complete: {why}",
        help="use a whole copy of the run, or train again"
        if over
        else f"nndsl train --resume {path}",
    )


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint of a run folder; NN062 when the run is over, NN5xx when it is damaged."""
    record = read_record(path)
    if not (path / names.CHECKPOINT).exists():
        over = record.status == "finished"
        raise error(
            "NN062",
            f"the run in `{path}` is finished: there is nothing to resume"
            if over
            else f"the run in `{path}` saved no checkpoint: there is nothing to resume",
            help="train anew for another run"
            if not over
            else "to train longer, raise `epochs` in the source and train anew",
        )
    file = path / names.CHECKPOINT
    return decode_checkpoint(weights.read_regular(file), str(file))


def fitting_weights(
    run: SavedRun, network: Network, states: dict[str, np.ndarray], precision: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Parameters and states of the network in its own layout, of a saved run.

    `states` are those that inference needs, for their names and shapes. Raises NN509 with the
    differences when names or shapes do not fit, NN510 when a weight is no number.
    """
    expected: dict[str, np.ndarray] = {
        name: np.empty(info.shape, dtype=precision) for name, info in network.parameters.items()
    }
    found = to_graph_layout(network, run.weights) if _same_ranks(run, network) else run.weights
    if problem := mismatch(found, {**expected, **states}, str(run.path / names.WEIGHTS)):
        raise problem
    for name, array in found.items():
        if not is_finite({name: array}):
            raise error(
                "NN510",
                f"`{name}` in `{run.path / names.WEIGHTS}` holds numbers that are not finite",
                help="train anew, with a lower learning rate",
            )
    return (
        {name: found[name] for name in expected},
        {name: found[name] for name in states},
    )


def _same_ranks(run: SavedRun, network: Network) -> bool:
    infos = network.parameters
    return all(array.ndim == len(infos[n].shape) for n, array in run.weights.items() if n in infos)


def _check_kind(values: dict[str, Any], path: Path) -> None:
    if set(values) != {"kind", "network"} or values["kind"] != "weights":
        raise error("NN502", f"`{path}` is damaged: it does not hold the weights of a network")
