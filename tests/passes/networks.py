"""Graphs to run passes on, and the proof that a pass is harmless."""

import numpy as np

from nndsl.diagnostics import Source, Span
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.text import print_graph
from nndsl.ir.types import ElementType, TensorType
from nndsl.ir.verify import verify
from nndsl.ops.base import Clock
from nndsl.ops.classes import Pick
from nndsl.ops.compose import add_map, add_mean, add_sum
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.reduction import Reduce
from nndsl.ops.rows import LogSoftmax
from nndsl.passes.pipeline import run
from nndsl.runtime.reference import evaluate
from nndsl.scalar.functions import tanh

SOURCE = Source("iris.nn", "net Iris {\n  dense(5) -> tanh\n  dense(3)\n}\n")
LINES = {
    "dense[1]": Span(SOURCE, 13, 21),
    "tanh": Span(SOURCE, 25, 29),
    "dense[2]": Span(SOURCE, 32, 40),
}
ROWS = 6


def place(build: Builder, label: str) -> None:
    build.label, build.span = label, LINES.get(label)


def dense(build: Builder, x, name: str, inputs: int, outputs: int):
    weight = build.input(f"{name}.weight", TensorType((inputs, outputs)), Role.PARAMETER)
    bias = build.input(f"{name}.bias", TensorType((outputs,)), Role.PARAMETER)
    place(build, name)
    product = build.add(MatMul(), x, weight)
    return add_map(build, operand(0) + operand(1), product, bias, name="add")


def classifier(penalty: float = 0.0) -> Graph:
    """4 inputs, 5 tanh neurons, 3 classes, cross-entropy as its words build it."""
    build = Builder()
    x = build.input("input", TensorType(("N", 4)), Role.DATA)
    target = build.input("species", TensorType(("N",), ElementType.INDEX), Role.TARGET)
    hidden = dense(build, x, "dense[1]", 4, 5)
    place(build, "tanh")
    hidden = add_map(build, tanh(operand(0)), hidden, name="tanh")
    output = dense(build, hidden, "dense[2]", 5, 3)
    place(build, "loss")
    logs = build.add(LogSoftmax(), output)
    picked = build.add(Pick(), logs, target)
    data_loss = add_mean(build, add_map(build, -operand(0), picked, name="losses"))
    graph = build.graph
    loss = data_loss
    if penalty:
        place(build, "penalty")
        squares = [
            build.add(Reduce("sum", (0, 1)), add_map(build, operand(0) * operand(0), w.value))
            for n, w in graph.inputs.items()
            if n.endswith("weight")
        ]
        half = add_map(build, penalty / 2 * operand(0), add_sum(build, squares), name="penalty")
        loss = add_sum(build, [data_loss, half], name="loss")
    graph.outputs = {"output": output, "loss": loss, "data_loss": data_loss}
    return graph


def arrays_for(graph: Graph, rng, rows: int = ROWS) -> dict:
    """An array for each input but clocks and settings; class numbers below 3."""
    arrays = {}
    for name, entry in graph.inputs.items():
        shape = tuple(rows if d == "N" else d for d in entry.value.type.shape)
        if entry.role in (Role.CLOCK, Role.SETTING):
            continue
        if entry.value.type.element is ElementType.INDEX:
            arrays[name] = rng.integers(0, 3, shape)
        else:
            arrays[name] = rng.normal(size=shape)
    return arrays


def apply(graph: Graph, *passes) -> Graph:
    """The graph after the passes, each result verified, the given graph untouched."""
    before = print_graph(graph)
    result = run(graph, passes, lambda _, old, new: (verify(old), verify(new)))
    assert print_graph(graph) == before
    return result


def assert_harmless(before: Graph, after: Graph, rng, ulp: float = 0) -> None:
    """Equal outputs and updates: to the bit, or within `ulp` units of the largest number."""
    arrays = arrays_for(before, rng)
    for precision in ("float32", "float64"):
        results = [
            evaluate(graph, arrays, Clock(seed=3, step=7), precision) for graph in (before, after)
        ]
        for old, new in zip(*results, strict=True):
            assert old.keys() == new.keys()
            for name in old:
                assert old[name].dtype == new[name].dtype
                assert_close(old[name], new[name], ulp)


def assert_close(old, new, ulp: float) -> None:
    if ulp == 0:
        assert old.tobytes() == new.tobytes()
    else:
        scale = max(float(np.abs(old).max(initial=0)), np.finfo(old.dtype).tiny)
        error = np.abs(old.astype(np.float64) - new).max(initial=0)
        assert error <= ulp * np.finfo(old.dtype).eps * scale


def inputs_and(*types):
    """A builder with the inputs a, b, ... of the types."""
    build = Builder()
    return build, [build.input("abcdef"[i], t, Role.DATA) for i, t in enumerate(types)]


def formula(*expressions, element=ElementType.REAL):
    return Map(expressions, element)


def lines(graph: Graph) -> list[str]:
    """The graph's nodes as text."""
    text = print_graph(graph, comments=False)
    return [line for line in text.splitlines() if line.startswith("%")]


def compared(before: Graph, after: Graph) -> str:
    """Both graphs, for a golden file."""
    return f"# before\n{print_graph(before)}\n# after\n{print_graph(after)}"
