"""Canon row 28: transformers that write, read and translate."""

from __future__ import annotations

import json
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
  epochs = 60
  expect test_accuracy > 0.7 and val_loss < 1
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
    write_book(tmp_path)
    file = tmp_path / "model.nn"
    file.write_text(text.format(count=len(LETTERS)), encoding="utf-8")
    ended = nndsl("train", file, "--out", tmp_path / "run")
    assert ended.code == 0, ended.out + ended.err
    losses = [float(found) for found in re.findall(r"  loss ([0-9.]+)", ended.out)]
    assert losses[0] > 2.0
    assert losses[-1] < 0.9


def test_hidden_letters_are_judged_the_same_every_time(tmp_path, nndsl) -> None:
    """With any number of threads, at the end of a training and by `evaluate`."""
    write_book(tmp_path)
    file, told = tmp_path / "model.nn", []
    text = BERT.format(count=len(LETTERS)).replace("epochs = 60", "epochs = 2")
    text = text.replace("\n}\nblock", "\n  split = all\n}\nblock")
    file.write_text(re.sub(r"^ *expect .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    for threads in ("1", "2"):
        run = tmp_path / f"run{threads}"
        assert nndsl("train", file, "--out", run, "--threads", threads).code == 0
        told.append(json.loads((run / "run.json").read_text(encoding="utf-8"))["metrics"])
    assert told[0] == told[1]
    judged = nndsl("evaluate", run, tmp_path / "book.npz", "--json").out
    again = json.loads(judged)["metrics"]
    assert set(again) == {"loss", "accuracy", "perplexity"}
    assert {f"train_{name}": value for name, value in again.items()} == told[0]


@pytest.mark.parametrize("name", ["28_gpt", "28_bert", "28_translate"])
def test_the_file_is_drawn_and_summed_up(name: str, tmp_path, nndsl) -> None:
    path = MODELS / f"{name}.nn"
    assert nndsl("summary", path).code == 0
    assert nndsl("render", path, "-o", tmp_path / "net.svg").code == 0


def smaller(name: str) -> str:
    """A model with half the features and half the blocks, on texts half as long, for 600 steps."""
    text = (MODELS / f"{name}.nn").read_text(encoding="utf-8")
    text = re.sub(r"^ *expect .*\n", "", text, flags=re.MULTILINE)
    return text.replace("128", "64").replace("* 4\n", "* 2\n").replace("2000", "600")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [("28_gpt", "test_bits_per_character < 3.4"), ("28_bert", "test_accuracy > 0.35")],
)
def test_the_play_is_learnt(name: str, expected: str, tmp_path, nndsl, shared_data) -> None:
    """Frequencies alone take 4.7 bits a letter; the most frequent letter is 15 % of them."""
    file = tmp_path / "model.nn"
    text = smaller(name).rstrip().removesuffix("}")
    file.write_text(f"{text}  expect {expected}\n}}\n", encoding="utf-8")
    ended = nndsl("train", file, shared_data / "tinyshakespeare.txt", "--out", tmp_path / "run")
    assert ended.code == 0, ended.out + ended.err
    assert ("nndsl generate" in ended.out) is (name == "28_gpt")


SUMS = """# Of any length
net Sums {
  input x: [T, 2]
  dense(1, weights=[[1, 1]], bias=0) -> global_avg_pool
}
expect Sums([[1, 2], [3, 4]]) == 5 and near(Sums([[1, 2], [3, 4], [6, 7]]), 7.66667, 1e-4)
"""
CALLED = """data d = table(w=[0, 1, 2, 0], v=[1, 1, 0, 2], y=["a", "b", "a", "b"]) {
  input words = [w, v] -> ids(3)
  target = y
  split = all
}
net Words on d { embed(4) -> flatten -> dense(2) -> softmax }
train Words { epochs = 1; expect Words([1, 2])[1] > 0 }
"""


def test_nets_are_called_on_sequences_of_any_length(tmp_path, nndsl) -> None:
    file = tmp_path / "sums.nn"
    file.write_text(SUMS, encoding="utf-8")
    assert nndsl("check", file).code == 0
    file.write_text(SUMS.replace("== 5", "== 6"), encoding="utf-8")
    assert nndsl("check", file).code == 1


@pytest.mark.parametrize(
    ("ids", "said"), [("[1, 2]", ""), ("[1, 3]", "this has 3"), ("[1, 0.5]", "0.5")]
)
def test_nets_are_called_on_ids(ids: str, said: str, tmp_path, nndsl) -> None:
    file = tmp_path / "words.nn"
    file.write_text(CALLED.replace("[1, 2]", ids), encoding="utf-8")
    ended = nndsl("train", file, "--quiet", "--out", tmp_path / "run")
    assert said in ended.err
    assert (ended.code == 0) is (said == "")
