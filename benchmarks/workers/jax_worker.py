"""JAX: `python -m benchmarks.workers.jax_worker W2 1 step|scan`.

`step` jits one training step; `scan` runs a whole epoch on the device with lax.scan.
"""

from __future__ import annotations

import os
import sys

if int(sys.argv[2]) == 1 and hasattr(os, "sched_setaffinity"):
    # jax's own thread flags do not keep it on one processor
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.workers.protocol import minibatches, serve
from benchmarks.workloads import WORKLOADS

WORKLOAD = WORKLOADS[sys.argv[1]]
TREE = jax.tree_util.tree_map


def scores(parameters, x):
    """What the last layer gives."""
    activation = jax.nn.elu if WORKLOAD.activation == "elu" else jax.nn.relu
    for w, b in parameters[:-1]:
        x = activation(x @ w + b)
    return x @ parameters[-1][0] + parameters[-1][1]


def loss_of(parameters, x, y):
    """Mean loss of a batch."""
    z = scores(parameters, x)
    if WORKLOAD.classes == 1:
        z = z[:, 0]
        return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y.reshape(-1, 1), 1))


def step(carry, x, y):
    """One update; the state is (velocity,) or (m, v, t)."""
    parameters, state = carry
    loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
    if WORKLOAD.optimizer == "momentum":
        (velocity,) = state
        velocity = TREE(lambda v, g: 0.9 * v + g, velocity, gradient)
        return (TREE(lambda p, v: p - 0.01 * v, parameters, velocity), (velocity,)), loss
    m, v, t = state
    t = t + 1
    m = TREE(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = TREE(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    c1, c2 = 1 - 0.9**t, 1 - 0.999**t
    parameters = TREE(
        lambda p, m, v: p - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), parameters, m, v
    )
    return (parameters, (m, v, t)), loss


def start():
    """Random weights and zero state."""
    random = np.random.default_rng(0)
    parameters = [
        (jnp.array(random.standard_normal((i, o)) / np.sqrt(i), jnp.float32), jnp.zeros(o))
        for i, o in zip(WORKLOAD.sizes, WORKLOAD.sizes[1:], strict=False)
    ]
    zeros = TREE(jnp.zeros_like, parameters)
    momentum = WORKLOAD.optimizer == "momentum"
    return parameters, (zeros,) if momentum else (zeros, TREE(jnp.zeros_like, zeros), jnp.zeros(()))


def main() -> None:
    """Serve rounds of training steps."""
    x, y = WORKLOAD.data()
    y = y.astype(np.float32 if WORKLOAD.classes == 1 else np.int32)
    random = np.random.default_rng(1)
    carry = start()
    batch = WORKLOAD.batch
    if sys.argv[3] == "step":
        compiled = jax.jit(step, donate_argnums=0)

        def run_round() -> int:
            nonlocal carry
            for batch_x, batch_y in minibatches(x, y, batch, WORKLOAD.steps, random):
                carry, loss = compiled(carry, batch_x, batch_y)
            loss.block_until_ready()
            return WORKLOAD.steps

    else:
        steps = min(len(x) // batch, WORKLOAD.steps)

        def epoch(carry, x, y, order):
            return jax.lax.scan(lambda c, rows: step(c, x[rows], y[rows]), carry, order)

        compiled = jax.jit(epoch, donate_argnums=0)
        device_x, device_y = jnp.array(x), jnp.array(y)

        def run_round() -> int:
            nonlocal carry
            done = 0
            while done < WORKLOAD.steps:
                order = random.permutation(len(x))[: steps * batch].reshape(steps, batch)
                carry, losses = compiled(carry, device_x, device_y, order.astype(np.int32))
                done += steps
            losses.block_until_ready()
            return done

    serve(run_round)


if __name__ == "__main__":
    main()
