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

from benchmarks.workers import jax_networks
from benchmarks.workers.protocol import minibatches, serve
from benchmarks.workloads import STEPS, Images

WORKLOAD = STEPS[sys.argv[1]]
TREE = jax.tree_util.tree_map
MOMENTUM = (
    WORKLOAD.momentum
    if isinstance(WORKLOAD, Images)
    else {"momentum": 0.9, "adam": None}[WORKLOAD.optimizer]
)
"""None for Adam."""


def loss_of(parameters, x, y):
    """Mean loss of a batch."""
    z = jax_networks.scores(WORKLOAD, parameters, x)
    if WORKLOAD.classes == 1:
        z = z[:, 0]
        return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y.reshape(-1, 1), 1))


def step(carry, x, y):
    """One update; the state is (), (velocity,) or (m, v, t)."""
    parameters, state = carry
    loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
    if MOMENTUM == 0:
        return (TREE(lambda p, g: p - 0.01 * g, parameters, gradient), ()), loss
    if MOMENTUM is not None:
        (velocity,) = state
        velocity = TREE(lambda v, g: MOMENTUM * v + g, velocity, gradient)
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
    parameters = jax_networks.start(WORKLOAD, np.random.default_rng(0))
    zeros = TREE(jnp.zeros_like, parameters)
    if MOMENTUM is None:
        return parameters, (zeros, TREE(jnp.zeros_like, zeros), jnp.zeros(()))
    return parameters, (zeros,) if MOMENTUM else ()


def main() -> None:
    """Serve rounds of training steps."""
    x, y = WORKLOAD.data()
    if isinstance(WORKLOAD, Images):
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
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
