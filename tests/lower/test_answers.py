"""The setting `answer` held against the target."""

from __future__ import annotations

import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError, Source

HEAD = """data d = table(x=[1, 2, 3, 4, 5, 6, 7, 8, 9], y=[{target}]) {{ target = y; split = all }}
net N on d {{ dense({units}) }}
train N {{ epochs = 1; {settings} }}
"""
TARGETS = {
    "numbers": ("0.5, 1.5, 1, 2.5, 2, 3.5, 3, 4, 5", 1),
    "two": ("0, 1, 0, 1, 0, 1, 0, 1, 1", 1),
    "three": ("0, 1, 2, 0, 1, 2, 0, 1, 2", 3),
}


def opened(target: str, settings: str) -> driver.Opened:
    values, units = TARGETS[target]
    text = HEAD.format(target=values, units=units, settings=settings)
    return driver.open_source(Source("m.nn", text), driver.Path.cwd())


@pytest.mark.parametrize(
    ("target", "answer", "title"),
    [
        ("three", "threshold(0.4)", "for two classes, but `y` is one of 3 classes"),
        ("numbers", "threshold(0.4)", "for classes, but `y` is a number"),
        ("numbers", "refuse(0.1)", "for classes, but `y` is a number"),
    ],
)
def test_an_answer_must_go_with_the_target(target: str, answer: str, title: str) -> None:
    with pytest.raises(NndslError) as caught:
        opened(target, f"answer = {answer}")
    (found,) = caught.value.diagnostics
    assert found.code == "NN321"
    assert title in found.title
    assert found.help


@pytest.mark.parametrize(
    ("settings", "metrics"),
    [
        ("answer = argmax", []),
        ("answer = refuse(0.1)", ["accuracy", "refused"]),
        ("answer = refuse(0.1); metrics = [f1]", ["f1", "refused"]),
        ("answer = refuse(0.1); metrics = [refused]", ["refused"]),
        ("answer = threshold(0.4)", ["accuracy", "precision", "recall"]),
        ("answer = refuse(0.1); expect train_mcc > -2", ["accuracy", "refused", "mcc"]),
        ("answer = refuse(0.1); expect train_refused < 2", ["accuracy", "refused"]),
    ],
)
def test_what_belongs_to_an_answer_is_measured(settings: str, metrics: list[str]) -> None:
    (recipe,) = opened("two", settings).module.recipes
    assert [metric.name for metric in recipe.metrics] == metrics


# --- ensembles ------------------------------------------------------------------------------


def test_votes_are_for_classes() -> None:
    with pytest.raises(NndslError) as caught:
        opened("numbers", "ensemble = committee(3, answer=vote)")
    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("NN321", ("answer=mean",))
    (recipe,) = opened("numbers", "ensemble = bagging(3)").module.recipes
    assert recipe.ensemble is not None
    assert recipe.ensemble.arguments == {"members": 3, "answer": "mean"}
    (recipe,) = opened("two", "ensemble = none").module.recipes
    assert recipe.ensemble is None


SEVERAL = """data d = table(x=[1, 2, 3, 4], y=[0, 1, 0, 1]) {{ target = y; split = all }}
net A on d {{ dense(2) }}
net B on d {{ A -> dense(1) }}
net C on d {{ dense(1) }}
train {first} {{ epochs = 1; ensemble = committee(3) }}
train {second} {{ epochs = 1 }}
"""


@pytest.mark.parametrize(("first", "second"), [("C", "C"), ("A", "B"), ("B", "A")])
def test_an_ensemble_shares_no_weights_with_other_sections(first: str, second: str) -> None:
    text = SEVERAL.format(first=first, second=second)
    with pytest.raises(NndslError) as caught:
        driver.open_source(Source("m.nn", text), driver.Path.cwd())
    assert [found.code for found in caught.value.diagnostics] == ["NN390"]


def test_an_ensemble_beside_other_nets() -> None:
    text = SEVERAL.format(first="C", second="B")
    assert len(driver.open_source(Source("m.nn", text), driver.Path.cwd()).module.recipes) == 2
