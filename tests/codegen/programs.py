"""Programs of single operations, compiled once for the session's cache, against the oracle."""

from __future__ import annotations

import numpy as np

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.runtime import reference
from nndsl.runtime.executable import Executable, load

BATCH = 8  # the tests run fewer rows: the rest of every buffer is poison


def role_of(type: TensorType) -> Role:
    if type.shape[:1] == ("N",):
        return Role.DATA
    return Role.PARAMETER if type.element is ElementType.REAL else Role.STATE


def graph_of(operation, types) -> Graph:
    """One node; every result is an output."""
    build = Builder()
    inputs = [build.input(f"i{i}", type, role_of(type)) for i, type in enumerate(types)]
    results = build.add_all(operation, *inputs)
    build.graph.outputs = {f"o{i}": value for i, value in enumerate(results)}
    return build.graph


def arrays_of(graph: Graph, rng, rows: int, precision: str) -> dict[str, np.ndarray]:
    arrays = {}
    for name, entry in graph.inputs.items():
        type = entry.value.type
        shape = tuple(rows if d == "N" else d for d in type.shape)
        if type.element is ElementType.INDEX:
            arrays[name] = rng.integers(0, 2, shape).astype(np.int32)
        else:
            dtype = precision if type.element is ElementType.REAL else "float64"
            arrays[name] = np.asarray(rng.normal(size=shape), dtype)
    return arrays


def feed(executable: Executable, graph: Graph, arrays) -> dict[str, np.ndarray]:
    """Set parameters and states, poison the workspace, evaluate the rest."""
    names = {role: [n for n, i in graph.inputs.items() if i.role is role] for role in Role}
    executable.set_parameters({n: arrays[n] for n in names[Role.PARAMETER]})
    executable.set_states({n: arrays[n] for n in names[Role.STATE]})
    executable.poison()
    return executable.evaluate({n: arrays[n] for n in (*names[Role.DATA], *names[Role.TARGET])})


def compare(graph: Graph, rng, store, precision: str = "float32", rows: int = 5) -> None:
    """The compiled program gives what the oracle gives."""
    if not any(i.role is Role.DATA for i in graph.inputs.values()):
        rows = 1
    executable = load(generate(graph, precision, BATCH), store=store)
    arrays = arrays_of(graph, rng, rows, precision)
    results = feed(executable, graph, arrays)
    expected, _ = reference.evaluate(graph, arrays, precision=precision)
    close = 2e-6 if precision == "float32" else 1e-13
    assert results.keys() == expected.keys()
    for name, value in expected.items():
        assert results[name].shape == value.shape
        np.testing.assert_allclose(results[name], value, rtol=close, atol=close)
