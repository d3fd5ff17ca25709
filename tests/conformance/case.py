"""One case: a file with inputs, expected outputs and attributes; and the graph built for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Role, Value
from nndsl.ir.types import BATCH, ElementType, TensorType
from nndsl.ops.compose import add_map
from nndsl.ops.movement import Transpose
from nndsl.ops.reduction import Broadcast, Reduce, Reshape
from nndsl.passes import pipeline
from nndsl.runtime.executable import load
from nndsl.scalar.expression import Expression

RELATIVE, ABSOLUTE = 1e-5, 1e-6


class NotSupportedError(Exception):
    """No word or op of nndsl does what a case asks for; the text says what."""


@dataclass(frozen=True)
class Case:
    """`inputs` and `outputs` in their order; an absent optional input is missing in `by_name`."""

    name: str
    operator: str
    attributes: Mapping[str, Any]
    inputs: tuple[np.ndarray | None, ...]
    outputs: tuple[np.ndarray, ...]

    def attribute(self, name: str, default: Any) -> Any:
        return self.attributes.get(name, default)

    def given(self, position: int) -> np.ndarray | None:
        return self.inputs[position] if position < len(self.inputs) else None


def read_cases(folder: Path) -> Iterator[Case]:
    """All cases of a folder in the order of their names; no pickled content is ever read."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            meta = json.loads(bytes(arrays["meta"]))
            given = _present(meta["inputs"], "in_", arrays)
            expected = _present(meta["outputs"], "out_", arrays)
        yield Case(
            path.stem, meta["op"], meta["attrs"], given, tuple(a for a in expected if a is not None)
        )


def _present(names: list[str], prefix: str, arrays: Any) -> tuple[np.ndarray | None, ...]:
    places = iter(range(len(names)))  # arrays are numbered without those that are absent
    stored = [f"{prefix}{next(places)}" if name else None for name in names]
    return tuple(None if key is None or key not in arrays else arrays[key] for key in stored)


class Drawing:
    """A graph under construction: inputs that carry their arrays, and outputs in order."""

    def __init__(self) -> None:
        self.build = Builder()
        self.parameters: dict[str, np.ndarray] = {}
        self.classes: dict[str, np.ndarray] = {}

    def array(self, array: np.ndarray) -> Value:
        """An input of fixed size."""
        name = f"in{len(self.parameters)}"
        self.parameters[name] = np.asarray(array, np.float32)
        return self.build.input(name, TensorType(array.shape), Role.PARAMETER)

    def class_numbers(self, array: np.ndarray) -> Value:
        """Class numbers [rows]."""
        name = f"classes{len(self.classes)}"
        self.classes[name] = array.astype(np.int32)
        return self.build.input(name, TensorType((BATCH,), ElementType.INDEX), Role.DATA)

    def rows(self, array: np.ndarray) -> Value:
        """Numbers [rows, ...] beside class numbers."""
        name = f"rows{len(self.classes)}"
        self.classes[name] = np.ascontiguousarray(array, np.float32)
        return self.build.input(name, TensorType((BATCH, *array.shape[1:])), Role.DATA)

    def map(self, expression: Expression, *operands: Value) -> Value:
        return add_map(self.build, expression, *operands)

    def total(self, value: Value, axes: tuple[int, ...], *, keep: bool = True) -> Value:
        return self.build.add(Reduce("sum", tuple(sorted(axes)), keep), value)

    def reshape(self, value: Value, shape: tuple[int, ...]) -> Value:
        return self.build.add(Reshape(shape), value)

    def transpose(self, value: Value, axes: tuple[int, ...]) -> Value:
        return self.build.add(Transpose(axes), value)

    def spread(self, value: Value, shape: tuple[int, ...]) -> Value:
        return value if value.type.shape == shape else self.build.add(Broadcast(shape), value)

    def run(self, outputs: tuple[Value, ...]) -> list[np.ndarray]:
        """The outputs by the compiled kernels, in float32."""
        for position, value in enumerate(outputs):
            # an output that is an input as it stands would need no kernel
            self.build.graph.outputs[f"out{position}"] = value
        graph = pipeline.run(self.build.graph, pipeline.INFERENCE)
        rows = next((len(array) for array in self.classes.values()), 1)
        executable = load(generate(graph, "float32", rows, watch=None))
        known = executable.program.parameters
        executable.set_parameters({n: a for n, a in self.parameters.items() if n in known})
        for name, array in self.classes.items():
            if name in executable.program.shapes:
                executable.bind(name, array)
        executable.run(0, 1)
        return [executable.output(f"out{position}") for position in range(len(outputs))]


Make = Callable[[Case, Drawing], tuple[Value, ...]]


def passes(case: Case, found: list[np.ndarray]) -> str:
    """Empty when all outputs agree, else how they differ."""
    for position, (got, expected) in enumerate(zip(found, case.outputs, strict=True)):
        if got.size != expected.size:
            return f"output {position + 1} is {got.shape}, not {expected.shape}"
        wanted = expected.astype(np.float64)
        same = got.reshape(expected.shape) == wanted  # infinities too
        with np.errstate(invalid="ignore"):
            away = np.where(same, 0.0, np.abs(got.reshape(expected.shape) - wanted))
        if not (away <= ABSOLUTE + RELATIVE * np.abs(wanted)).all():
            return f"output {position + 1} differs by up to {away.max():.2e}"
    return ""
