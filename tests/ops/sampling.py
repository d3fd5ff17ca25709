"""Operands for the samples of ops, and gradients by central differences."""

import numpy as np

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType
from nndsl.ops import OPERATIONS
from nndsl.ops.shapes import actual

SIZES = {"N": 3, "T": 2}
SAMPLES = [(operation, types) for cls in OPERATIONS.values() for operation, types in cls.samples()]


def names(samples=SAMPLES):
    return [f"{op.name}-{i}" for i, (op, _) in enumerate(samples)]


def draw(types, rng):
    """Arrays of the types; class numbers are 0 or 1."""
    arrays = []
    for type in types:
        shape = actual(type.shape, SIZES)
        if type.element is ElementType.INDEX:
            arrays.append(rng.integers(0, 2, shape).astype(np.int32))
        else:
            arrays.append(rng.normal(size=shape))
    return arrays


def graph_of(operation, types):
    """A graph of one node with an output for each result, and a builder for it."""
    build = Builder()
    inputs = [build.input(f"i{i}", type, Role.DATA) for i, type in enumerate(types)]
    results = build.add_all(operation, *inputs)
    build.graph.outputs = {f"o{i}": value for i, value in enumerate(results)}
    return build


def central_differences(function, array, step=1e-5):
    """Derivatives of a number by every element, of order step**4."""
    slopes = np.empty_like(array)
    for place in np.ndindex(array.shape):
        values = []
        for distance in (-2, -1, 1, 2):
            moved = array.copy()
            moved[place] += distance * step
            values.append(function(moved))
        a, b, c, d = values
        slopes[place] = (a - 8 * b + 8 * c - d) / (12 * step)
    return slopes
