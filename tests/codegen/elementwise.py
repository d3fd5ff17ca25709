"""A loop over an expression, compiled for one target: how tests see what registers compute."""

from __future__ import annotations

import numpy as np

from nndsl.codegen.assembly import SCALARS, Shape, Value, Writer
from nndsl.codegen.program import Element
from nndsl.codegen.target import Target
from nndsl.codegen.transpose import module_text, slot_pointer
from nndsl.codegen.vector import VectorCode
from nndsl.scalar.expansion import expand
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import variables
from tests.codegen.machine import compile_kernel


def computed(
    expression: Expression,
    values: dict[str, np.ndarray],
    processor: Target,
    lanes: int | None = None,
    expanded: bool = True,
) -> np.ndarray:
    """The expression's value for arrays of float32 or float64, in registers of `lanes`."""
    names = variables(expression)
    arrays = [np.ascontiguousarray(values[name]) for name in names]
    kind = next(iter(values.values())).dtype
    count = len(next(iter(values.values())))
    element = Element(kind.name)
    lanes = lanes or processor.lanes_of(element)
    size = -(-count // lanes) * lanes
    padded = [np.concatenate([array, np.ones(size - count, kind)]) for array in arrays]
    result = np.full(size, np.nan, kind)
    if expanded:
        expression = expand(expression, kind.name)
    text = _text(expression, names, Shape(SCALARS[element], lanes), processor)
    slots = np.array([a.ctypes.data for a in (*padded, result)], np.int64)
    compile_kernel(text, "loop", processor)(slots, slots, 0, size)
    return result[:count]


def _text(expression: Expression, names: tuple[str, ...], shape: Shape, processor: Target) -> str:
    writer = Writer()
    pointers = [slot_pointer(writer, slot) for slot in range(len(names) + 1)]

    def body(index: Value, _: list[Value]) -> list[Value]:
        places = [writer.offset(pointer, shape.scalar, index) for pointer in pointers]
        loaded = {
            name: writer.load(shape, place) for name, place in zip(names, places, strict=False)
        }
        code = VectorCode(writer, shape, processor, loaded)
        writer.store(code.number(expression), shape, places[-1])
        return []

    low, high = Value("i64", "%low"), Value("i64", "%high")
    writer.loop(low, high, shape.lanes, (), body)
    return module_text(writer, "loop")
