"""nndsl: `python -m benchmarks.workers.nndsl_worker W2 1`, from a `.nn` file as `train` does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.workers.protocol import serve
from benchmarks.workloads import STEPS, Images, Letters, Workload
from nndsl import compilation, driver
from nndsl.train.initial import initial_parameters


def opened(workload: Workload | Images | Letters) -> driver.Opened:
    """The workload's file, read and lowered."""
    with tempfile.TemporaryDirectory() as place:
        return driver.open_file(written(workload, Path(place)))


def written(workload: Workload | Images | Letters, folder: Path) -> Path:
    """The workload's file with its data beside it."""
    x, y = workload.data()
    columns = {"x": x, "y": y}
    if isinstance(workload, Letters):
        columns["z"] = np.arange(len(x)) % 2  # a target, which is not read
    np.savez(folder / "data.npz", **columns)
    path = folder / "net.nn"
    path.write_text(workload.source("data.npz", 1))
    return path


def main() -> None:
    """Serve rounds of training steps."""
    workload, threads = STEPS[sys.argv[1]], int(sys.argv[2])
    x, y = workload.data()
    module = opened(workload).module
    step = compilation.compile_training(module.recipes[0], len(x), threads).executable
    step.set_parameters(initial_parameters(module.networks["Net"], 0))
    if isinstance(workload, Letters):
        arrays = {"text": x.astype(np.int32), "later": y.astype(np.int32)}
    else:
        arrays = {"input": x.reshape(len(x), -1), "y": y.astype(np.int32)}
    for name in arrays:
        step.bind(name, np.ascontiguousarray(arrays[name]))
    done = 0

    def run_round() -> int:
        nonlocal done
        step.run(done, workload.steps, seed=0, shuffle=True)
        done += workload.steps
        return workload.steps

    serve(run_round)


if __name__ == "__main__":
    main()
