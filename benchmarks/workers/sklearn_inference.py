"""scikit-learn: `python -m benchmarks.workers.sklearn_inference W2 1` (rows)."""

from __future__ import annotations

import sys
import warnings

from benchmarks.workers.protocol import predictions
from benchmarks.workloads import WORKLOADS

warnings.filterwarnings("ignore")

from sklearn.neural_network import MLPClassifier  # noqa: E402


def main() -> None:
    """Serve rounds of predictions by a network fitted for one epoch."""
    workload, rows = WORKLOADS[sys.argv[1]], int(sys.argv[2])
    x, y = workload.data()
    x, y = x[:1000], y[:1000]
    model = MLPClassifier(workload.sizes[1:-1], batch_size=workload.batch, max_iter=1).fit(x, y)
    predictions(model.predict_proba, x[:rows])


if __name__ == "__main__":
    main()
