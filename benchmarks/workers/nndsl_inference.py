"""nndsl: `python -m benchmarks.workers.nndsl_inference W2 1` (rows), from a `.nn` file."""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.workers.nndsl_worker import opened
from benchmarks.workers.protocol import predictions
from benchmarks.workloads import WORKLOADS
from nndsl import compilation
from nndsl.train.initial import initial_parameters


def main() -> None:
    """Serve rounds of predictions."""
    workload, rows = WORKLOADS[sys.argv[1]], int(sys.argv[2])
    x, _ = workload.data()
    module = opened(workload).module
    network = module.networks["Net"]
    executable = compilation.compile_prediction(network, module.recipes[0]).executable
    executable.set_parameters(initial_parameters(network, 0))
    predict = executable.predictor(rows)
    predictions(predict, np.ascontiguousarray(x[:rows]))


if __name__ == "__main__":
    main()
