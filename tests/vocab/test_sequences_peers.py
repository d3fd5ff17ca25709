"""Layers over sequences beside PyTorch's: values and gradients of compiled kernels, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Role
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes import pipeline
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.runtime.executable import load
from tests.lower.helpers import lowered

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.peers

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
ROWS, PLACES, WORDS, FEATURES, HEADS = 3, 7, 11, 12, 4


class Net:
    """A network of ids with random weights; its output, and gradients of a random sum of it."""

    def __init__(
        self, body: str, rng: np.random.Generator, blocks: str = "", ids: str = f"ids({WORDS})"
    ) -> None:
        text = f"{blocks}\nnet A {{\n  input text: {ids}[{PLACES}]\n  {body}\n}}\n"
        network = lowered(text).networks["A"]
        build = Builder(network.graph.copy())
        graph = build.graph
        (output,) = graph.outputs.values()
        upstream = build.input("upstream", output.type, Role.DATA)
        product = add_map(build, operand(0) * operand(1), output, upstream)
        graph.outputs["loss"] = build.add(Reduce("sum", (0, 1, 2)), product)
        graph = pipeline.run(Differentiate()(graph), pipeline.INFERENCE)
        self.ids = rng.integers(0, WORDS, (ROWS, PLACES)).astype(np.int32)
        self.upstream = rng.normal(size=(ROWS, *output.type.shape[1:]))
        self.weights = {n: rng.normal(size=i.shape) for n, i in network.parameters.items()}
        executable = load(generate(graph, "float64", 4, watch=None))
        executable.set_parameters(self.weights)
        executable.poison()
        found = executable.evaluate({"input": self.ids, "upstream": self.upstream})
        self.output = found["output"]
        self.gradients = {n: found[PREFIX + n] for n in self.weights}

    def compare(self, model, parameters) -> None:
        """`model(ids, embedding)` gives the output; `parameters` PyTorch's by our names."""
        table = torch.nn.Parameter(torch.tensor(self.weights["embed.weight"]))
        output = model(torch.tensor(self.ids.astype(np.int64)), table)
        np.testing.assert_allclose(self.output, output.detach().numpy(), **CLOSE)
        (output * torch.tensor(self.upstream)).sum().backward()
        for name, theirs in {**parameters, "embed.weight": table}.items():
            ours = self.gradients[name]
            expected = theirs.grad.numpy()
            np.testing.assert_allclose(ours.T if name in self.turned else ours, expected, **CLOSE)

    @property
    def turned(self) -> set[str]:
        """Arrays that the graph has as [inputs, outputs]."""
        tables = ("embed.weight", "position.weight")
        return {n for n, w in self.weights.items() if w.ndim == 2 and not n.endswith(tables)}

    def tensor(self, name: str):
        """An array as PyTorch has it."""
        array = self.weights[name]
        return torch.nn.Parameter(torch.tensor(array.T.copy() if name in self.turned else array))

    def given(self, names):
        """Parameters by our names."""
        return {name: self.tensor(name) for name in names}


def projections(net: Net, path: str):
    """Query, key, value and output of an attention, as PyTorch has them, by our names."""
    parts = ("query", "key", "value", "output")
    return net.given([f"{path}{p}.{kind}" for p in parts for kind in ("weight", "bias")])


def attend(x, memory, p, path, heads, kv_heads=None, causal=False, window=None, turn=None):
    """Attention from PyTorch's own scaled_dot_product_attention."""
    linear = torch.nn.functional.linear
    q, k, v = (
        linear(source, p[f"{path}{n}.weight"], p[f"{path}{n}.bias"])
        for n, source in (("query", x), ("key", memory), ("value", memory))
    )
    groups = kv_heads or heads
    q, k, v = (t.unflatten(-1, (n, -1)) for t, n in ((q, heads), (k, groups), (v, groups)))
    if turn is not None:
        q, k = turn(q), turn(k)
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    place, key = torch.arange(q.shape[2])[:, None], torch.arange(k.shape[2])[None]
    seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool)
    seen = seen & (key <= place) if causal else seen
    seen = seen & ((key - place).abs() < window) if window else seen
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
    return linear(y.transpose(1, 2).flatten(2), p[f"{path}output.weight"], p[f"{path}output.bias"])


def turned_halves(x):
    """Rotary positions as in GPT-NeoX and Llama."""
    half = x.shape[-1] // 2
    angles = torch.outer(
        torch.arange(x.shape[1], dtype=torch.float64),
        10000.0 ** (-torch.arange(half, dtype=torch.float64) / half),
    )
    cosines, sines = angles.cos()[:, None], angles.sin()[:, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cosines - b * sines, b * cosines + a * sines], -1)


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("", {}),
        (", causal=true", {"causal": True}),
        (", kv_heads=2", {"kv_heads": 2}),
        (", kv_heads=1, causal=true", {"kv_heads": 1, "causal": True}),
        (", window=2", {"window": 2}),
        (", window=3, causal=true", {"window": 3, "causal": True}),
    ],
)
def test_attention(written, options, rng) -> None:
    net = Net(f"embed({FEATURES}) -> attention({HEADS}{written})", rng)
    p = projections(net, "attention.")

    def model(ids, table):
        x = torch.nn.functional.embedding(ids, table)
        return attend(x, x, p, "attention.", HEADS, **options)

    net.compare(model, p)


@pytest.mark.parametrize(
    ("ids", "written"),
    [(f"ids({WORDS})", ", where=text != 0"), (f"ids({WORDS}, padding=0)", "")],
    ids=["where", "padding"],
)
def test_places_that_only_fill_up_are_not_looked_at(ids, written, rng) -> None:
    net = Net(f"text -> embed({FEATURES}) -> attention({HEADS}{written})", rng, ids=ids)
    p = projections(net, "attention.")

    def model(ids, table):
        x = torch.nn.functional.embedding(ids, table)
        module = torch.nn.MultiheadAttention(FEATURES, HEADS, batch_first=True, dtype=x.dtype)
        loaded(Holder(module), p, "attention.")
        return module(x, x, x, key_padding_mask=ids == 0, need_weights=False)[0]

    net.compare(model, {})


class Holder:
    """A layer that holds an attention."""

    def __init__(self, attention) -> None:
        self.self_attn = attention


def test_rotary_positions(rng) -> None:
    net = Net(f"embed({FEATURES}) -> attention(3, rope=true, causal=true)", rng)
    p = projections(net, "attention.")

    def model(ids, table):
        x = torch.nn.functional.embedding(ids, table)
        return attend(x, x, p, "attention.", 3, causal=True, turn=turned_halves)

    net.compare(model, p)


JOINT = ("query", "key", "value")


def loaded(module, p, path: str, kind: str = "self_attn"):
    """The multi-head attention of a layer of PyTorch's, with our projections."""
    attention = getattr(module, kind)
    with torch.no_grad():
        for sort in ("weight", "bias"):
            joint = getattr(attention, f"in_proj_{sort}")
            joint.copy_(torch.cat([p[f"{path}{n}.{sort}"] for n in JOINT]))
            getattr(attention.out_proj, sort).copy_(p[f"{path}output.{sort}"])
    return attention


def gathered(attention, path: str):
    """Gradients of PyTorch's joint projections under our names."""
    found = {}
    for sort in ("weight", "bias"):
        joint = getattr(attention, f"in_proj_{sort}").grad
        for name, part in zip(JOINT, joint.chunk(3), strict=True):
            found[f"{path}{name}.{sort}"] = part
        found[f"{path}output.{sort}"] = getattr(attention.out_proj, sort).grad
    return found


BLOCKS = """
block x -> encoder(d, heads) {
  h = x + (x -> attention(heads)) -> layer_norm
  h + (h -> dense(2 * d) -> relu -> dense(d)) -> layer_norm
}
block (x, memory) -> decoder(d, heads) {
  a = x + (x -> attention(heads, causal=true)) -> layer_norm
  b = a + (a -> attention(memory, heads)) -> layer_norm
  b + (b -> dense(2 * d) -> relu -> dense(d)) -> layer_norm
}
"""


def copied(layer, net: Net, names: dict[str, str]):
    """Our arrays written into a layer of PyTorch's; theirs by our names."""
    theirs = dict(layer.named_parameters())
    with torch.no_grad():
        for ours, name in names.items():
            theirs[name].copy_(net.tensor(ours))
    return {ours: theirs[name] for ours, name in names.items()}


def names_of(block: str, parts: dict[str, str]) -> dict[str, str]:
    return {
        f"{block}.{ours}.{sort}": f"{theirs}.{sort}"
        for ours, theirs in parts.items()
        for sort in ("weight", "bias")
    }


def test_encoder_layer(rng) -> None:
    net = Net(f"embed({FEATURES}) -> encoder({FEATURES}, {HEADS})", rng, BLOCKS)
    layer = torch.nn.TransformerEncoderLayer(
        FEATURES, HEADS, 2 * FEATURES, 0.0, batch_first=True, dtype=torch.float64
    )
    parts = {"h.layer_norm": "norm1", "layer_norm": "norm2", "dense[1]": "linear1"}
    given = copied(layer, net, names_of("encoder", {**parts, "dense[2]": "linear2"}))
    path = "encoder.h.attention."
    attention = loaded(layer, projections(net, path), path)

    def model(ids, table):
        return layer(torch.nn.functional.embedding(ids, table))

    net.compare(model, given)
    for name, gradient in gathered(attention, path).items():
        ours = net.gradients[name]
        np.testing.assert_allclose(ours.T if ours.ndim == 2 else ours, gradient, **CLOSE)


def test_decoder_layer(rng) -> None:
    net = Net(
        f"memory = embed({FEATURES})\n  x = memory -> dense({FEATURES})\n"
        f"  (x, memory) -> decoder({FEATURES}, {HEADS})",
        rng, BLOCKS,
    )  # fmt: skip
    layer = torch.nn.TransformerDecoderLayer(
        FEATURES, HEADS, 2 * FEATURES, 0.0, batch_first=True, dtype=torch.float64
    )
    parts = {
        "a.layer_norm": "norm1", "b.layer_norm": "norm2", "layer_norm": "norm3",
        "dense[1]": "linear1", "dense[2]": "linear2",
    }  # fmt: skip
    given = copied(layer, net, names_of("decoder", parts))
    paths = {"decoder.a.attention.": "self_attn", "decoder.b.attention.": "multihead_attn"}
    attentions = {p: loaded(layer, projections(net, p), p, kind) for p, kind in paths.items()}
    dense = net.given(["x.dense.weight", "x.dense.bias"])
    mask = torch.nn.Transformer.generate_square_subsequent_mask(PLACES, dtype=torch.float64)

    def model(ids, table):
        memory = torch.nn.functional.embedding(ids, table)
        x = torch.nn.functional.linear(memory, dense["x.dense.weight"], dense["x.dense.bias"])
        return layer(x, memory, tgt_mask=mask)

    table = {n.replace("memory.", ""): w for n, w in net.weights.items() if "embed" in n}
    net.weights |= table
    net.gradients["embed.weight"] = net.gradients["memory.embed.weight"]
    net.compare(model, {**given, **dense})
    for path, attention in attentions.items():
        for name, gradient in gathered(attention, path).items():
            ours = net.gradients[name]
            np.testing.assert_allclose(ours.T if ours.ndim == 2 else ours, gradient, **CLOSE)


def test_positions_and_a_shared_table(rng) -> None:
    net = Net(
        f"share token = embed({FEATURES})\n  token + position({FEATURES}) + sinusoidal({FEATURES})"
        " -> tied(token)",
        rng,
    )  # fmt: skip
    net.weights = {n.replace("token.", ""): w for n, w in net.weights.items()}
    net.gradients = {n.replace("token.", ""): w for n, w in net.gradients.items()}
    positions = net.given(["position.weight"])
    places = torch.arange(PLACES, dtype=torch.float64)
    rates = 10000.0 ** (-torch.arange(0, FEATURES, 2, dtype=torch.float64) / FEATURES)
    angles = torch.outer(places, rates)
    waves = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)

    def model(ids, table):
        x = torch.nn.functional.embedding(ids, table) + positions["position.weight"] + waves
        return x @ table.T

    net.compare(model, positions)
