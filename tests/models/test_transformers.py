"""Canon row 28: transformers that write, read and translate."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.models.running import MODELS

PATTERN = "the quick brown fox jumps over the lazy dog. she sells sea shells by the sea shore. "
LETTERS = sorted(set(PATTERN))
LENGTH = 24

GPT = """data book = array("book.npz", target=y) {{
  input text = text -> ids({count})
}}
block x -> decoder(d, heads) {{
  h = x + (x -> layer_norm -> attention(heads, causal=true))
  h + (h -> layer_norm -> dense(2 * d) -> gelu -> dense(d))
}}
net TinyGPT on book {{
  share token = embed(32)
  token + position(32)
  decoder(32, 4) * 2
  layer_norm -> tied(token) -> softmax
}}
train TinyGPT {{
  minimize cross_entropy(TinyGPT.output, TinyGPT.text, shift=1)
  optimizer = adamw(1e-2)
  epochs = 8
  expect val_loss < 0.6
}}
"""
BERT = """data book = array("book.npz", target=y) {{
  input text = text -> ids({count})
}}
block x -> encoder(d, heads) {{
  h = x + (x -> attention(heads)) -> layer_norm
  h + (h -> dense(2 * d) -> gelu -> dense(d)) -> layer_norm
}}
net Bert on book {{
  hidden = mask_tokens(15%, token={count})
  hidden -> embed(32) + position(32)
  encoder(32, 4) * 2
  dense({count}) -> softmax
}}
train Bert {{
  minimize cross_entropy(Bert.output, Bert.text, where=Bert.hidden != Bert.text)
  optimizer = adamw(5e-3)
  epochs = 60; keep = last
}}
"""


def write_book(folder) -> None:
    """Windows of a text that repeats itself, as numbers of letters."""
    random = np.random.default_rng(0)
    ids = np.array([LETTERS.index(letter) for letter in PATTERN * 3])
    starts = random.integers(0, 2 * len(PATTERN), 600)
    windows = np.stack([ids[start : start + LENGTH] for start in starts])
    np.savez(folder / "book.npz", text=windows, y=starts % 2)


@pytest.mark.parametrize("text", [GPT, BERT], ids=["next letter", "hidden letters"])
def test_letters_are_guessed_from_others(text: str, tmp_path, nndsl) -> None:
    """In training: what is hidden there is not hidden when a network is judged."""
    write_book(tmp_path)
    file = tmp_path / "model.nn"
    file.write_text(text.format(count=len(LETTERS)), encoding="utf-8")
    ended = nndsl("train", file, "--out", tmp_path / "run")
    assert ended.code == 0, ended.out + ended.err
    losses = [float(found) for found in re.findall(r"  loss ([0-9.]+)", ended.out)]
    assert losses[0] > 2.0
    assert losses[-1] < 0.9


@pytest.mark.parametrize("name", ["28_gpt", "28_bert", "28_translate"])
def test_the_file_is_drawn_and_summed_up(name: str, tmp_path, nndsl) -> None:
    path = MODELS / f"{name}.nn"
    assert nndsl("summary", path).code == 0
    assert nndsl("render", path, "-o", tmp_path / "net.svg").code == 0
