"""scikit-learn: `python -m benchmarks.workers.sklearn_worker W2 1`.

It has no ELU (tanh stands in for W1) and shuffles, slices and updates in NumPy.
"""

from __future__ import annotations

import sys
import warnings

from benchmarks.workers.protocol import serve
from benchmarks.workloads import WORKLOADS

warnings.filterwarnings("ignore")

from sklearn.neural_network import MLPClassifier  # noqa: E402


def main() -> None:
    """Serve rounds of whole epochs."""
    workload = WORKLOADS[sys.argv[1]]
    x, y = workload.data()
    per_epoch = len(x) / workload.batch
    epochs = max(1, round(workload.steps / per_epoch))
    momentum = workload.optimizer == "momentum"

    def run_round() -> float:
        MLPClassifier(
            workload.sizes[1:-1],
            activation="tanh" if workload.activation == "elu" else "relu",
            solver="sgd" if momentum else "adam",
            learning_rate_init=0.01 if momentum else 0.001,
            nesterovs_momentum=False,
            batch_size=workload.batch,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=10**6,
            alpha=0,
            random_state=1,
        ).fit(x, y)
        return epochs * per_epoch

    serve(run_round)


if __name__ == "__main__":
    main()
