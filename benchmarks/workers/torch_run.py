"""A whole PyTorch run from a CSV: `torch_run W2 data.csv 5 eager`."""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import nn

from benchmarks.workers.torch_worker import network
from benchmarks.workloads import WORKLOADS

workload, path, epochs = WORKLOADS[sys.argv[1]], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1)
table = np.loadtxt(path, delimiter=",", dtype=np.float32, skiprows=1)
x, y = torch.from_numpy(table[:, :-1].copy()), torch.from_numpy(table[:, -1].astype(np.int64))
net = network(workload)
optimizer = (
    torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    if workload.optimizer == "momentum"
    else torch.optim.Adam(net.parameters(), lr=1e-3)
)
for _ in range(epochs):
    order = torch.randperm(len(x))
    shuffled_x, shuffled_y = x[order], y[order]
    for start in range(0, len(x), workload.batch):
        rows = slice(start, start + workload.batch)
        z, t = net(shuffled_x[rows]), shuffled_y[rows]
        optimizer.zero_grad()
        loss = (
            nn.functional.binary_cross_entropy_with_logits(z[:, 0], t.float())
            if workload.classes == 1
            else nn.functional.cross_entropy(z, t)
        )
        loss.backward()
        optimizer.step()
print(float(loss.detach()))
