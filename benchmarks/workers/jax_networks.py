"""The networks of the workloads in JAX; images have their channels last."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.workloads import Images, Letters

FEATURES, HEADS, UNITS = 64, 4, 128
"""Of letters, of the transformer, of the memory."""

RESIDUALS = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
"""Channels in, channels out, stride."""


def start(workload, random):
    """Random weights, a list of arrays and tuples."""

    def drawn(*shape):
        scale = 1 / np.sqrt(np.prod(shape[:-1]))
        return jnp.array(random.standard_normal(shape) * scale, jnp.float32)

    def dense(*sizes):
        return [(drawn(i, o), jnp.zeros(o)) for i, o in itertools.pairwise(sizes)]

    if workload.name == "W7":
        tables = drawn(workload.classes, FEATURES), drawn(FEATURES, 4 * UNITS)
        return [tables, (drawn(UNITS, 4 * UNITS), jnp.zeros(4 * UNITS)), *dense(UNITS, 65)]
    if isinstance(workload, Letters):
        return _transformer_start(workload, drawn, dense)
    if not isinstance(workload, Images):
        return dense(*workload.sizes)
    if workload.cnn.shape[0] == 1:
        kernels = [(drawn(5, 5, 1, 20), jnp.zeros(20)), (drawn(5, 5, 20, 40), jnp.zeros(40))]
        return [*kernels, *dense(640, 1000, 1000, 10)]

    def convolution(size, inputs, outputs):
        return drawn(size, size, inputs, outputs), jnp.ones(outputs), jnp.zeros(outputs)

    blocks = [
        (convolution(3, i, o), convolution(3, o, o), drawn(1, 1, i, o) if i != o else ())
        for i, o, _ in RESIDUALS
    ]
    return [convolution(3, 3, 16), *blocks, *dense(64, 10)]


def _transformer_start(workload, drawn, dense):
    """Tables of letters and places, blocks, the last norm, the scores."""

    def norm():
        return jnp.ones(FEATURES), jnp.zeros(FEATURES)

    blocks = [
        (norm(), *dense(FEATURES, 3 * FEATURES), *dense(FEATURES, FEATURES), norm(),
         *dense(FEATURES, 4 * FEATURES, FEATURES))
        for _ in range(2)
    ]  # fmt: skip
    tables = drawn(workload.classes, FEATURES), drawn(workload.length, FEATURES)
    return [tables, *blocks, norm(), *dense(FEATURES, workload.classes)]


def scores(workload, parameters, x):
    """What the last layer gives."""
    if workload.name == "W7":
        return _memory(parameters, x)
    if isinstance(workload, Letters):
        return _transformer(parameters, x)
    if isinstance(workload, Images):
        return _lenet(parameters, x) if workload.cnn.shape[0] == 1 else _residual(parameters, x)
    activation = jax.nn.elu if workload.activation == "elu" else jax.nn.relu
    return _dense(parameters, x, activation)


def _memory(parameters, text):
    """A long short-term memory over letters; scores of all places of all texts, one row each."""
    (letters, w), (u, b), (out, out_b) = parameters
    inputs = (letters[text] @ w + b).swapaxes(0, 1)

    def step(state, x):
        h, c = state
        i, f, g, o = jnp.split(x + h @ u, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = jnp.zeros((len(text), UNITS), jnp.float32)
    _, found = lax.scan(step, (start, start), inputs)
    return (found.swapaxes(0, 1) @ out + out_b).reshape(text.size, -1)


def _transformer(parameters, text):
    """Scores of all places of all texts, one row each."""
    (letters, places), *blocks, norm, (w, b) = parameters
    x = letters[text] + places
    rows, length, features = x.shape
    seen = jnp.tril(jnp.ones((length, length), bool))
    for first, (qkv, shift), (out, out_b), second, (up, up_b), (down, down_b) in blocks:
        joint = _layer_norm(x, *first) @ qkv + shift
        q, k, v = jnp.split(joint.reshape(rows, length, 3 * HEADS, -1), 3, axis=2)
        found = jnp.einsum("nihk,njhk->nhij", q, k) * q.shape[-1] ** -0.5
        weights = jax.nn.softmax(jnp.where(seen, found, -jnp.inf))
        mixed = jnp.einsum("nhij,njhk->nihk", weights, v).reshape(rows, length, features)
        x = x + mixed @ out + out_b
        x = x + jax.nn.relu(_layer_norm(x, *second) @ up + up_b) @ down + down_b
    return (_layer_norm(x, *norm) @ w + b).reshape(rows * length, -1)


def _layer_norm(x, scale, shift):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift


def _dense(parameters, x, activation):
    for w, b in parameters[:-1]:
        x = activation(x @ w + b)
    return x @ parameters[-1][0] + parameters[-1][1]


def _convolved(x, w, stride=1, padding="VALID"):
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, w, (stride, stride), padding, dimension_numbers=layout)


def _lenet(parameters, x):
    window = (1, 2, 2, 1)
    for w, b in parameters[:2]:
        x = jax.nn.relu(_convolved(x, w) + b)
        x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
    return _dense(parameters[2:], x.reshape(x.shape[0], -1), jax.nn.relu)


def _normed(x, w, scale, shift, stride=1):
    """A padded convolution and batch norm with the statistics of the batch; no running ones."""
    side = w.shape[0] // 2
    x = _convolved(x, w, stride, ((side, side), (side, side)))
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift


def _residual(parameters, x):
    x = jax.nn.relu(_normed(x, *parameters[0]))
    for (first, second, skip), (_, _, stride) in zip(parameters[1:4], RESIDUALS, strict=True):
        body = _normed(jax.nn.relu(_normed(x, *first, stride)), *second)
        x = jax.nn.relu(body + (_convolved(x, skip, stride) if len(skip) else x))
    return _dense(parameters[4:], x.mean((1, 2)), jax.nn.relu)
