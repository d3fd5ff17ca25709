"""Canon row 7: networks with cycles."""

from __future__ import annotations

import numpy as np

from tests.models.running import MODELS, answers, opened, opened_text

SWING = """net Swing {{
  input y: [2]
  settle(dense(2, weights=[[0, -1], [-1, 0]], bias=0.5) -> step, limit={limit})
}}
expect Swing([[1, 1], [1, 0], [0, 1]]) == [[1, 1], [1, 0], [0, 1]]
"""
GROWTH = """net Growth {
  input y: [1]
  settle(dense(1, weights=[[1]], bias=1), limit=30)
}
expect Growth([0]) == 30
"""


def test_stable_states_and_their_steps(nndsl) -> None:
    ended = nndsl("check", MODELS / "07_cyclic.nn")
    assert (ended.code, ended.err) == (0, "")
    assert "`Cycle.settle` stands still after 1 step\n" in ended.out
    assert "`Driven.settle` stands still after 0 to 6 steps (2 rows)" in ended.out


def test_a_memory_repairs_its_patterns_one_step_at_a_time(rng) -> None:
    found = opened("07_cyclic")
    patterns = np.array([[1, 1, 1, -1, 1, -1], [1, -1, 1, 1, -1, -1]])
    weights = sum(np.outer(p, p) for p in patterns) * (1 - np.eye(6))
    starts = rng.choice([-1.0, 1.0], size=(20, 6))
    state = starts.copy()
    for _ in range(100):
        state = np.clip(state @ weights.T, -1, 1)
    assert answers(found, "Memory", starts).tolist() == state.tolist()


def test_a_cycle_is_reported(tmp_path, nndsl) -> None:
    (tmp_path / "swing.nn").write_text(SWING.format(limit=10))
    ended = nndsl("check", "swing.nn")
    assert ended.code == 0
    assert "warning[NN813]: `Swing.settle`: 1 of 3 rows still change after 10 steps" in ended.err
    assert "in a cycle of 2 states" in ended.err


def test_a_limit_is_reported(tmp_path, nndsl) -> None:
    (tmp_path / "growth.nn").write_text(GROWTH)
    ended = nndsl("check", "growth.nn", "--json")
    assert ended.code == 0
    assert "`Growth.settle` still changes after 30 steps" in ended.out
    assert "a greater limit: limit=60" in ended.out


def test_an_odd_number_of_steps_ends_on_the_other_side() -> None:
    found = opened_text(SWING.format(limit=7).split("expect", maxsplit=1)[0])
    assert answers(found, "Swing", np.array([[1.0, 1.0], [1.0, 0.0]])).tolist() == [[0, 0], [1, 0]]


def test_a_cycle_within_a_recurrence_rests_at_each_of_its_steps(tmp_path, nndsl) -> None:
    """The cell adds its input until 1 is reached: from 0 by 0.5 two steps, from 1 none."""
    (tmp_path / "nested.nn").write_text("""cell (x, h: [1]) -> filling() { h + x -> saturate }
cell (x, h: [1]) -> outer() { 1 * x + 0 * h -> settle(filling, limit=9) }
net Nested { input x: [T, 1]; outer -> last }
expect Nested([[[0.5], [0]]]) == [0]
""")
    ended = nndsl("check", "nested.nn")
    assert (ended.code, ended.err) == (0, "")
    assert "`Nested.outer.settle` stands still after 0 to 2 steps (2 rows)" in ended.out
