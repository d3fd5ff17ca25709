"""nndsl: `python -m benchmarks.workers.nndsl_inference W2 1` (rows), from a `.nn` file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import nndsl
from benchmarks.workers.nndsl_worker import written
from benchmarks.workers.protocol import predictions
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Serve rounds of predictions."""
    workload, rows = WORKLOADS[sys.argv[1]], int(sys.argv[2])
    x, _ = workload.data()
    with tempfile.TemporaryDirectory() as place:
        predict = nndsl.load(written(workload, Path(place))).predictor(rows)
    predictions(predict, np.ascontiguousarray(x[:rows]))


if __name__ == "__main__":
    main()
