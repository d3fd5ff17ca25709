"""Checkpoints: all that a run needs to go on to the bit, in one weight file.

Arrays are named `parameter/<name>`, `state/<name>`, `best/<name>`, `feed/<name>`,
`history`; the metadata hold
the step, the best epoch, the seconds so far, and fingerprints of what the run depends on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from nndsl.data.images.lazy import lazy
from nndsl.diagnostics import NndslError, error
from nndsl.records import dataclass
from nndsl.runtime.durable import Content
from nndsl.runtime.weights import decode, encode
from nndsl.train.history import History
from nndsl.train.job import Arrays

_KEYS = {"kind", "step", "best_epoch", "seconds", "columns", "fingerprints"}
_GROUPS = ("parameter", "state", "best", "feed")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after `step` steps. `best` holds parameters and states of the best epoch.

    `fingerprints` say by name what the run depends on (see `fingerprints`), `feed` is what the one
    who makes the rows has to know.
    """

    step: int
    parameters: Arrays
    states: Arrays
    history: History
    best: Arrays
    best_epoch: int | None
    seconds: float
    fingerprints: Mapping[str, str]
    feed: Arrays = field(default_factory=dict)

    def encode(self) -> Content:
        """The bytes of the file."""
        groups = (self.parameters, self.states, self.best, self.feed)
        tensors = {
            f"{group}/{name}": array
            for group, arrays in zip(_GROUPS, groups, strict=True)
            for name, array in arrays.items()
        }
        tensors["history"] = self.history.array()
        return encode(
            tensors,
            {
                "kind": "checkpoint",
                "step": self.step,
                "best_epoch": self.best_epoch,
                "seconds": self.seconds,
                "columns": list(self.history.columns),
                "fingerprints": dict(self.fingerprints),
            },
        )


def decode_checkpoint(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in a file's bytes; `name` is what messages call the file."""
    tensors, values = decode(content, name)
    groups: dict[str, dict[str, np.ndarray]] = {group: {} for group in _GROUPS}
    try:
        _check_values(values)
        history = History.from_array(values["columns"], tensors.pop("history"))
        for key, array in tensors.items():
            group, _, rest = key.partition("/")
            groups[group][rest] = array
    except (KeyError, ValueError, TypeError):
        raise error("NN502", f"`{name}` is damaged: it is no checkpoint of this nndsl") from None
    return Checkpoint(
        values["step"],
        groups["parameter"],
        groups["state"],
        history,
        groups["best"],
        values["best_epoch"],
        float(values["seconds"]),
        values["fingerprints"],
        groups["feed"],
    )


def _check_values(values: Mapping[str, Any]) -> None:
    best = values["best_epoch"]
    valid = (
        set(values) == _KEYS
        and values["kind"] == "checkpoint"
        and isinstance(values["step"], int)
        and values["step"] >= 0
        and (best is None or isinstance(best, int))
        and isinstance(values["seconds"], int | float)
        and all(isinstance(column, str) for column in values["columns"])
        and all(isinstance(text, str) for text in values["fingerprints"].values())
    )
    if not valid:
        raise ValueError("keys or types differ")


def fingerprints(
    train: Arrays, validation: Arrays, documents: Mapping[str, str], settings: Mapping[str, Any]
) -> dict[str, str]:
    """What a run depends on, as short texts by name: equal texts, equal run.

    The number of threads is not among them: it changes no bit.
    """
    found = {f"the setting `{name}`": str(value) for name, value in settings.items()}
    found |= {f"`{name}`": _digest(text.encode()) for name, text in documents.items()}
    for part, arrays in (("training", train), ("validation", validation)):
        for name, array in arrays.items():
            shape = "x".join(str(size) for size in array.shape)
            late = lazy(array)
            content = late.fingerprint() if late else _digest(np.ascontiguousarray(array).data)
            found[f"the {part} rows of `{name}`"] = f"{shape} {array.dtype.name} {content}"
    return found


def check_fingerprints(then: Mapping[str, str], now: Mapping[str, str], name: str) -> None:
    """Raise NN508 with what differs between the run in a checkpoint and the one to go on with."""
    lines = [
        f"{key}: {then.get(key, 'absent')} then, {now.get(key, 'absent')} now"
        for key in sorted(set(then) | set(now))
        if then.get(key) != now.get(key)
    ]
    if lines:
        raise error(
            "NN508",
            f"`{name}` cannot go on: {len(lines)} things differ from when it was stopped"
            if len(lines) > 1
            else f"`{name}` cannot go on: one thing differs from when it was stopped",
            notes=lines[:5],
            help="restore the data and the files of the run, or train anew",
        )


def mismatch(then: Arrays, now: Arrays, name: str) -> NndslError | None:
    """What is wrong when the arrays of a file are not those of the network; None when they are."""
    lines = [f"`{key}` is missing in the file" for key in now if key not in then]
    lines += [f"`{key}` is not in the network" for key in then if key not in now]
    lines += [
        f"`{key}`: {_form(then[key])} in the file, {_form(now[key])} in the network"
        for key in now
        if key in then and _form(then[key]) != _form(now[key])
    ]
    if not lines:
        return None
    return error(
        "NN509",
        f"the weights in `{name}` do not fit the network",
        notes=lines[:5],
        help="use the run folder's own `model.nn`, or train anew",
    )


def _form(array: np.ndarray) -> str:
    sizes = "x".join(str(size) for size in array.shape)
    return f"{array.dtype.name} {sizes}" if sizes else f"{array.dtype.name} number"


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
