"""A stand-in for `lower`: builds one layer alone, with parameters as inputs of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from nndsl.ir.graph import Builder, Role, Value
from nndsl.ir.types import Dimension, ElementType, TensorType
from nndsl.ops.base import Clock
from nndsl.runtime.reference import evaluate
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import WordCall, words


class Context:
    """Collects the parameters that a layer asks for (a `LayerContext`)."""

    def __init__(self, training: bool = False) -> None:
        self.build = Builder()
        self.training = training
        self.reverse = False
        self.masks: dict[Value, Value] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.streams = 0
        self.remarks: list[tuple[str, str]] = []

    def parameter(
        self,
        name: str,
        shape: tuple[Dimension, ...],
        *,
        initializer: WordCall | None = None,
        values: np.ndarray | float | None = None,
        fan_in: int = 1,
        fan_out: int = 1,
        axes: tuple[int, ...] | None = None,
        decays: bool = True,
    ) -> Value:
        self.asked[name] = {
            "shape": shape,
            "initializer": initializer,
            "values": values,
            "fan_in": fan_in,
            "fan_out": fan_out,
            "axes": axes,
            "decays": decays,
        }
        return self.build.input(name, TensorType(shape), Role.PARAMETER)

    def state(self, name: str, shape: tuple[Dimension, ...], *, start: float = 0.0) -> Value:
        graph = self.build.graph
        if name not in graph.inputs:
            self.build.input(name, TensorType(shape), Role.STATE, start=start)
        return graph.updates.get(name, graph.inputs[name].value)

    def update(self, name: str, value: Value) -> None:
        self.build.graph.updates[name] = value

    def mask(self, value: Value) -> Value | None:
        return self.masks.get(value)

    def weights_at(self, path: tuple[str, ...]) -> list[Value]:
        return [i.value for i in self.build.graph.of_role(Role.PARAMETER)]

    def remark(self, text: str, keeping: str = "") -> None:
        self.remarks.append((text, keeping))

    def stream(self) -> int:
        self.streams += 1
        return self.streams


class Built:
    """A layer on inputs of given shapes."""

    def __init__(
        self,
        name: str,
        shapes: list[tuple[Dimension, ...]],
        *positional: Any,
        training: bool = False,
        reverse: bool = False,
        element: ElementType = ElementType.REAL,
        **named: Any,
    ) -> None:
        word = words("layer")[name]
        assert isinstance(word, Layer)
        assert word.make is not None
        self.context = Context(training)
        self.context.reverse = reverse
        build = self.context.build
        self.inputs = [
            build.input(f"input{i}", TensorType(shape, element), Role.DATA)
            for i, shape in enumerate(shapes)
        ]
        arguments = bind_arguments(word, positional, named)
        self.output = word.make(self.context, self.inputs, arguments)
        build.graph.outputs["output"] = self.output

    @property
    def shape(self) -> tuple[Dimension, ...]:
        return self.output.type.shape

    def run(self, *arrays: Any, clock: Clock | None = None, **parameters: Any) -> np.ndarray:
        return self.both(*arrays, clock=clock, **parameters)[0]

    def both(
        self, *arrays: Any, clock: Clock | None = None, **parameters: Any
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The output, and the states after the step."""
        given = {f"input{i}": np.asarray(a, dtype=float) for i, a in enumerate(arrays)}
        graph = self.context.build.graph
        outputs, updates = evaluate(graph, {**given, **parameters}, clock)
        return outputs["output"], updates
