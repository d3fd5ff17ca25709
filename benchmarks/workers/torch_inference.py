"""PyTorch: `python -m benchmarks.workers.torch_inference W2 1 eager|scripted|compiled` (rows)."""

from __future__ import annotations

import sys

import torch
from torch import nn

from benchmarks.workers.protocol import predictions
from benchmarks.workers.torch_networks import network
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Serve rounds of predictions."""
    workload, rows, mode = WORKLOADS[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(1)
    x = torch.from_numpy(workload.data()[0][:rows].copy())
    last = nn.Sigmoid() if workload.classes == 1 else nn.Softmax(1)
    net: nn.Module = nn.Sequential(*network(workload), last).eval()
    with torch.inference_mode():
        if mode == "scripted":
            net = torch.jit.freeze(torch.jit.trace(net, x))
        elif mode == "compiled":
            net = torch.compile(net)
        predictions(net, x)


if __name__ == "__main__":
    main()
