"""Letters of Tiny Shakespeare learnt here and in PyTorch: equal starts, equal batches, equal bits.

    python -m pytest -m "slow and peers" tests/models/test_texts_peers.py -s

prints the figures of both on the last tenth of the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.train.ensembles import train_job
from nndsl.train.initial import initial_parameters, to_file_layout
from nndsl.train.plan import plan
from tests.models.running import Stepper, job_of, opened_text

pytestmark = [pytest.mark.slow, pytest.mark.peers]

HEAD = 'data book = text("tinyshakespeare.txt", window=64)\n'
TRAIN = """train Letters {
  optimizer = adam(2e-3)
  batch = 32
  steps = 800
  penalty = none
  keep = none
  metrics = [bits_per_character]
}
"""
LSTM = """net Letters on book {
  embed(64) -> lstm(128) -> dense(book.classes) -> softmax
}
"""
GPT = """block x -> decoder(d, heads) {
  h = x + (x -> layer_norm -> attention(heads, causal=true))
  h + (h -> layer_norm -> dense(4 * d) -> gelu -> dense(d))
}
net Letters on book {
  share token = embed(64)
  token + position(64)
  decoder(64, heads=4) * 2
  layer_norm -> tied(token) -> softmax
}
"""
Weights = dict[str, Any]


def lstm_logits(w: Weights, ids: Any) -> Any:
    """The LSTM in PyTorch's functions, with one bias as here."""
    import torch

    x = w["embed.weight"][ids]
    zero = x.new_zeros(1, len(x), 128)
    flat = [w["lstm.input_weight"], w["lstm.state_weight"], w["lstm.bias"]]
    bias = torch.zeros_like(w["lstm.bias"])
    y = torch.lstm(x, (zero, zero), [*flat, bias], True, 1, 0.0, True, False, True)[0]
    return y @ w["dense.weight"].T + w["dense.bias"]


def gpt_logits(w: Weights, ids: Any) -> Any:
    """The transformer in PyTorch's functions."""
    from torch.nn import functional as f

    def norm(x: Any, name: str) -> Any:
        return f.layer_norm(x, (64,), w[f"{name}.weight"], w[f"{name}.bias"])

    def dense(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def heads(x: Any) -> Any:
        return x.view(*x.shape[:2], 4, 16).transpose(1, 2)

    x = w["token.embed.weight"][ids] + w["position.weight"]
    for number in (1, 2):
        block = f"decoder[{number}]"
        seen = norm(x, f"{block}.h.layer_norm")
        q, k, v = (
            heads(dense(seen, f"{block}.h.attention.{n}")) for n in ("query", "key", "value")
        )
        mixed = f.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = x + dense(mixed.transpose(1, 2).reshape(x.shape), f"{block}.h.attention.output")
        inner = f.gelu(dense(norm(h, f"{block}.layer_norm"), f"{block}.dense[1]"))
        x = h + dense(inner, f"{block}.dense[2]")
    return norm(x, "layer_norm") @ w["token.embed.weight"].T


@pytest.mark.parametrize(("net", "logits"), [(LSTM, lstm_logits), (GPT, gpt_logits)])
def test_as_many_bits_as_in_pytorch(
    net: str, logits: Callable[[Weights, Any], Any], shared_data: Path
) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    job = job_of(opened_text(HEAD + net + TRAIN, shared_data))
    planned = plan(job.recipe, len(job.train["text"]))
    order = Stepper(job, planned)
    start = to_file_layout(job.network, initial_parameters(job.network, job.seed))
    w = {n: torch.tensor(a, dtype=torch.float32, requires_grad=True) for n, a in start.items()}
    optimizer = torch.optim.Adam(w.values(), lr=2e-3)
    for step in range(800):
        rows = {n: torch.from_numpy(a).long() for n, a in order.rows(step).items()}
        optimizer.zero_grad()
        cross_entropy(logits(w, rows["text"]).flatten(0, 1), rows["next"].flatten()).backward()
        optimizer.step()
    with torch.no_grad():
        held = {n: torch.from_numpy(np.ascontiguousarray(a)).long() for n, a in job.test.items()}
        said = logits(w, held["text"]).flatten(0, 1)
        theirs = float(cross_entropy(said, held["next"].flatten())) / math.log(2)
    ours = train_job(job, None).metrics["test_bits_per_character"]
    print(f"\nbits per character: here {ours:.4f}, PyTorch {theirs:.4f}")
    assert ours == pytest.approx(theirs, rel=0.01)
