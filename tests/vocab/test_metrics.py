"""Metrics: by hand, and against scikit-learn."""

import numpy as np
import pytest

from nndsl.vocab.kinds import Metric
from nndsl.vocab.registry import words

SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.1, 0.4]])


def measure(name: str, predictions: object, targets: object) -> float:
    word = words("metric")[name]
    assert isinstance(word, Metric)
    assert word.measure is not None
    return word.measure(np.asarray(predictions), np.asarray(targets))


def test_classes() -> None:
    targets = [0, 1, 2, 2]
    assert measure("accuracy", SHARES, targets) == 0.75
    assert measure("balanced_accuracy", SHARES, targets) == pytest.approx((1 + 1 + 0.5) / 3)
    assert measure("f1", SHARES, targets) == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)


@pytest.mark.parametrize("shares", [[0.2, 0.6, 0.9], [[0.2], [0.6], [0.9]]])
def test_one_share_for_two_classes(shares: object) -> None:
    assert measure("accuracy", shares, [0, 1, 0]) == pytest.approx(2 / 3)
    assert measure("auc", shares, [0, 1, 0]) == 0.5
    assert measure("auc", shares, [0, 0, 1]) == 1.0


def test_ties_count_one_half() -> None:
    assert measure("auc", [0.5, 0.5, 0.5], [0, 1, 1]) == 0.5


def test_numbers() -> None:
    assert measure("mse", [1.0, 2.0], [1.0, 4.0]) == 2.0
    assert measure("rmse", [1.0, 2.0], [1.0, 4.0]) == pytest.approx(np.sqrt(2))
    assert measure("mae", [[1.0], [2.0]], [1.0, 4.0]) == 1.0
    assert measure("r2", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0
    assert measure("r2", [2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0
    assert measure("r2", [5.0, 5.0], [5.0, 5.0]) == 1.0
    assert measure("r2", [4.0, 5.0], [5.0, 5.0]) == 0.0


def test_every_metric_is_best_for_right_answers() -> None:
    for word in words("metric").values():
        assert isinstance(word, Metric)
        if word.targets == "classes":
            best = measure(word.name, np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 1])
            worse = measure(word.name, np.eye(3)[[1, 1, 2, 1]], [0, 1, 2, 1])
        else:
            best = measure(word.name, [1.0, 2.0, 5.0], [1.0, 2.0, 5.0])
            worse = measure(word.name, [1.0, 2.0, 4.0], [1.0, 2.0, 5.0])
        assert (best > worse) == word.higher_is_better
        assert best == (1.0 if word.higher_is_better else 0.0)


@pytest.mark.peers
def test_against_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn import metrics as peer

    shares = rng.dirichlet(np.ones(4), 200)
    targets = rng.integers(0, 4, 200)
    chosen = shares.argmax(axis=1)
    assert measure("accuracy", shares, targets) == peer.accuracy_score(targets, chosen)
    assert measure("f1", shares, targets) == pytest.approx(
        peer.f1_score(targets, chosen, average="macro")
    )
    assert measure("balanced_accuracy", shares, targets) == pytest.approx(
        peer.balanced_accuracy_score(targets, chosen)
    )
    assert measure("auc", shares, targets) == pytest.approx(
        peer.roc_auc_score(targets, shares, multi_class="ovr")
    )
    numbers, truth = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    assert measure("r2", numbers, truth) == pytest.approx(peer.r2_score(truth, numbers))
