"""Networks that have everything a diagram can show."""

from __future__ import annotations

from pathlib import Path

from nndsl import driver
from nndsl.diagnostics import Source
from nndsl.lower.result import Network

MODELS = Path(__file__).resolve().parents[2] / "models"

RESIDUAL = """data iris = csv("iris.csv", target=species)
block x -> residual(n) { x + (x -> dense(n) -> relu -> dense(n)) }
net Branches on iris {
  trunk = dense(32) -> relu -> dropout(0.2)
  left = trunk -> dense(16) -> tanh
  right = trunk -> dense(16) -> sigmoid
  [left, right] -> concat -> residual(32) * 3 -> relu
  dense(iris.classes) -> softmax
}
"""

GATED = """block x -> gate(n) {
  f = x -> dense(n) -> sigmoid
  c = x -> dense(n) -> tanh
  (1 - f) * x + f * c
}
block x -> pair(n) { x -> gate(n) -> gate(n) }
net Gated {
  input x: [12]
  pair(12) * 2
  share s = dense(12)
  s -> relu -> s
}
"""

OUTPUTS = """net Two {
  input a: [3]
  input b: [4]
  h = [a, b] -> concat -> dense(5)
  first = h -> dense(2)
  second = h -> relu
  (first, second)
}
"""


def network(text: str) -> Network:
    opened = driver.open_source(Source("m.nn", text), MODELS)
    return next(reversed(opened.module.networks.values()))
