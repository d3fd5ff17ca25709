"""A small transformer: compiled training against the oracle, and equal bits for any threads."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.emit_attention import LEAST_BLOCK
from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.attention import AttentionWeights
from nndsl.ops.base import Clock
from nndsl.ops.classes import SoftmaxCrossEntropy
from nndsl.ops.compose import add_mean
from nndsl.ops.einsum import Einsum
from nndsl.passes import pipeline
from nndsl.runtime import reference
from nndsl.runtime.executable import load
from nndsl.train.initial import initial_parameters
from tests.codegen.programs import compare, graph_of
from tests.lower.helpers import lowered
from tests.networks import optimizer

ROWS, PLACES, WORDS, STEPS = 9, 6, 7, 3
TEXT = f"""
block x -> decoder(d, heads) {{
  h = x + (x -> layer_norm -> attention(heads, causal=true, kv_heads=1, rope=true))
  h + (h -> layer_norm -> dense(2 * d) -> gelu -> dense(d) -> dropout(0.2))
}}
net A {{
  input text: ids({WORDS})[{PLACES}]
  share token = embed(8)
  token + position(8)
  decoder(8, 2) * 2
  layer_norm -> tied(token)
}}
"""


def training(places: int = PLACES) -> tuple[Graph, dict[str, np.ndarray]]:
    """One training step, each place against a target, and its start values."""
    network = lowered(TEXT.replace(f"[{PLACES}]", f"[{places}]")).networks["A"]
    build = Builder(network.graph.copy())
    (output,) = build.graph.outputs.values()
    type = TensorType(output.type.shape[:-1], ElementType.INDEX)
    target = build.input("target", type, Role.TARGET)
    loss = add_mean(build, build.add_all(SoftmaxCrossEntropy(), output, target)[0])
    build.graph.outputs = {"loss": loss, "data_loss": loss}
    passes = pipeline.training(optimizer(build.graph, "sgd", lr=0.1))
    return pipeline.run(build.graph, passes), initial_parameters(network, 0)


def data(rng: np.random.Generator, places: int = PLACES) -> dict[str, np.ndarray]:
    ids = rng.integers(0, WORDS, (ROWS, places + 1)).astype(np.int32)
    return {
        n: np.ascontiguousarray(ids[:, i : i + places]) for i, n in enumerate(("input", "target"))
    }


def trained(graph, start, arrays, precision, store, threads=1):
    executable = load(generate(graph, precision, ROWS), threads, store=store)
    executable.set_parameters({n: a.astype(precision) for n, a in start.items()})
    for name, array in arrays.items():
        executable.bind(name, array)
    executable.poison()
    executable.run(0, STEPS, seed=5, total_steps=STEPS)
    found = executable.parameters()
    executable.close()
    return found


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_training_equals_the_oracle(precision, rng, store) -> None:
    graph, start = training()
    arrays = data(rng)
    found = trained(graph, start, arrays, precision, store)
    values: dict[str, np.ndarray] = dict(start)
    for name, entry in graph.inputs.items():
        if entry.role is Role.STATE:
            values[name] = np.zeros(entry.value.type.shape)
    for step in range(STEPS):
        given = {n: v for n, v in {"step": step, "epoch": step}.items() if n in graph.inputs}
        _, updates = reference.evaluate(graph, {**values, **arrays, **given}, Clock(5, step))
        values |= updates
    close = 2e-5 if precision == "float32" else 1e-12
    for name, array in found.items():
        np.testing.assert_allclose(array, values[name], rtol=close, atol=close, err_msg=name)


@pytest.mark.parametrize("places", [PLACES, 2 * LEAST_BLOCK])
def test_threads_give_the_same_bits(places, rng, store) -> None:
    graph, start = training(places)
    arrays = data(rng, places)
    one = trained(graph, start, arrays, "float32", store)
    for threads in (2, 3):
        other = trained(graph, start, arrays, "float32", store, threads)
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_threads_do_not_meet_within_attention() -> None:
    graph, _ = training(2 * LEAST_BLOCK)
    calls = generate(graph, "float32", ROWS).calls
    assert sum(call.barrier for call in calls) < 6 < len(calls)


@pytest.mark.parametrize("mask", [("N", 37), ("N", 2, 37, 37)], ids=str)
@pytest.mark.parametrize("sight", [{}, {"causal": True}, {"causal": True, "window": 7}], ids=str)
def test_padding_and_masks(mask, sight, rng, store) -> None:
    scores = TensorType(("N", 2, 37, 37))
    graph = graph_of(AttentionWeights(0.5, **sight), [scores, TensorType(mask)])
    compare(graph, rng, store)  # numbers below 0 hide what stands there


PLACES_OF_BLOCKS = (64, 75, 144)
PRODUCTS = {
    "scores": ("nigk,njgk->ngij", "queries", "keys"),
    "average": ("ngij,njgk->nigk", "weights", "keys"),
    "of values": ("nigk,ngij->njgk", "queries", "weights"),
    "of keys": ("ngij,nigk->njgk", "weights", "queries"),
    "grouped": ("ngrij,nigrk->njgk", "grouped weights", "grouped queries"),
}


@pytest.mark.parametrize("places", PLACES_OF_BLOCKS)
@pytest.mark.parametrize("name", PRODUCTS)
def test_blocks_of_places(name, places, rng, store) -> None:
    """What a query does not see is neither computed nor read: it is not even a number here."""
    axes, *operands = PRODUCTS[name]
    shapes = {
        "queries": (places, 2, 5),
        "keys": (places, 2, 5),
        "weights": (2, places, places),
        "grouped queries": (places, 2, 3, 5),
        "grouped weights": (2, 3, places, places),
    }
    types = [TensorType(("N", *shapes[o])) for o in operands]
    graph = graph_of(Einsum(axes, "ij"), types)
    arrays = {f"i{n}": rng.normal(size=(3, *shapes[o])) for n, o in enumerate(operands)}
    seen = np.tril(np.ones((places, places), bool))
    for number, operand in enumerate(operands):
        if "weights" in operand:
            arrays[f"i{number}"] = np.where(seen, arrays[f"i{number}"], 0.0)
    expected, _ = reference.evaluate(graph, arrays)
    executable = load(generate(graph, "float64", 4, watch=None), store=store)
    executable.poison()
    (found,) = executable.evaluate(arrays).values()
    if name == "scores":
        found, expected["o0"] = found[..., seen], expected["o0"][..., seen]
    np.testing.assert_allclose(found, expected["o0"], rtol=1e-12, atol=1e-12)
    calls = len(executable.program.calls)
    assert calls == {64: 2, 75: 3, 144: 3}[places]
