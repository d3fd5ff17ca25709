"""The networks of the workloads in PyTorch, with its own initialisation."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.workloads import Images, Workload


class Residual(nn.Module):
    """Two convolutions with batch norm and a skip."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        narrow = inputs == outputs
        self.skip = nn.Identity() if narrow else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to images."""
        return torch.relu(self.body(x) + self.skip(x))


def network(workload: Workload | Images) -> nn.Sequential:
    """Scores of a batch."""
    if isinstance(workload, Workload):
        return _perceptron(workload)
    return _residual() if workload.cnn.shape[0] == 3 else _lenet()


def _perceptron(workload: Workload) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(zip(workload.sizes, workload.sizes[1:], strict=False)):
        layers.append(nn.Linear(inputs, outputs))
        if i < len(workload.sizes) - 2:
            layers.append(nn.ELU() if workload.activation == "elu" else nn.ReLU())
    return nn.Sequential(*layers)


def _lenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 40, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(640, 1000), nn.ReLU(), nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 10),
    )  # fmt: skip


def _residual() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
