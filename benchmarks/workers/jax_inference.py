"""JAX: `python -m benchmarks.workers.jax_inference W2 1` (rows)."""

from __future__ import annotations

import sys

rows = int(sys.argv[2])
sys.argv[2] = "1"  # the shared module below reads the thread count here

# first of all, for it keeps the process on one processor
from benchmarks.workers.jax_networks import scores  # noqa: E402
from benchmarks.workers.jax_worker import WORKLOAD, jax, jnp, start  # noqa: E402
from benchmarks.workers.protocol import predictions  # noqa: E402


def main() -> None:
    """Serve rounds of predictions on an array that is on the device already."""
    parameters = start()[0]
    last = jax.nn.sigmoid if WORKLOAD.classes == 1 else jax.nn.softmax
    network = jax.jit(lambda p, x: last(scores(WORKLOAD, p, x)))
    x = jnp.array(WORKLOAD.data()[0][:rows])
    predictions(lambda given: network(parameters, given).block_until_ready(), x)


if __name__ == "__main__":
    main()
