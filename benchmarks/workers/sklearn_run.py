"""A whole scikit-learn run from a CSV: `sklearn_run W2 data.csv 5`."""

from __future__ import annotations

import sys
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.workloads import WORKLOADS

warnings.filterwarnings("ignore")
workload, path, epochs = WORKLOADS[sys.argv[1]], sys.argv[2], int(sys.argv[3])
table = np.loadtxt(path, delimiter=",", dtype=np.float32, skiprows=1)
momentum = workload.optimizer == "momentum"
model = MLPClassifier(
    workload.sizes[1:-1],
    activation="tanh" if workload.activation == "elu" else "relu",
    solver="sgd" if momentum else "adam",
    learning_rate_init=0.01 if momentum else 0.001,
    batch_size=workload.batch,
    max_iter=epochs,
    n_iter_no_change=10**6,
    tol=0,
    alpha=0,
)
model.fit(table[:, :-1], table[:, -1].astype(int))
print(model.loss_)
