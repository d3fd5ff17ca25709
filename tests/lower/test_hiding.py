"""`mask_tokens` where a network is judged: what is hidden, when, and how that is told."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Graph
from nndsl.lower.hiding import as_answered
from nndsl.lower.result import Guess, Module
from nndsl.ops.base import Clock
from nndsl.ops.source import Random
from nndsl.runtime.reference import evaluate
from tests.lower.helpers import lowered

DATA = """data d = table(w=[0, 1, 2, 0], v=[1, 1, 0, 2], y=["a", "b", "a", "b"]) {
  input text = [w, v] -> ids(3)
  target = y
  split = all
}
"""
NET = """net Words on d {
  hidden = mask_tokens(50%, token=3)
  hidden -> embed(4) -> dense(3) -> softmax
}
"""
WHERE = "where=Words.hidden != Words.text"
TRAIN = f"train Words {{ minimize cross_entropy(Words.output, Words.text, {WHERE}) }}\n"
ROWS = 40


def chances(graph: Graph | None) -> list[bool]:
    """Of the noise in a graph, whether it belongs to rows."""
    assert graph is not None
    found = [n.operation for n in graph.nodes if isinstance(n.operation, Random)]
    return [noise.by_row for noise in found]


def hidden(module: Module, first_row: int, step: int) -> np.ndarray:
    """Which places count for the judgement of some rows, [rows, places]."""
    (recipe,) = module.recipes
    assert recipe.evaluation is not None
    arrays = {n: np.zeros(i.value.type.shape) for n, i in recipe.evaluation.inputs.items()
              if n != "text"}  # fmt: skip
    rows = {"text": np.ones((ROWS - first_row, 2))}
    clock = Clock(step=step, first_row=first_row)
    return evaluate(recipe.evaluation, arrays | rows, clock)[0]["output.places"]


def test_judged_rows_hide_what_the_objective_asks_for() -> None:
    module = lowered(DATA + NET + TRAIN)
    (recipe,) = module.recipes
    assert chances(recipe.graph) == [False]
    assert chances(recipe.evaluation) == [True]
    assert chances(module.networks["Words"].graph) == []
    assert recipe.guesses == (Guess("output", "text", "output.places"),)
    assert recipe.targets == {}


def test_what_is_hidden_belongs_to_the_row() -> None:
    module = lowered(DATA + NET + TRAIN)
    all_rows = hidden(module, 0, 0)
    assert 0.3 < all_rows.mean() < 0.7
    np.testing.assert_array_equal(hidden(module, 13, 5), all_rows[13:])


@pytest.mark.parametrize(
    ("loss", "places"),
    [("cross_entropy(Words.output, Words.text)", ""),
     ("cross_entropy(Words.output, Words.text, where=Words.text > 0)", "output.places")],
)  # fmt: skip
def test_nothing_is_hidden_where_nobody_asks_what_was(loss: str, places: str) -> None:
    (recipe,) = lowered(f"{DATA}{NET}train Words {{ minimize {loss} }}\n").recipes
    assert chances(recipe.graph) == [False]
    assert chances(recipe.evaluation) == []
    assert recipe.guesses == (Guess("output", "text", places),)


def test_nothing_is_hidden_when_a_target_judges() -> None:
    net = "net Words on d { mask_tokens(50%, token=3) -> embed(4) -> flatten -> dense(2) }\n"
    (recipe,) = lowered(DATA + net + "train Words {}\n").recipes
    assert chances(recipe.graph) == [False]
    assert chances(recipe.evaluation) == []
    assert recipe.guesses == ()


def test_other_places_are_no_guess() -> None:
    text = "train Words { minimize cross_entropy(Words.output, Words.text, shift=1) }\n"
    (recipe,) = lowered(DATA + NET + text).recipes
    assert recipe.guesses == ()


def test_answers_are_those_of_rows_as_they_are() -> None:
    (recipe,) = lowered(DATA + NET + TRAIN).recipes
    assert recipe.evaluation is not None
    shown = as_answered(recipe.evaluation)
    line = next(node for node in shown.nodes if node.outputs[0].name.startswith("mask_tokens"))
    assert len(line.inputs) == 1
    graph = Graph(shown.inputs, shown.nodes, {"said": line.outputs[0]})
    arrays = {n: np.zeros(i.value.type.shape) for n, i in graph.inputs.items() if n != "text"}
    text = np.arange(6).reshape(3, 2) % 3
    np.testing.assert_array_equal(evaluate(graph, arrays | {"text": text})[0]["said"], text)
