"""The workloads: data, sizes, recipes and the `.nn` text of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A multilayer perceptron trained on random data of a fixed size."""

    name: str
    sizes: tuple[int, ...]
    activation: str
    batch: int
    rows: int
    optimizer: str  # "momentum" (rate 0.01, 0.9) or "adam" (rate 0.001)
    steps: int  # in one timed round
    classes: int  # 1: one sigmoid output, binary cross-entropy

    def network(self) -> str:
        """Sizes and activation for people: `4-6-4-3, ELU`."""
        names = {"elu": "ELU", "relu": "ReLU"}
        return f"{'-'.join(map(str, self.sizes))}, {names[self.activation]}"

    def describe(self) -> str:
        """The network and how it is trained."""
        return f"{self.network()}, {self.optimizer.capitalize()}, batch {self.batch}"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs float32 [rows, sizes[0]] and integer targets [rows], always the same."""
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, self.sizes[0])).astype(np.float32)
        if self.classes == 1:
            score = x @ random.standard_normal(self.sizes[0]) + 0.5 * np.sin(3 * x[:, 0])
            return x, (score > 0).astype(np.int64)
        if self.rows > 1000:
            return x, random.integers(0, self.classes, self.rows)
        return x, (x @ random.standard_normal((self.sizes[0], self.classes))).argmax(1)

    def source(self, data_file: str, epochs: int) -> str:
        """The same network as a `.nn` file."""
        layers = [f"  dense({n}) -> {self.activation}" for n in self.sizes[1:-1]]
        last = "sigmoid" if self.classes == 1 else "softmax"
        layers.append(f"  dense({self.sizes[-1]}) -> {last}")
        loss = "bce" if self.classes == 1 else "cross_entropy"
        rate = "sgd(0.01, momentum=0.9)" if self.optimizer == "momentum" else "adam(1e-3)"
        return "\n".join(
            (
                f'data d = array("{data_file}", target=y) {{ split = all }}'
                if data_file.endswith(".npz")
                else f'data d = csv("{data_file}", target=y) {{ split = all }}',
                "net Net on d {",
                *layers,
                "}",
                f"train Net {{ loss = {loss}; optimizer = {rate}; penalty = none; keep = last",
                f"  batch = {self.batch}; epochs = {epochs} }}",
                "",
            )
        )

    def write_csv(self, path: Path) -> None:
        """The data as CSV: columns x0, x1, ..., y with text classes."""
        x, y = self.data()
        header = ",".join([*(f"x{i}" for i in range(x.shape[1])), "y"])
        lines = [header]
        for row, target in zip(x, y, strict=True):
            lines.append(",".join(f"{v:.7g}" for v in row) + f",{target}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1", (4, 6, 4, 3), "elu", 16, 144, "momentum", 1800, 3),
        Workload("W2", (20, 64, 64, 1), "relu", 32, 30000, "adam", 937, 1),
        Workload("W2b", (20, 64, 64, 1), "relu", 256, 30000, "adam", 117, 1),
        Workload("W3", (784, 256, 128, 10), "relu", 128, 12800, "adam", 100, 10),
        Workload("W4", (784, 2500, 2000, 1500, 1000, 500, 10), "relu", 128, 1280, "adam", 5, 10),
    )
}
