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


@dataclass(frozen=True)
class Architecture:
    """A convolutional network: its name for people, images [channels, height, width], the lines."""

    title: str
    shape: tuple[int, int, int]
    layers: tuple[str, ...]
    blocks: str = ""


@dataclass(frozen=True)
class Images:
    """A convolutional network trained by descent on random images of ten classes."""

    name: str
    cnn: Architecture
    batch: int
    rows: int
    momentum: float
    steps: int  # in one timed round

    classes = 10

    def network(self) -> str:
        """The network for people."""
        return self.cnn.title

    def describe(self) -> str:
        """The network and how it is trained."""
        rule = f"momentum {self.momentum:g}" if self.momentum else "SGD"
        return f"{self.cnn.title}, {rule}, batch {self.batch}"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Images float32 [rows, channels, height, width] and integer classes [rows]."""
        random = np.random.default_rng(0)
        images = random.random((self.rows, *self.cnn.shape), dtype=np.float32)
        return images, random.integers(0, self.classes, self.rows)

    def source(self, data_file: str, epochs: int) -> str:
        """The same network as a `.nn` file."""
        rate = f"sgd(0.01, momentum={self.momentum:g})" if self.momentum else "sgd(0.01)"
        return "\n".join(
            (
                f'data d = array("{data_file}", target=y) {{ split = all }}',
                self.cnn.blocks,
                "net Net on d {",
                f"  reshape({'x'.join(map(str, self.cnn.shape))})",
                *(f"  {line}" for line in self.cnn.layers),
                "}",
                f"train Net {{ loss = cross_entropy; optimizer = {rate}; penalty = none",
                f"  keep = last; batch = {self.batch}; epochs = {epochs} }}",
                "",
            )
        )


@dataclass(frozen=True)
class Letters:
    """A network that says of each letter of a text which one follows, trained by Adam."""

    name: str
    title: str
    layers: tuple[str, ...]
    blocks: str
    batch: int
    rows: int
    steps: int  # in one timed round

    classes = 65
    length = 64
    optimizer = "adam"

    def network(self) -> str:
        """The network for people."""
        return self.title

    def describe(self) -> str:
        """The network and how it is trained."""
        return f"{self.title}, Adam, batch {self.batch}"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Letters [rows, length] and those that follow, as whole numbers."""
        random = np.random.default_rng(0)
        text = random.integers(0, self.classes, (self.rows, self.length + 1))
        return text[:, :-1].copy(), text[:, 1:].copy()

    def source(self, data_file: str, epochs: int) -> str:
        """The same network as a `.nn` file."""
        return "\n".join(
            (
                f'data d = array("{data_file}", target=z) {{ split = all',
                f"  input text = x -> ids({self.classes})",
                f"  input later = y -> ids({self.classes}) }}",
                self.blocks,
                "net Net on d {",
                *(f"  {line}" for line in self.layers),
                "}",
                "train Net { minimize cross_entropy(Net.output, d.later)",
                "  optimizer = adam(1e-3); penalty = none; keep = last",
                f"  batch = {self.batch}; epochs = {epochs} }}",
                "",
            )
        )


TRANSFORMER = Letters(
    "W8",
    "transformer, 2 layers of 64 in 4 heads, T 64",
    ("text -> embed(64) + position(64) -> decoder(64, 4) * 2 -> layer_norm -> dense(65)",),
    """block x -> decoder(d, heads) {
  h = x + (x -> layer_norm -> attention(heads, causal=true))
  h + (h -> layer_norm -> dense(4 * d) -> relu -> dense(d))
}""",
    batch=16,
    rows=160,
    steps=10,
)
MEMORY = Letters(
    "W7",
    "LSTM of 128 on letters, T 64",
    ("text -> embed(64) -> lstm(128) -> dense(65)",),
    "",
    batch=32,
    rows=320,
    steps=10,
)
LENET = Architecture(
    "CNN 20-40-1000-1000-10",
    (1, 28, 28),
    (
        "conv(20, 5) -> relu -> maxpool(2)",
        "conv(40, 5) -> relu -> maxpool(2)",
        "flatten -> dense(1000) -> relu -> dense(1000) -> relu",
        "dense(10) -> softmax",
    ),
)
RESIDUAL = Architecture(
    "residual CNN 16-32-64",
    (3, 32, 32),
    (
        "conv(16, 3, pad=same, bias=false) -> batch_norm -> relu",
        "residual(16) -> residual(32, stride=2) -> residual(64, stride=2)",
        "global_avg_pool -> dense(10) -> softmax",
    ),
    """block x -> residual(c, stride=1) {
  body = x -> conv(c, 3, stride=stride, pad=1, bias=false) -> batch_norm -> relu
           -> conv(c, 3, pad=1, bias=false) -> batch_norm
  skip = x -> conv(c, 1, stride=stride, bias=false) if x.channels != c else x
  body + skip -> relu
}""",
)

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
IMAGES = {
    w.name: w
    for w in (
        Images("W5", LENET, batch=10, rows=1280, momentum=0, steps=100),
        Images("W5b", LENET, batch=64, rows=1280, momentum=0, steps=20),
        Images("W6", RESIDUAL, batch=32, rows=320, momentum=0.9, steps=10),
    )
}
LETTERS = {w.name: w for w in (MEMORY, TRANSFORMER)}
STEPS: dict[str, Workload | Images | Letters] = WORKLOADS | IMAGES | LETTERS
"""All whose training steps are timed."""
