"""`schema.json` of a run folder: a schema as JSON of known keys, read back with every check.

A schema file is data from outside: it may be damaged or hostile. It is never executed, unknown
keys, words and kinds are refused, and its size is bounded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from nndsl.data.images.preparing import of_channel
from nndsl.data.inference import word_of
from nndsl.diagnostics import Place, error
from nndsl.params import ParameterError
from nndsl.schema import (
    Column,
    ColumnKind,
    FittedStep,
    InputSchema,
    Schema,
    TargetKind,
    TargetSchema,
)
from nndsl.vocab import words
from nndsl.vocab.preprocessing import OutsideDomainError

FORMAT = 1
MOST_BYTES = 64 << 20
_DEEPEST_VALUE = 4


def schema_to_json(schema: Schema) -> str:
    """The schema as JSON text; `schema_from_json` gives an equal one."""
    return json.dumps({"format": FORMAT, "schema": _plain(schema)}, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return value


def schema_from_json(text: str, file: str = "schema.json") -> Schema:
    """The schema in a JSON text; NN520 names what is wrong in it."""
    try:
        if len(text) > MOST_BYTES:
            raise _WrongError(f"it is longer than {MOST_BYTES >> 20} MB")
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
        top = _object(document, "the file", {"format", "schema"})
        if top["format"] != FORMAT:
            raise _WrongError(f"its format is {_shown(top['format'])}, this is {FORMAT}")
        return _schema(top["schema"])
    except (_WrongError, ParameterError, ValueError, RecursionError) as problem:
        raise error(
            "NN520",
            f"{file} is not the schema of a run: {problem}",
            place=Place(file),
            help="use the file that training wrote",
        ) from None


class _WrongError(Exception):
    """What is wrong with a schema file."""


def _refuse(name: str) -> float:
    raise _WrongError(f"it holds {name}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _WrongError("a key stands twice in it")
    return found


def _shown(value: Any) -> str:
    return repr(value)[:40]


def _object(value: Any, what: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(f"{what} is no object")
    if set(value) != keys:
        odd = sorted(set(value) ^ keys)[0]
        raise _WrongError(f"{what} has a missing or unknown key: {_shown(odd)}")
    return value


def _names(kind: type[Any]) -> set[str]:
    return {f.name for f in fields(kind)}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongError(f"{_shown(value)} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise _WrongError(f"{_shown(value)} is no count")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _WrongError(f"{_shown(value)} is no number")
    return value


def _optional(value: Any, read: Callable[[Any], Any]) -> Any:
    return None if value is None else read(value)


def _list(value: Any, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _WrongError(f"{_shown(value)} is no list")
    return tuple(read(item) for item in value)


def _schema(value: Any) -> Schema:
    found = _object(value, "the schema", _names(Schema))
    schema = Schema(
        _text(found["name"]),
        _count(found["rows"]),
        _list(found["columns"], _column),
        _list(found["inputs"], _input),
        _list(found["targets"], _target),
    )
    known = {column.name for column in schema.columns}
    for declared in schema.inputs:
        if set(declared.steps) != set(declared.columns) or not set(declared.columns) <= known:
            raise _WrongError(f"the columns of input {_shown(declared.name)} do not agree")
    if not {target.name for target in schema.targets} <= known:
        raise _WrongError("a target is no column")
    for declared in schema.inputs:
        for steps in declared.steps.values():
            for one in _by_channel(steps, declared.shape):
                _try(one, backwards=False)
    for target in schema.targets:
        for one in _by_channel(target.steps, target.shape):
            _try(one, backwards=True)
    return schema


def _by_channel(
    steps: tuple[FittedStep, ...], shape: tuple[int, ...]
) -> list[tuple[FittedStep, ...]]:
    """The steps of pictures as each channel has them; other steps as they are."""
    if len(shape) != 3:
        return [steps]
    try:
        return [of_channel(steps, channel) for channel in range(min(shape[0], 3))]
    except (TypeError, IndexError, KeyError):
        raise _WrongError("a step has not learnt of every channel") from None


def _try(steps: Sequence[FittedStep], backwards: bool) -> None:
    """Raise unless the steps can be applied with what they are said to have learnt."""
    category = bool(steps) and word_of(steps[0]).accepts == "category"
    probe: Any = np.array([None, "x"], dtype=object) if category else np.array([0.5, np.nan])
    try:
        with np.errstate(all="ignore"):
            for step in steps:
                apply = word_of(step).apply
                assert apply is not None
                probe = apply(probe, step.learnt, step.arguments)
            for step in reversed(steps) if backwards else ():
                invert = word_of(step).invert
                probe = invert(probe, step.learnt, step.arguments) if invert else None
            np.asarray(probe, dtype=np.float64)
    except OutsideDomainError:
        return
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
        raise _WrongError(f"a step has not learnt what it needs ({_shown(problem)})") from None


def _column(value: Any) -> Column:
    found = _object(value, "a column", _names(Column))
    return Column(
        _text(found["name"]),
        ColumnKind(found["kind"]),
        _count(found["missing"]),
        _list(found["categories"], _text),
        _optional(found["minimum"], _number),
        _optional(found["maximum"], _number),
        _optional(found["distinct"], _count),
    )


def _input(value: Any) -> InputSchema:
    found = _object(value, "an input", _names(InputSchema))
    steps = found["steps"]
    if not isinstance(steps, dict):
        raise _WrongError("the steps of an input are no object")
    return InputSchema(
        _text(found["name"]),
        _list(found["columns"], _text),
        _list(found["shape"], _count),
        {name: _list(listed, _step) for name, listed in steps.items()},
    )


def _target(value: Any) -> TargetSchema:
    found = _object(value, "a target", _names(TargetSchema))
    classes, shape = _list(found["classes"], _text), _list(found["shape"], _count)
    if len(shape) == 3 and not all(
        c.isascii() and c.isdigit() and int(c[:4]) < 256 for c in classes
    ):
        raise _WrongError("the classes of pictures are no levels")
    if len(shape) not in (0, 1, 3):
        raise _WrongError("a target is neither a value nor a sequence nor a picture")
    kind, steps = TargetKind(found["kind"]), _list(found["steps"], _step)
    return TargetSchema(_text(found["name"]), kind, classes, steps, shape)


def _step(value: Any) -> FittedStep:
    found = _object(value, "a step", _names(FittedStep))
    word = words("preprocessing").get(_text(found["word"]))
    if word is None:
        raise _WrongError(f"{_shown(found['word'])} is no step")
    arguments, learnt = found["arguments"], found["learnt"]
    if not isinstance(arguments, dict) or set(arguments) != set(word.parameters):
        raise _WrongError(f"the arguments of {word.name} do not agree")
    if not isinstance(learnt, dict):
        raise _WrongError(f"what {word.name} learnt is no object")
    return FittedStep(
        word.name,
        {key: word.parameters[key].convert(_value(item)) for key, item in arguments.items()},
        {key: _value(item) for key, item in learnt.items()},
    )


def _value(value: Any, depth: int = 0) -> Any:
    """A number, a text, a flag, or lists of them."""
    if isinstance(value, list) and depth < _DEEPEST_VALUE:
        return [_value(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    return _number(value)
