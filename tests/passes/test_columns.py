"""What depends on columns alone is computed once; batch normalisation goes into the product."""

import numpy as np
import pytest

from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.passes import pipeline
from nndsl.passes.columns import FoldColumns
from nndsl.runtime.reference import evaluate
from nndsl.scalar.functions import maximum, sqrt
from tests.lower.helpers import lowered
from tests.networks import without
from tests.passes.networks import (
    apply,
    arrays_for,
    assert_close,
    assert_harmless,
    formula,
    inputs_and,
)

x, y, z, u, v, w = (operand(i) for i in range(6))
ROWS, COLUMN = TensorType(("N", 3)), TensorType((3,))
NUMBER = TensorType((), ElementType.DOUBLE)


def folded(types, *expressions):
    build, values = inputs_and(*types)
    for i, expression in enumerate(expressions):
        build.graph.outputs[f"y{i}"] = build.add(formula(expression), *values)
    return build.graph, apply(build.graph, FoldColumns())


def test_parts_of_columns_are_taken_out(rng):
    before, after = folded([ROWS, COLUMN, COLUMN], maximum(x * (y / sqrt(1.0 + z * z)), 0.0))
    assert [n.operation.name for n in after.nodes] == ["map", "map"]
    assert after.nodes[0].outputs[0].type == COLUMN
    assert after.nodes[1].operation == formula(maximum(x * y, 0.0))
    assert_harmless(before, after, rng, ulp=0)


def test_chains_become_one_factor_and_one_shift(rng):
    before, after = folded([ROWS, *[COLUMN] * 4], ((x + y) - z) * u + v)
    assert after.nodes[1].operation == formula(y * x + z)
    assert len(after.nodes[0].outputs) == 1  # the factor is there already
    assert_harmless(before, after, rng, ulp=8)


@pytest.mark.parametrize(
    "expression",
    [x + y, x * y, x * y + z, y - x, 2.0 * x, (x + 1.0) * 3.0],
    ids=str,
)
def test_what_is_short_already_stays(expression):
    before, after = folded([ROWS, COLUMN, COLUMN], expression)
    assert len(after.nodes) == 1
    assert after.nodes[0].operation == before.nodes[0].operation


def test_formulas_without_rows_or_columns_stay():
    for types in ([COLUMN, COLUMN], [ROWS, NUMBER], [ROWS, TensorType(("N", 1))]):
        before, after = folded(types, (x + sqrt(y)) * sqrt(y) + 1.0)
        assert after.nodes == before.nodes


NETS = {
    "bias": "dense(6) -> batch_norm -> relu -> dense(2)",
    "no bias": "dense(6, bias=false) -> batch_norm -> tanh -> dense(2)",
    "twice": "dense(6) -> batch_norm -> batch_norm(scale=false) -> relu -> dense(2)",
    "layer norm": "dense(6) -> layer_norm -> relu -> dense(2)",
}


@pytest.mark.parametrize("name", NETS)
def test_normalisation_after_training_costs_no_pass_over_memory(name, rng):
    graph = lowered(f"net A {{\n  input x: [4]\n  {NETS[name]}\n}}\n").networks["A"].graph
    rest = without(pipeline.INFERENCE, ["fold_columns"])
    after, plain = pipeline.run(graph, pipeline.INFERENCE), pipeline.run(graph, rest)
    arrays = {
        name: np.abs(array) if name.endswith("_var") else array
        for name, array in arrays_for(graph, rng).items()
    }
    for precision in ("float32", "float64"):
        on, off = (evaluate(g, arrays, precision=precision)[0]["output"] for g in (after, plain))
        assert_close(off, on, ulp=16)
    if name != "layer norm":
        batched = [n.operation.name for n in after.nodes if "N" in n.outputs[0].type.shape]
        assert batched == ["fused_matmul", "fused_matmul"]
        (first,) = [n for n in after.nodes if n.operation.name == "fused_matmul"][:1]
        assert len(first.inputs) == 4  # the product's two, a factor and a shift


def test_the_product_itself_is_not_touched(rng):
    build, (a, b, c) = inputs_and(ROWS, TensorType((3, 3)), COLUMN)
    product = build.add(MatMul(), a, b)
    build.graph.outputs["y"] = build.add(formula(x + y), product, c)
    after = apply(build.graph, FoldColumns())
    assert after.nodes == build.graph.nodes
