"""Truncated back-propagation through time against PyTorch: memories detached between windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.train.initial import to_file_layout
from tests.models.running import opened_text, stepper

pytestmark = pytest.mark.peers

FILE = """data book = text("romeo.txt", window=16)
net A on book {{ embed(6) -> {word}(7) -> dense(book.classes) -> softmax }}
train A {{ carry = true; batch = {batch}; precision = float64; optimizer = sgd(0.5); epochs = 2
  penalty = none; keep = none }}
"""


@pytest.mark.parametrize("word", ["lstm", "rnn"])
def test_weights_after_two_epochs(word: str) -> None:
    """Some whole batches, and a smaller one at the end of each epoch."""
    import torch
    from torch.nn.functional import cross_entropy

    batch = 300
    ours = stepper(opened_text(FILE.format(word=word, batch=batch)))
    network = ours.job.network
    start = to_file_layout(network, ours.start)
    w = {n: torch.tensor(a, dtype=torch.float64, requires_grad=True) for n, a in start.items()}
    flat = [w[f"{word}.input_weight"], w[f"{word}.state_weight"], w[f"{word}.bias"]]
    flat.append(torch.zeros_like(flat[-1]))
    rows, per_epoch = ours.plan.data_rows, ours.plan.steps_per_epoch
    texts = {n: torch.from_numpy(np.ascontiguousarray(a)).long() for n, a in ours.job.train.items()}
    optimizer, memory = torch.optim.SGD(w.values(), lr=0.5), []
    for step in range(2 * per_epoch):
        first = step % per_epoch * batch
        ids, after = (texts[n][first : min(first + batch, rows)] for n in ("text", "next"))
        if first == 0:
            memory = [torch.zeros(1, batch, 7, dtype=torch.float64) for _ in "hc"]
        memory = [m.detach()[:, : len(ids)].contiguous() for m in memory]
        y, memory = _recurrent(torch, word, w["embed.weight"][ids], memory, flat)
        logits = y @ w["dense.weight"].T + w["dense.bias"]
        loss = cross_entropy(logits.flatten(0, 1), after.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert ours.step() == pytest.approx(float(loss.detach()), rel=1e-10)
    found = to_file_layout(network, ours.weights)
    for name, theirs in w.items():
        np.testing.assert_allclose(found[name], theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


def _recurrent(torch: Any, word: str, x: Any, memory: list[Any], flat: list[Any]) -> Any:
    """What PyTorch's cell gives at every step, and what it remembers."""
    how = (True, 1, 0.0, True, False, True)
    if word == "lstm":
        y, *memory = torch.lstm(x, memory, flat, *how)
        return y, memory
    y, h = torch.rnn_tanh(x, memory[0], flat, *how)
    return y, [h, memory[1]]
