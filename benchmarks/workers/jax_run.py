"""A whole JAX run from a CSV: `jax_run W2 data.csv 5 step|scan`."""

from __future__ import annotations

import sys

path, epochs, mode = sys.argv[2], int(sys.argv[3]), sys.argv[4]
sys.argv[2] = "1"  # the shared module below reads the thread count here

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from benchmarks.workers.jax_worker import WORKLOAD, start, step  # noqa: E402

table = np.loadtxt(path, delimiter=",", dtype=np.float32, skiprows=1)
x = table[:, :-1].copy()
y = table[:, -1].astype(np.float32 if WORKLOAD.classes == 1 else np.int32)
random = np.random.default_rng(0)
carry = start()
batch = WORKLOAD.batch
steps = len(x) // batch
if mode == "step":
    compiled = jax.jit(step, donate_argnums=0)
    for _ in range(epochs):
        order = random.permutation(len(x))
        shuffled_x, shuffled_y = x[order], y[order]
        for i in range(0, steps * batch, batch):
            carry, loss = compiled(carry, shuffled_x[i : i + batch], shuffled_y[i : i + batch])
else:

    def epoch(carry, x, y, order):
        """All steps of an epoch on the device."""
        return jax.lax.scan(lambda c, rows: step(c, x[rows], y[rows]), carry, order)

    compiled = jax.jit(epoch, donate_argnums=0)
    device_x, device_y = jnp.array(x), jnp.array(y)
    for _ in range(epochs):
        order = random.permutation(len(x))[: steps * batch].reshape(steps, batch)
        carry, losses = compiled(carry, device_x, device_y, order.astype(np.int32))
    loss = losses[-1]
print(float(loss))
