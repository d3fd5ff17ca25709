"""The networks of the workloads in PyTorch, with its own initialisation."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from benchmarks.workloads import Images, Letters, Workload


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


class Decoder(nn.Module):
    """Causal attention and a perceptron, each added to what it reads."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(features) for _ in range(2))
        self.joint = nn.Linear(features, 3 * features)
        self.output = nn.Linear(features, features)
        self.perceptron = nn.Sequential(
            nn.Linear(features, 4 * features), nn.ReLU(), nn.Linear(4 * features, features)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sequences to sequences."""
        rows, places, features = x.shape
        joint = self.joint(self.norms[0](x)).view(rows, places, 3, self.heads, -1)
        q, k, v = joint.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(rows, places, features))
        return x + self.perceptron(self.norms[1](x))


class Transformer(nn.Module):
    """Letters and places, two blocks, a score for each letter at each place."""

    def __init__(self, letters: int, length: int, features: int, heads: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, features)
        self.places = nn.Parameter(torch.randn(length, features) / features**0.5)
        self.blocks = nn.Sequential(Decoder(features, heads), Decoder(features, heads))
        self.norm = nn.LayerNorm(features)
        self.scores = nn.Linear(features, letters)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Scores of all places of all texts, one row each."""
        x = self.blocks(self.letters(text) + self.places)
        return self.scores(self.norm(x)).flatten(0, 1)


class Memory(nn.Module):
    """Letters, a long short-term memory, a score for each letter at each place."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 64)
        self.memory = nn.LSTM(64, 128, batch_first=True)
        self.scores = nn.Linear(128, letters)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Scores of all places of all texts, one row each."""
        return self.scores(self.memory(self.letters(text))[0]).flatten(0, 1)


def network(workload: Workload | Images | Letters) -> nn.Module:
    """Scores of a batch."""
    if workload.name == "W7":
        return Memory(workload.classes)
    if isinstance(workload, Letters):
        return Transformer(workload.classes, workload.length, 64, 4)
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
