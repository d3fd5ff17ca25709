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

NESTED = """block x -> unit(n) { dense(n) -> relu -> dense(n) }
block x -> residual(n) { x + (x -> unit(n)) -> relu }
block x -> level(n, k) { dense(n) -> relu -> residual(n) * k }
net Nested {
  input x: [20]
  level(32, 3) -> level(64, 4)
  dense(10) -> softmax
}
"""

WIDE = """net Wide {
  input x: [40]
  t = dense(64) -> relu
  a = t -> dense(8) -> tanh
  b = t -> dense(16) -> relu
  c = t -> dense(24) -> relu -> dense(8) -> relu
  d = t -> dense(32) -> sigmoid
  e = t -> dense(40) -> elu
  f = t -> dropout(0.5) -> dense(4)
  [a, b, c, d, e, f, t] -> concat -> dense(32) -> relu
  main = dense(10) -> softmax
  (main, e)
}
"""

DEEP = """block x -> residual(n) { x + (x -> dense(n) -> relu -> dense(n)) }
net Deep { input x: [64]; dense(64) -> relu; residual(64) * 500; dense(10) -> softmax }
"""


def network(text: str) -> Network:
    opened = driver.open_source(Source("m.nn", text), MODELS)
    return next(reversed(opened.module.networks.values()))
