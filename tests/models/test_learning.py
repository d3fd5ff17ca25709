"""Canon rows 5, 32, 33, 37 and 42: rules, batches, optimizers, regularisation, tables."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from nndsl.vocab.registry import words
from tests.models.running import MODELS, Arrays, Stepper, job_of, model_text, opened, stepper
from tests.models.zeros_and_ones import FILE, text

NAMES = ["05_perceptron_rule", "32_batches", "33_optimizers", "37_regularisation", "42_tables"]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_trains_and_its_expectations_hold(name: str, nndsl) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- row 5: the perceptron rule --------------------------------------------------------------


def test_the_drawings_are_what_their_formulas_say() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


def test_every_step_is_the_rule_of_rosenblatt() -> None:
    """A row with t z <= 0 turns the line, w <- w + t x; no other row changes anything."""
    run = stepper(opened("05_perceptron_rule", precision="float64"))
    assert (run.plan.batch, run.plan.steps_per_epoch) == (1, 90)
    w, b, turned = np.zeros(64), 0.0, 0
    for step in range(180):
        rows = run.rows(step)
        x, t = rows["input"][0], 2 * int(rows["digit"][0]) - 1
        if t * (w @ x + b) <= 0:
            w, b, turned = w + t * x, b + t, turned + 1
        run.step()
        np.testing.assert_array_equal(run.weights["dense.weight"][:, 0], w)
        assert run.weights["dense.bias"].item() == b
    assert 5 < turned < 60


def test_what_no_line_separates_is_told(tmp_path: Path, nndsl) -> None:
    (tmp_path / "xor.nn").write_text(
        "data gates = table(a=[0, 0, 1, 1], b=[0, 1, 0, 1], xor=[0, 1, 1, 0]) "
        "{ target = xor; split = all }\n"
        "net Line on gates { dense(1) -> step }\n"
        "train Line { rule = perceptron(1); stop = no_mistakes; epochs = 50 }\n"
    )
    ended = nndsl("train", "xor.nn")
    assert (ended.code, ended.err) == (0, "")
    (line,) = [line for line in ended.out.splitlines() if "NN830" in line]
    assert "of 4 training rows are misclassified after 50 epochs" in line


def test_what_a_line_separates_is_separated(nndsl) -> None:
    ended = nndsl("train", MODELS / "05_perceptron_rule.nn")
    assert "every training row is classified rightly" in ended.out
    assert "NN830" not in ended.out


# --- row 32: batches -------------------------------------------------------------------------


def descended(weights: Arrays, rows: Arrays, rate: float) -> Arrays:
    """The weights after a step of 8 tanh neurons and a sum on the mean squared error."""
    x, t = rows["input"], rows["body_mass_g"]
    hidden = np.tanh(x @ weights["dense[1].weight"] + weights["dense[1].bias"])
    error = 2 * (hidden @ weights["dense[2].weight"] + weights["dense[2].bias"] - t) / len(x)
    back = error @ weights["dense[2].weight"].T * (1 - hidden**2)
    slopes = {
        "dense[1].weight": x.T @ back,
        "dense[1].bias": back.sum(axis=0),
        "dense[2].weight": hidden.T @ error,
        "dense[2].bias": error.sum(axis=0),
    }
    return {name: weights[name] - rate * slope for name, slope in slopes.items()}


def followed(run: Stepper, steps: int) -> list[np.ndarray]:
    """The rows of each step, after checking that the step was descent on their mean."""
    seen = []
    expected = {name: array.copy() for name, array in run.start.items()}
    names = {name.split(".", 1)[1] if name.startswith("model") else name: name for name in expected}
    for step in range(steps):
        short = {short: expected[name] for short, name in names.items()}
        changed = descended(short, run.rows(step), 0.02)
        expected = {name: changed[short] for short, name in names.items()}
        run.step()
        seen.append(run.batch(step))
        for name, array in expected.items():
            np.testing.assert_allclose(run.weights[name], array, rtol=0, atol=1e-12)
    return seen


@pytest.mark.parametrize(("net", "sizes"), [("Full", [219]), ("Online", [1] * 219)])
def test_all_rows_and_one_row(net: str, sizes: list[int]) -> None:
    seen = followed(stepper(opened("32_batches", precision="float64"), net), len(sizes))
    assert [len(rows) for rows in seen] == sizes
    assert sorted(np.concatenate(seen).tolist()) == list(range(219))


def test_the_last_batch_is_smaller_and_its_mean_is_over_its_own_rows() -> None:
    seen = followed(stepper(opened("32_batches", precision="float64"), "Mini"), 14)
    assert [len(rows) for rows in seen[:7]] == [32] * 6 + [27]
    for epoch in (seen[:7], seen[7:]):
        assert sorted(np.concatenate(epoch).tolist()) == list(range(219))


def test_a_dropped_last_batch_leaves_out_other_rows_in_each_epoch() -> None:
    seen = followed(stepper(opened("32_batches", precision="float64"), "Whole"), 12)
    assert {len(rows) for rows in seen} == {32}
    first, second = (set(np.concatenate(seen[i : i + 6]).tolist()) for i in (0, 6))
    assert len(first) == len(second) == 192
    assert first | second != first


# --- rows 33 and 37 --------------------------------------------------------------------------


def test_every_optimizer_is_in_the_file() -> None:
    written = model_text("33_optimizers")
    assert [name for name in words("optimizer") if f"optimizer = {name}(" not in written] == []


def test_a_step_with_clipping_by_value_and_the_decay_of_the_lectures() -> None:
    run = stepper(opened("37_regularisation", precision="float64"), "Decayed")
    weights, speed = run.start, {name: np.zeros_like(a) for name, a in run.start.items()}
    for step in range(3):
        rows = run.rows(step)
        x, t = rows["input"], rows["digit"]
        z = x @ weights["dense[1].weight"] + weights["dense[1].bias"]
        hidden = np.maximum(z, 0)
        out = hidden @ weights["dense[2].weight"] + weights["dense[2].bias"]
        share = np.exp(out - out.max(axis=1, keepdims=True))
        error = (share / share.sum(axis=1, keepdims=True) - np.eye(10)[t]) / len(x)
        back = error @ weights["dense[2].weight"].T * (z > 0)
        slopes = {
            "dense[1].weight": x.T @ back,
            "dense[1].bias": back.sum(axis=0),
            "dense[2].weight": hidden.T @ error,
            "dense[2].bias": error.sum(axis=0),
        }
        for name, slope in slopes.items():
            speed[name] = 0.9 * speed[name] - 0.05 * np.clip(slope, -0.5, 0.5)
            keep = 1 - 1e-4 if name.endswith("weight") else 1.0
            weights[name] = keep * (weights[name] + speed[name])
        run.step()
        for name, array in weights.items():
            np.testing.assert_allclose(run.weights[name], array, rtol=0, atol=1e-12)


def test_no_unit_has_weights_beyond_the_greatest_norm() -> None:
    found = opened("37_regularisation", precision="float64", max_norm="0.5")
    run = stepper(found, "Regular")
    run.step(20)
    norms = np.linalg.norm(run.weights["head.dense.weight"], axis=0)
    assert norms.max() == pytest.approx(0.5)  # the part's own number, 3, is for the trunk alone
    assert np.linalg.norm(run.weights["trunk.dense.weight"], axis=0).max() > 0.5


# --- row 42: tables --------------------------------------------------------------------------


def test_means_and_medians_are_of_the_training_part_alone() -> None:
    job = job_of(opened("42_tables", precision="float64"))
    train, test = job.train["input"], job.test["input"]
    numbers = [i for i in range(train.shape[1]) if len(np.unique(train[:, i])) > 2]
    assert len(numbers) == 5  # four measures and their ratio
    np.testing.assert_allclose(train[:, numbers].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train[:, numbers].std(axis=0), 1, rtol=1e-12)
    assert np.abs(test[:, numbers].mean(axis=0)).max() > 1e-3


def test_missing_is_a_category_of_its_own() -> None:
    job = job_of(opened("42_tables", precision="float64"))
    arrays = np.concatenate([part["input"] for part in (job.train, job.validation, job.test)])
    flags = [i for i in range(arrays.shape[1]) if set(np.unique(arrays[:, i])) == {0.0, 1.0}]
    assert len(flags) == 6  # three islands; female, male, not known
    with (MODELS / "penguins.csv").open() as file:
        rows = list(csv.DictReader(file))
    counts = [sum(row["sex"] == sex for row in rows) for sex in ("female", "male", "NA")]
    counts += [sum(row["island"] == i for row in rows) for i in ("Biscoe", "Dream", "Torgersen")]
    assert sorted(arrays[:, flags].sum(axis=0)) == sorted(counts)
