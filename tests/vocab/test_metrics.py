"""Metrics: by hand, and against scikit-learn."""

import numpy as np
import pytest

from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Metric
from nndsl.vocab.metrics import confusion_matrix
from nndsl.vocab.registry import words

SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.1, 0.4]])


def measure(name: str, predictions: object, targets: object, **arguments: object) -> float:
    word = words("metric")[name]
    assert isinstance(word, Metric)
    assert word.measure is not None
    bound = bind_arguments(word, (), arguments)
    return word.measure(np.asarray(predictions), np.asarray(targets), **bound)


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


def test_averages() -> None:
    shares = np.eye(2)[[0, 0, 1, 1, 1]]
    targets = [0, 1, 1, 1, 0]
    assert measure("precision", shares, targets, average="binary") == pytest.approx(2 / 3)
    assert measure("recall", shares, targets) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert measure("f1", shares, targets, average="micro") == pytest.approx(3 / 5)
    assert measure("precision", np.eye(2)[[0, 0]], [0, 1], average="binary") == 0.0


def test_equal_shares_count_in_the_order_of_the_classes() -> None:
    tied = np.array([[0.4, 0.4, 0.2]])
    assert [measure("top_k", tied, [c], k=1) for c in (0, 1)] == [1.0, 0.0]
    assert [measure("top_k", tied, [c], k=2) for c in (0, 1, 2)] == [1.0, 1.0, 0.0]


def test_the_confusion_matrix_counts_actual_by_predicted() -> None:
    matrix = confusion_matrix(np.eye(4)[[0, 1, 1, 2]], np.array([0, 1, 2, 2]), 4)
    assert matrix.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert confusion_matrix(np.array([0.2, 0.9]), np.array([0, 0]), 2).tolist() == [[1, 1], [0, 0]]


def test_every_metric_is_best_for_right_answers() -> None:
    for word in words("metric").values():
        assert isinstance(word, Metric)
        needed = {name: 1 for name, p in word.parameters.items() if p.required}
        if word.targets == "classes":
            best = measure(word.name, np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 1], **needed)
            worse = measure(word.name, np.eye(3)[[1, 1, 2, 1]], [0, 1, 2, 1], **needed)
        else:
            best = measure(word.name, [1.0, 2.0, 5.0], [1.0, 2.0, 5.0])
            worse = measure(word.name, [1.0, 2.0, 4.0], [1.0, 2.0, 5.0])
        assert (best > worse) == word.higher_is_better
        one = word.higher_is_better or word.name == "perplexity"
        assert best == (1.0 if one else 0.0)


@pytest.mark.peers
def test_overlaps_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn import metrics as peer

    for classes, average in ((2, "binary"), (4, "macro")):
        shares, targets = rng.dirichlet(np.ones(classes), 200), rng.integers(0, classes, 200)
        chosen = shares.argmax(axis=1)
        iou = peer.jaccard_score(targets, chosen, average=average)
        assert measure("iou", shares, targets) == pytest.approx(iou)
        dice = peer.f1_score(targets, chosen, average=average)
        assert measure("dice", shares, targets) == pytest.approx(dice)


@pytest.mark.peers
def test_against_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn import metrics as peer

    shares = rng.dirichlet(np.ones(4), 200)
    targets = rng.integers(0, 4, 200)
    chosen = shares.argmax(axis=1)
    assert measure("accuracy", shares, targets) == peer.accuracy_score(targets, chosen)
    for average in ("macro", "micro"):
        for name in ("precision", "recall", "f1"):
            expected = getattr(peer, f"{name}_score")(targets, chosen, average=average)
            assert measure(name, shares, targets, average=average) == pytest.approx(expected)
    assert measure("balanced_accuracy", shares, targets) == pytest.approx(
        peer.balanced_accuracy_score(targets, chosen)
    )
    assert measure("auc", shares, targets) == pytest.approx(
        peer.roc_auc_score(targets, shares, multi_class="ovr")
    )
    hot = np.eye(4)[targets]
    assert measure("pr_auc", shares, targets) == pytest.approx(
        peer.average_precision_score(hot, shares)
    )
    assert measure("log_loss", shares, targets) == pytest.approx(peer.log_loss(targets, shares))
    assert measure("mcc", shares, targets) == pytest.approx(peer.matthews_corrcoef(targets, chosen))
    for k in (1, 2, 3):
        expected = peer.top_k_accuracy_score(targets, shares, k=k)
        assert measure("top_k", shares, targets, k=k) == pytest.approx(expected)
    np.testing.assert_array_equal(
        confusion_matrix(shares, targets, 4), peer.confusion_matrix(targets, chosen)
    )


@pytest.mark.peers
def test_two_classes_against_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn import metrics as peer

    share, targets = np.round(rng.uniform(size=200), 1), rng.integers(0, 2, 200)
    chosen = share > 0.5
    for name in ("precision", "recall", "f1"):
        expected = getattr(peer, f"{name}_score")(targets, chosen)
        assert measure(name, share, targets, average="binary") == pytest.approx(expected)
    assert measure("auc", share, targets) == pytest.approx(peer.roc_auc_score(targets, share))
    assert measure("pr_auc", share, targets) == pytest.approx(
        peer.average_precision_score(targets, share)
    )
    assert measure("log_loss", share, targets) == pytest.approx(peer.log_loss(targets, share))


@pytest.mark.peers
def test_numbers_against_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn import metrics as peer

    numbers, truth = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    peers = {
        "r2": peer.r2_score,
        "mse": peer.mean_squared_error,
        "rmse": lambda t, y: np.sqrt(peer.mean_squared_error(t, y)),
        "mae": peer.mean_absolute_error,
        "median_ae": peer.median_absolute_error,
        "max_error": lambda t, y: max(peer.max_error(t[:, i], y[:, i]) for i in range(2)),
        "mape": peer.mean_absolute_percentage_error,
    }
    numeric = [w.name for w in words("metric").values() if getattr(w, "targets", "") == "numbers"]
    assert sorted(peers) == sorted(numeric)
    for name, expected in peers.items():
        assert measure(name, numbers, truth) == pytest.approx(expected(truth, numbers))
