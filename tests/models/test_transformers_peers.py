"""Canon row 28: a small GPT on a text, step by step beside PyTorch from the same start."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.running import opened_text, stepper

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.peers

STEPS, FEATURES, HEADS, WINDOW, BLOCKS = 20, 32, 4, 32, 2
TEXT = f"""
data book = text("book.txt", window={WINDOW})
block x -> decoder(d, heads) {{
  h = x + (x -> layer_norm -> attention(heads, causal=true))
  h + (h -> layer_norm -> dense(4 * d) -> gelu -> dense(d))
}}
net TinyGPT on book {{
  share token = embed({FEATURES})
  token + position({FEATURES})
  decoder({FEATURES}, {HEADS}) * {BLOCKS}
  layer_norm -> tied(token) -> softmax
}}
train TinyGPT {{
  optimizer = adamw(3e-3, decay=0.01)
  penalty = none
  clip = norm(1.0)
  steps = {STEPS}
  batch = 16
  precision = float64
}}
"""


class Peer:
    """The same network in PyTorch, with weights by our names."""

    def __init__(self, start) -> None:
        self.weights = {
            name: torch.nn.Parameter(torch.tensor(array)) for name, array in start.items()
        }
        self.optimizer = torch.optim.AdamW(self.weights.values(), 3e-3, weight_decay=0.01)

    def norm(self, x, name):
        weight, bias = (self.weights[f"{name}.{kind}"] for kind in ("weight", "bias"))
        return torch.nn.functional.layer_norm(x, (FEATURES,), weight, bias)

    def dense(self, x, name):
        return x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def block(self, x, name):
        y = self.norm(x, f"{name}.h.layer_norm")
        parts = (self.dense(y, f"{name}.h.attention.{p}") for p in ("query", "key", "value"))
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.dense(mixed.transpose(1, 2).flatten(2), f"{name}.h.attention.output")
        y = self.dense(self.norm(x, f"{name}.layer_norm"), f"{name}.dense[1]")
        return x + self.dense(torch.nn.functional.gelu(y), f"{name}.dense[2]")

    def loss(self, text, following):
        table = self.weights["token.embed.weight"]
        x = table[text] + self.weights["position.weight"]
        for block in range(1, BLOCKS + 1):
            x = self.block(x, f"decoder[{block}]")
        scores = self.norm(x, "layer_norm") @ table.T
        return torch.nn.functional.cross_entropy(scores.flatten(0, 1), following.flatten())

    def step(self, text, following) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(text, following)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self.optimizer.step()
        return float(loss.detach())


def as_ids(rows):
    return torch.tensor(np.asarray(rows).astype(np.int64))


def test_training_on_a_text(shared_data) -> None:
    """The loss of every step, and all weights after the last."""
    source = TEXT.replace("book.txt", "tinyshakespeare.txt")
    ours = stepper(opened_text(source, shared_data))
    peer = Peer(ours.start)
    for step in range(STEPS):
        rows = ours.rows(step)
        expected = peer.step(as_ids(rows["text"]), as_ids(rows["next"]))
        assert ours.step() == pytest.approx(expected, rel=1e-9)
    for name, weight in peer.weights.items():
        np.testing.assert_allclose(
            ours.weights[name], weight.detach().numpy(), rtol=1e-6, atol=1e-8
        )
