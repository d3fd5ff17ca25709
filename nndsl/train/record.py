"""`run.json`: what was run, with which settings and versions, and what came of it.

Its keys are fixed. A file with other keys or types, or of another format, is refused (NN502, NN505)
before anything in it is used.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, error
from nndsl.records import dataclass
from nndsl.runtime.weights import strict_json
from nndsl.version import VERSION

FORMAT = 1
STATES = ("running", "interrupted", "diverged", "finished")


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`. Figures are fractions; `seconds` are of the training alone."""

    status: str  # one of STATES
    network: str
    command: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)  # of `--set`, as written
    data: Mapping[str, str] = field(default_factory=dict)  # name of the data set -> its file
    seed: int = 0
    threads: int = 1
    precision: str = "float32"
    rows: Mapping[str, float] = field(default_factory=dict)  # train, validation, test
    epochs: int = 0  # done
    steps: int = 0  # done
    best_epoch: int | None = None
    stopped: str = ""  # why
    metrics: Mapping[str, float] = field(default_factory=dict)  # test_accuracy, val_loss, ...
    seconds: float = 0.0
    section: int = 1  # which `train` section of the source, from 1
    versions: Mapping[str, str] = field(default_factory=lambda: versions())
    format: int = FORMAT


def versions() -> dict[str, str]:
    """Versions of what the result may depend on."""
    import llvmlite  # there already when something was trained

    return {
        "nndsl": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "llvmlite": llvmlite.__version__,
        "machine": platform.machine(),
    }


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The figures that are numbers: JSON has no others."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def to_text(record: RunRecord) -> str:
    """The JSON text of a record."""
    return json.dumps(asdict(record), indent=1, allow_nan=False) + "\n"


def from_text(text: str, name: str) -> RunRecord:
    """The record in a text; `name` is what messages call the file."""
    try:
        found = strict_json(text)
    except (ValueError, RecursionError):
        raise _damaged(name, "it cannot be read as JSON") from None
    if not isinstance(found, dict):
        raise _damaged(name, "it is not a JSON object")
    if found.get("format") != FORMAT:
        raise error(
            "NN505",
            f"`{name}` has format {found.get('format')!r}, and this nndsl reads format {FORMAT}",
            help="use the nndsl that wrote it, or train again",
        )
    _check_keys(found, name)
    for key, value in found.items():
        if not _FORMS[key](value):
            raise _damaged(name, f"`{key}` has a wrong value")
    return RunRecord(**{**found, "command": tuple(found["command"])})


def _check_keys(found: Mapping[str, Any], name: str) -> None:
    known = {f.name for f in fields(RunRecord)}
    if unknown := sorted(set(found) - known):
        raise _damaged(name, f"unknown key `{unknown[0][:40]}`")
    if missing := sorted(known - set(found)):
        raise _damaged(name, f"`{missing[0]}` is missing")


def _damaged(name: str, why: str) -> NndslError:
    return error("NN502", f"`{name}` is damaged: {why}", help="use a copy of it, or train again")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(v) for v in value)


def _is_text_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(v) for v in value.values())


def _is_number_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_number(v) for v in value.values())


_FORMS = {
    "status": lambda value: value in STATES,
    "network": _is_text,
    "section": _is_whole,
    "command": _is_texts,
    "settings": _is_text_mapping,
    "data": _is_text_mapping,
    "seed": _is_whole,
    "threads": _is_whole,
    "precision": _is_text,
    "rows": _is_number_mapping,
    "epochs": _is_whole,
    "steps": _is_whole,
    "best_epoch": lambda value: value is None or _is_whole(value),
    "stopped": _is_text,
    "metrics": _is_number_mapping,
    "seconds": _is_number,
    "versions": _is_text_mapping,
    "format": _is_whole,
}
