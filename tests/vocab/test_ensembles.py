"""How several networks answer as one: means, votes, ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndsl.vocab.ensembles import TOGETHER, Ensemble, mean_of, votes_of
from nndsl.vocab.registry import words


def test_the_mean_is_taken_in_float64() -> None:
    members = np.array([[[0.1], [1.0]], [[0.2], [3.0]]], np.float32)
    mean = mean_of(members)
    assert mean.dtype == np.float64
    np.testing.assert_allclose(mean, [[0.15], [2.0]], rtol=1e-7)


def test_the_class_of_most_members_wins_whatever_the_mean() -> None:
    members = np.array([[[0.51, 0.49]], [[0.51, 0.49]], [[0.0, 1.0]]])
    assert votes_of(members).argmax() == 0
    assert mean_of(members).argmax() == 1
    np.testing.assert_allclose(votes_of(members), [[2 / 3, 1 / 3]], atol=1e-6)


def test_equal_votes_are_decided_by_the_mean_share() -> None:
    members = np.array([[[0.6, 0.4, 0.0]], [[0.1, 0.9, 0.0]], [[0.3, 0.3, 0.4]]])
    assert votes_of(members).argmax() == 1
    assert votes_of(members[::-1]).argmax() == 1


def test_one_share_votes_for_the_second_of_two_classes() -> None:
    members = np.array([[[0.6], [0.9]], [[0.3], [0.2]]])
    votes = votes_of(members)
    np.testing.assert_allclose(votes, [[0.5], [0.5]], atol=1e-6)
    assert votes[0, 0] < 0.5 < votes[1, 0]


shares = st.integers(1, 6).flatmap(
    lambda classes: st.lists(
        st.lists(st.floats(0.01, 1), min_size=classes, max_size=classes),
        min_size=1,
        max_size=7,
    )
)


@given(shares)
def test_votes_are_shares_and_only_ties_look_at_the_mean(members: list[list[float]]) -> None:
    array = np.array(members)[:, None, :]
    array /= array.sum(axis=-1, keepdims=True)
    if array.shape[-1] == 1:
        return
    votes = votes_of(array)[0]
    counts = np.bincount(array[:, 0].argmax(axis=-1), minlength=array.shape[-1])
    assert votes.sum() == pytest.approx(1)
    np.testing.assert_allclose(votes, counts / len(members), atol=1e-6)
    most = np.flatnonzero(counts == counts.max())
    mean = array[:, 0].mean(axis=0)
    assert votes.argmax() in most
    assert mean[votes.argmax()] >= mean[most].max() - 1e-12


@pytest.mark.parametrize("name", sorted(words("ensemble")))
def test_every_ensemble_says_how_many_and_how_they_answer(name: str) -> None:
    word = words("ensemble")[name]
    assert isinstance(word, Ensemble)
    assert list(word.parameters) == ["members", "answer"]
    assert word.parameters["answer"].default in TOGETHER
