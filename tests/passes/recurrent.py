"""A recurrent network as a graph, and the passes on its way to kernels."""

import numpy as np

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import TensorType
from nndsl.ops.compose import add_map, add_mean, add_sum
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.scan import Scan
from nndsl.ops.split import Split
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.pipeline import CLEANING, PLANNING, SCANS
from nndsl.passes.scans import LiftFromScans
from nndsl.scalar.functions import sigmoid, tanh

UNITS, FEATURES, STEPS = 3, 2, 4


def gated(reverse=False) -> Graph:
    """A long short-term memory (Hochreiter & Schmidhuber 1997) and the mean square of its states.

    All that its body computes is kept, as lowering has it.
    """
    build = Builder()
    x = build.input("x", TensorType(("N", STEPS, FEATURES)), Role.DATA)
    states = [build.input(n, TensorType(("N", UNITS)), Role.DATA) for n in ("h0", "c0")]
    weights = [
        build.input("w", TensorType((FEATURES, 4 * UNITS)), Role.PARAMETER),
        build.input("u", TensorType((UNITS, 4 * UNITS)), Role.PARAMETER),
        build.input("b", TensorType((4 * UNITS,)), Role.PARAMETER),
    ]
    scan = Scan(Body(_cell()), 1, 2, reverse)
    results = build.add_all(scan, x, *states, *weights)
    squares = add_map(build, operand(0) * operand(0), results[2], name="squares")
    last = add_map(build, operand(0) * operand(0) * operand(1), results[1], states[0], name="last")
    build.graph.outputs["loss"] = add_sum(build, [add_mean(build, squares), add_mean(build, last)])
    return build.graph


def _cell() -> Graph:
    inner = Builder()
    x = inner.input("x", TensorType(("N", FEATURES)), Role.DATA)
    h, c = (inner.input(n, TensorType(("N", UNITS)), Role.DATA) for n in ("h", "c"))
    w = inner.input("w", TensorType((FEATURES, 4 * UNITS)), Role.DATA)
    u = inner.input("u", TensorType((UNITS, 4 * UNITS)), Role.DATA)
    b = inner.input("b", TensorType((4 * UNITS,)), Role.DATA)
    sums = add_sum(inner, [inner.add(MatMul(), x, w), inner.add(MatMul(), h, u), b])
    parts = inner.add_all(Split(1, (UNITS,) * 4), sums)
    i, f, o = (add_map(inner, sigmoid(operand(0)), parts[n]) for n in (0, 1, 3))
    g = add_map(inner, tanh(operand(0)), parts[2])
    memory = add_map(inner, operand(0) * operand(1) + operand(2) * operand(3), f, c, i, g)
    out = add_map(inner, operand(0) * tanh(operand(1)), o, memory)
    made = [v for node in inner.graph.nodes for v in node.outputs]
    outputs = {"h": out, "c": memory, "out": out, "before h": h, "before c": c}
    inner.graph.outputs = outputs | {f"kept.{n}": v for n, v in enumerate(made)}
    return inner.graph


def arrays(graph: Graph, rng) -> dict[str, np.ndarray]:
    return {
        name: rng.normal(size=[5 if d == "N" else d for d in entry.value.type.shape])
        for name, entry in graph.inputs.items()
    }


PASSES = {
    "alone": (Differentiate(),),
    "lifted": (LiftFromScans(), Differentiate()),
    "cleaned": (LiftFromScans(), Differentiate(), *CLEANING, *SCANS),
    "planned": (LiftFromScans(), Differentiate(), *CLEANING, *SCANS, *PLANNING),
}
