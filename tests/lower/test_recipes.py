"""`train` sections: what is written, what is taken, which weights learn with which numbers."""

from __future__ import annotations

import pytest

from nndsl.ir.graph import Role
from nndsl.lower.result import Recipe
from nndsl.params import TimeLength
from tests.lower.helpers import codes, lowered, problems

IRIS = 'data iris = csv("iris.csv", target=species)\n'
NET = "net A on iris { trunk = dense(8) -> relu\n head = dense(iris.classes) -> softmax }\n"


def recipe(settings: str = "", before: str = "", overrides: dict[str, str] | None = None) -> Recipe:
    (found,) = lowered(f"{IRIS}{before}{NET}train A {{ {settings} }}", overrides).recipes
    return found


def test_the_default_recipe() -> None:
    found = recipe()
    (use,) = found.optimizers
    assert (use.optimizer.name, use.numbers["lr"], use.rate) == ("adam", 3e-3, 1.0)
    assert (found.batch, found.length, found.seed) == (32, TimeLength(300, "epoch"), 0)
    assert (found.keep, found.stop, found.precision) == ("val_loss", (), "float32")
    assert found.loss == ("cross_entropy",)
    (penalty,) = found.penalties
    assert (penalty.kind, penalty.parameters) == ("l2", ("trunk.dense.weight", "head.dense.weight"))
    assert penalty.coefficient == pytest.approx(1 / 96)
    said = {note.what: note.taken for note in found.inferred}
    assert said["optimizer"] == "adam(0.003)"
    assert said["loss"] == "cross_entropy"
    assert {"batch", "epochs", "keep", "seed", "penalty"} <= set(said)


def test_what_is_written_is_taken() -> None:
    found = recipe(
        "optimizer = sgd(0.1, momentum=0.9, nesterov=true); batch = all; steps = 500; seed = 7\n"
        "precision = float64; keep = last; penalty = l2(1e-4) + l1(1e-5); clip = norm(1.0)\n"
        "last_batch = drop; stop = patience(20, val_accuracy) or gradient_below(1e-4) or 10 minutes"
    )
    (use,) = found.optimizers
    assert use.numbers == {"lr": 0.1, "momentum": 0.9, "decay": 0.0}
    assert use.optimizer.arguments["nesterov"] is True
    assert (found.batch, found.length) == (None, TimeLength(500, "step"))
    assert (found.seed, found.precision, found.keep, found.drop_last) == (7, "float64", None, True)
    assert [(p.kind, p.coefficient) for p in found.penalties] == [("l2", 1e-4), ("l1", 1e-5)]
    assert found.clip is not None
    assert found.clip.arguments == {"norm": 1.0}
    assert [(s.word, dict(s.arguments)) for s in found.stop] == [
        ("patience", {"epochs": 20, "metric": "val_accuracy"}),
        ("gradient_below", {"threshold": 1e-4}),
        ("duration", {"length": TimeLength(10.0, "minute")}),
    ]


def test_defaults_train_stand_behind_what_is_written() -> None:
    found = recipe("epochs = 5", "defaults train(epochs=20, optimizer=sgd(0.5))\n")
    assert found.length == TimeLength(5, "epoch")
    assert found.optimizers[0].optimizer.name == "sgd"
    (note,) = [n for n in found.inferred if n.what == "optimizer"]
    assert note.why == "`defaults train` at line 2"


def test_overrides_of_settings_and_let() -> None:
    found = recipe("let lr = 0.1; optimizer = sgd(lr); epochs = 3",
                   overrides={"lr": "0.25", "epochs": "9"})  # fmt: skip
    assert found.optimizers[0].numbers["lr"] == 0.25
    assert found.length == TimeLength(9, "epoch")


def test_if_chooses_at_compile_time() -> None:
    text = (
        "if algo == momentum { let b = 0.8; optimizer = momentum(0.1, beta=b) }\n"
        "else { optimizer = adam(0.1) }"
    )
    assert (
        recipe(text, "let algo = adam ~ [adam, momentum]\n").optimizers[0].optimizer.name == "adam"
    )
    found = recipe(text, "let algo = adam\n", {"algo": "momentum"})
    assert found.optimizers[0].numbers["beta"] == 0.8


def test_parts_have_numbers_of_their_own() -> None:
    found = recipe(
        "optimizer = sgd(1); penalty = l2(0.5); A.trunk.rate = 0.1; A.head.penalty = l1(2)"
    )
    assert [(u.parameters, u.rate) for u in found.optimizers] == [
        (("trunk.dense.weight", "trunk.dense.bias"), 0.1),
        (("head.dense.weight", "head.dense.bias"), 1.0),
    ]
    assert [(p.kind, p.parameters) for p in found.penalties] == [
        ("l2", ("trunk.dense.weight",)),
        ("l1", ("head.dense.weight",)),
    ]
    own = recipe("optimizer = sgd(1); A.head.optimizer = adam(0.5)")
    assert [u.optimizer.name for u in own.optimizers] == ["sgd", "adam"]


def test_training_a_part_leaves_the_rest_as_it_is() -> None:
    text = f"{IRIS}{NET}train A.head {{ epochs = 1 }}\ntrain A {{ epochs = 2 }}"
    first, second = lowered(text).recipes
    assert first.optimizers[0].parameters == ("head.dense.weight", "head.dense.bias")
    frozen = [n for n, i in first.graph.inputs.items() if not i.trainable]
    assert frozen == ["trunk.dense.weight", "trunk.dense.bias"]
    assert all(i.trainable for i in second.graph.inputs.values())


def test_the_graphs_of_a_recipe() -> None:
    found = recipe("A.trunk.rate = 1")
    for graph in (found.graph, found.evaluation):
        assert graph is not None
        assert list(graph.outputs) == ["loss", "data_loss", "head"] or list(graph.outputs) == [
            "loss", "data_loss", "output",
        ]  # fmt: skip
        assert [i.value.name for i in graph.of_role(Role.TARGET)] == ["species"]
        assert [i.value.name for i in graph.of_role(Role.DATA)] == ["input"]
        assert graph.outputs["loss"].type.shape == ()
    assert found.targets == {"output": ("species",)}


def test_dropout_is_active_only_in_training() -> None:
    text = (
        f"{IRIS}net A on iris {{ dense(8) -> dropout(0.5) -> dense(3) -> softmax }}\ntrain A {{ }}"
    )
    (found,) = lowered(text).recipes
    random = [n for n in found.graph.nodes if n.operation.name == "random"]
    assert len(random) == 1
    assert found.evaluation is not None
    assert not [n for n in found.evaluation.nodes if n.operation.name == "random"]


def test_metrics_that_are_spoken_of_are_computed() -> None:
    names = [m.name for m in recipe("keep = best(val_auc)\n expect test_f1 > 0.5").metrics]
    assert names == ["accuracy", "auc", "f1"]
    assert recipe().metrics == ()


def test_pictures_know_the_arrays_of_a_part() -> None:
    curves, weights = recipe("report = [curves, weights(A.trunk, size=2x2)]").report
    assert (curves.name, dict(curves.arguments)) == ("curves", {})
    paths = ("trunk.dense.weight", "trunk.dense.bias")
    assert weights.arguments == {"part": paths, "size": (2, 2), "most": 64}
    assert recipe("report = weights(A)").report[0].arguments["part"][-1] == "head.dense.bias"
    assert recipe().report == ()


CONVOLUTIONS = """data digits = csv("digits.csv", target=digit)
block x -> twice(c) { body = x -> conv(c, 3, pad=1) -> relu -> conv(c, 3, pad=1); body + x }
net A on digits {
  reshape(1x8x8) -> conv(4, 3) -> relu
  seen = twice(4) -> maxpool(2)
  flatten -> dense(10) -> softmax
}
"""


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ("A.seen", "seen"),
        ("A.maxpool", "seen.maxpool"),
        ("A.twice", "seen.twice"),
        ("A.twice.conv[2]", "seen.twice.body.conv[2]"),
        ("A.relu", "relu"),
    ],
)
def test_maps_know_the_path_of_a_stage(part: str, place: str) -> None:
    (found,) = lowered(f"{CONVOLUTIONS}train A {{ report = maps({part}, row=3) }}").recipes
    assert dict(found.report[0].arguments) == {"part": place, "row": 3, "most": 10}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("maps(A.dense)", "NN314"),
        ("maps(A.softmax, row=2)", "NN314"),
        ("maps(A.lost)", "NN318"),
        ("maps(row=0)", "NN314"),
        ("maps(part=3)", "NN314"),
        ("filters(A.dense)", "NN314"),
        ("filters(A.relu)", "NN318"),
    ],
)
def test_pictures_of_what_is_no_picture(asked: str, code: str) -> None:
    assert codes(f"{CONVOLUTIONS}train A {{ report = {asked} }}") == [code]


def test_a_net_with_its_own_input_takes_the_names_of_the_data() -> None:
    text = f"{IRIS}net A {{ input x: [4]\n dense(3) -> softmax }}\ntrain A on iris {{ }}"
    (found,) = lowered(text).recipes
    assert found.data == "iris"
    assert next(iter(found.graph.inputs)) == "input"
    assert codes(text.replace("[4]", "[5]")) == ["NN306"]


def test_columns_fill_an_image_that_a_net_declares() -> None:
    text = (
        'data digits = csv("digits.csv", target=digit)\n'
        "net A { input image: 1x8x8\n conv(2, 3) -> flatten -> dense(10) -> softmax }\n"
        "train A on digits { }"
    )
    (found,) = lowered(text).recipes
    for graph in (found.graph, found.evaluation):
        assert graph.inputs["input"].value.type.shape == ("N", 64)
        assert graph.nodes[0].outputs[0].type.shape == ("N", 1, 8, 8)
    assert codes(text.replace("1x8x8", "1x8x9")) == ["NN306"]


MISTAKES = {
    "epoch = 5": "NN307",
    "epochs = 0": "NN309",
    "epochs = 2.5": "NN309",
    "epochs = 5; epochs = 6": "NN302",
    "epochs = 5; steps = 6": "NN302",
    "batch = none": "NN309",
    "batch = 0": "NN309",
    "seed = -1": "NN309",
    "precision = float16": "NN390",
    "precision = double": "NN309",
    "optimizer = adamm(1e-3)": "NN301",
    "optimizer = adam(1e-3, beta3=0.5)": "NN311",
    "optimizer = adam(-1)": "NN314",
    "optimizer = sgd": "NN312",
    "optimizer = 0.1": "NN309",
    "optimizer = 2 * adam": "NN309",
    "loss = cross_entropi": "NN301",
    "loss = cross_entropy * cross_entropy": "NN309",
    "loss = (cross_entropy, cross_entropy)": "NN320",
    "loss = 3": "NN309",
    "schedule = cosin": "NN301",
    "schedule = warmup -> cosine": "NN309",
    "stop = pateince(20)": "NN301",
    "stop = patience(20, val_los)": "NN301",
    "stop = 200 epochs": "NN309",
    "keep = best(val_acc)": "NN301",
    "penalty = l3(1)": "NN301",
    "penalty = l2(-1)": "NN314",
    "clip = 1.0": "NN309",
    "metrics = [acuracy]": "NN301",
    "A.trunk.rate = relu": "NN309",
    "A.trnk.rate = 1": "NN318",
    "A.trunk.rte = 1": "NN307",
    "dense(3)": "NN309",
    "minimize cross_entropy": "NN324",
    "ensemble = committee(1)": "NN314",
    "ensemble = committee": "NN312",
    "ensemble = comittee(5)": "NN301",
    "ensemble = bagging(5, answer=median)": "NN314",
    "ensemble = 5": "NN309",
    "search = bayes(trials=60)": "NN390",
    "report = [crves]": "NN301",
    "report = [tsne(A.trunk)]": "NN390",
    "report = 3": "NN309",
    "report = [weights(A.trnk)]": "NN318",
    "report = [weights(A.trunk, size=8)]": "NN314",
    "report = [weights(A.trunk, size=8x8)]": "NN314",
    "report = [weights(A.trunk, sise=2x2)]": "NN311",
    "augment = shift(1)": "NN323",
    'start = run("runs/a")': "NN390",
    "answer = threshold(0.4)": "NN321",
    "answer = refuse(margin=1.5)": "NN314",
    "answer = refuse(margin=-0.1)": "NN314",
    "answer = refuse": "NN312",
    "answer = refuze(0.2)": "NN301",
    "answer = 0.4": "NN309",
    "answer = generate(200)": "NN321",
    "answer = generate(start=3)": "NN314",
    "expect test_acuracy > 0.9": "NN301",
    "update A { batch = 1; minimize mean(A.output) }": "NN307",
}


@pytest.mark.parametrize(
    ("setting", "help"),
    [
        ("learning_rate = 0.1", "`optimizer = adam(0.01)`"),
        ("batch_size = 8", "`batch = 32`"),
        ('loss = "crossentropy"', "words stand without quotes: `cross_entropy`"),
        ('optimizer = "adam"', "words stand without quotes: `adam`"),
    ],
)
def test_habits_of_other_libraries(setting: str, help: str) -> None:
    (found,) = problems(f"{IRIS}net A on iris {{ dense(3) }}\ntrain A {{ {setting} }}")
    assert help in found.help[0]


@pytest.mark.parametrize("settings", MISTAKES)
def test_mistakes(settings: str) -> None:
    assert codes(f"{IRIS}{NET}train A {{ {settings} }}") == [MISTAKES[settings]]


def test_mistakes_without_the_data_are_found_too() -> None:
    text = 'data far = csv("not_here.csv", target=y)\nnet A on far { dense(far.classes) }\n'
    assert codes(text + "train A { optimizer = adamm(1) }") == ["NN301"]
    assert codes(text + "train A { loss = msee }") == ["NN301"]
    assert codes(text + "train A { epochs = 5 }") == []
    module = lowered(text + "train A { epochs = 5 }")
    assert module.recipes == []
    assert not module.networks["A"].is_complete


def test_what_cannot_be_trained() -> None:
    assert codes(f"{IRIS}{NET}train B {{ }}") == ["NN301"]
    assert codes(f"{IRIS}{NET}train A on irsi {{ }}") == ["NN301"]
    assert codes("net A { input x: [4]\n dense(1) }\ntrain A { }") == ["NN319"]
    assert codes(f"{IRIS}net A on iris {{ relu }}\ntrain A {{ }}") == ["NN319"]
    assert codes(f"{IRIS}{NET}net B on iris {{ dense(3) }}\ntrain (A, B) {{ }}") == ["NN319"]


def test_defaults_train_are_checked_where_they_stand() -> None:
    assert codes(f"defaults train(epoch=5)\n{IRIS}{NET}") == ["NN307"]


@pytest.mark.parametrize("stages", ["{} -> dense(3) -> softmax", "dense(3) -> softmax -> {}"])
def test_a_stage_that_gives_back_what_it_gets(stages: str) -> None:
    """`dropout(0)` makes nothing: what stands before it is the end, and no search goes round it."""
    text = (
        'data iris = csv("iris.csv", target=species)\n'
        f"net A on iris {{{{ relu -> {stages} }}}}\ntrain A {{{{ epochs = 1 }}}}"
    )
    graphs = [
        lowered(text.format(stage)).recipes[0].graph for stage in ("dropout(0)", "dropout(0) * 2")
    ]
    plain = lowered(text.replace("{} -> ", "").replace(" -> {} ", " ").format()).recipes[0].graph
    operations = [[node.operation.name for node in graph.nodes] for graph in (*graphs, plain)]
    assert operations[0] == operations[1] == operations[2]
