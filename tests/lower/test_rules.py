"""Rules, restraints, clipping and metrics: settings of `train` that stand for something else."""

from __future__ import annotations

import pytest

from nndsl.lower.result import Recipe, Restraint
from nndsl.vocab.registry import words
from tests.lower.helpers import codes, lowered

HEAD = (
    'data iris = csv("iris.csv") { target = species == "setosa" }\n'
    "net A on iris { trunk = dense(8) -> relu\n head = dense(1) -> step }\n"
)
NUMBERS = 'data oaks = csv("oaks.csv", target=diameter)\nnet A on oaks { dense(1) }\n'


def recipe(settings: str, head: str = HEAD) -> Recipe:
    (found,) = lowered(f"{head}train A {{ {settings} }}").recipes
    return found


def test_the_perceptron_rule_is_descent_by_another_name() -> None:
    rule = recipe("rule = perceptron(0.5)")
    written = recipe(
        "loss = perceptron; optimizer = sgd(0.5); batch = 1; penalty = none; keep = last"
    )
    for found in (rule, written):
        (use,) = found.optimizers
        assert (use.optimizer.name, use.numbers["lr"]) == ("sgd", 0.5)
        assert (found.loss, found.batch, found.keep) == (("perceptron",), 1, None)
        assert found.penalties == ()
    said = {note.what: (note.taken, note.why) for note in rule.inferred}
    assert said["optimizer"] == ("sgd(0.5)", "`rule = perceptron(0.5)`")


def test_what_is_written_beside_a_rule_is_taken() -> None:
    found = recipe("rule = perceptron; batch = 4; penalty = l2(0.1)")
    assert found.batch == 4
    assert found.penalties[0].coefficient == 0.1
    before = f"defaults train(optimizer=adam(0.1), epochs=7)\n{HEAD}"
    (use,) = recipe("rule = perceptron", before).optimizers
    assert use.optimizer.name == "sgd"
    assert recipe("rule = gradient").optimizers[0].optimizer.name == "adam"


def test_names_of_ones_own_do_not_change_a_rule() -> None:
    (use,) = recipe("let none = 3; rule = perceptron(1)", f"let sgd = 3\n{HEAD}").optimizers
    assert use.optimizer.name == "sgd"


def test_restraints_are_of_weights_and_of_units() -> None:
    found = recipe("weight_decay = 0.01; max_norm = 3; A.head.max_norm = none")
    assert found.restraints == {
        "trunk.dense.weight": Restraint(0.01, 3.0, axis=1),
        "head.dense.weight": Restraint(0.01, None, axis=1),
    }
    assert found.penalties == ()


def test_a_part_may_be_the_only_one_restrained() -> None:
    found = recipe("A.trunk.max_norm = 2")
    assert found.restraints == {"trunk.dense.weight": Restraint(0.0, 2.0, axis=1)}
    assert found.penalties != ()


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_clipping(clip: str) -> None:
    found = recipe(f"clip = {clip}(0.5)").clip
    assert found is not None
    assert (found.name, found.arguments) == (clip, {clip: 0.5})


def test_metrics_take_arguments() -> None:
    found = recipe("metrics = [top_k(1), f1(average=binary)]; stop = patience(3, val_top_k)")
    assert [(m.name, dict(m.arguments)) for m in found.metrics] == [
        ("top_k", {"k": 1}),
        ("f1", {"average": "binary"}),
    ]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("rule = perceptron(1); loss = hinge", "NN302"),
        ("rule = perceptron(1); optimizer = adam(1)", "NN302"),
        ("rule = perceptron(0)", "NN314"),
        ("rule = perceptrn", "NN301"),
        ("rule = 1", "NN309"),
        ("rule = competitive(0.1)", "NN390"),
        ("weight_decay = 1", "NN309"),
        ("max_norm = 0", "NN309"),
        ("max_norm = big", "NN309"),
        ("clip = value(0)", "NN314"),
        ("clip = 3", "NN309"),
        ("metrics = [accuracy, accuracy]", "NN302"),
        ("metrics = [rmse]", "NN306"),
        ("metrics = [top_k]", "NN312"),
        ("keep = best(val_top_k)", "NN312"),
        ("stop = no_mistakes(3)", "NN315"),
    ],
)
def test_mistakes(settings: str, code: str) -> None:
    assert codes(f"{HEAD}train A {{ {settings} }}") == [code]


def test_mistakes_are_of_classes() -> None:
    assert codes(f"{NUMBERS}train A {{ stop = no_mistakes }}") == ["NN306"]
    assert codes(f"{NUMBERS}train A {{ metrics = [accuracy] }}") == ["NN306"]


def test_every_metric_may_be_watched() -> None:
    by_kind = {"classes": HEAD, "numbers": NUMBERS}
    for name, word in words("metric").items():
        if any(parameter.required for parameter in word.parameters.values()):
            continue
        head = by_kind[word.targets]  # type: ignore[attr-defined]
        found = recipe(f"stop = patience(3, val_{name}); keep = best(val_{name})", head)
        assert name in [metric.name for metric in found.metrics]
