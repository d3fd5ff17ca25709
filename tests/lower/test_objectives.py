"""`minimize`: values by the oracle against closed forms; what is refused, and where it is told."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Graph, Role
from nndsl.lower.result import Recipe
from nndsl.runtime.reference import evaluate
from tests.lower.helpers import codes, lowered, problems, rendered

IRIS = 'data iris = csv("iris.csv", target=species)\n'
OAKS = 'data oaks = csv("oaks.csv", target=diameter)\n'
NET = "net A on iris { code = dense(2) -> tanh\n last = dense(4) }\n"
HEAD = IRIS + NET


def recipe(objective: str, head: str = HEAD, more: str = "") -> Recipe:
    (found,) = lowered(f"{head}train A {{ {more}\n minimize {objective} }}").recipes
    return found


def run(graph: Graph, rows: int = 6) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    arrays = {}
    for name, entry in graph.inputs.items():
        shape = tuple(rows if d == "N" else d for d in entry.value.type.shape)
        if entry.role is Role.TARGET and entry.value.type.element.name == "INDEX":
            arrays[name] = rng.integers(0, 3, shape)
        else:
            arrays[name] = rng.normal(size=shape)
    return evaluate(graph, arrays)[0], arrays


def code(a: dict) -> np.ndarray:
    return np.tanh(a["input"] @ a["code.dense.weight"] + a["code.dense.bias"])


def output(a: dict) -> np.ndarray:
    return code(a) @ a["last.dense.weight"] + a["last.dense.bias"]


def log_softmax(z: np.ndarray) -> np.ndarray:
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


VALUES = {
    "mse(A.output, iris.inputs)": lambda a: np.mean((output(a) - a["input"]) ** 2),
    "mse(A.last, iris.inputs) + 1e-2 * mean(abs(A.code))": lambda a: (
        np.mean((output(a) - a["input"]) ** 2) + 1e-2 * np.mean(np.abs(code(a)))
    ),
    "half_squared_error(A.code, 0)": lambda a: np.mean(np.sum(code(a) ** 2, axis=1) / 2),
    "bce(A.code, 1)": lambda a: np.mean(np.log1p(np.exp(-code(a)))),
    "sum(A.code^2) / 2": lambda a: np.sum(code(a) ** 2) / 2,
    "mean(exp(A.code) * A.code.dense) - 3": lambda a: (
        np.mean(np.exp(code(a)) * (a["input"] @ a["code.dense.weight"] + a["code.dense.bias"])) - 3
    ),
    "mse(A.input -> A, iris.inputs)": lambda a: np.mean((output(a) - a["input"]) ** 2),
    "mean(A.code.dense.weight^2)": lambda a: np.mean(a["code.dense.weight"] ** 2),
    "cross_entropy(A.output, iris.species)": lambda a: (
        -np.mean(log_softmax(output(a))[np.arange(6), a["species"]])
    ),
    "cross_entropy(A.output, iris.species, where=iris.species != 1)": lambda a: (
        -np.sum(log_softmax(output(a))[np.arange(6), a["species"]] * (a["species"] != 1))
        / max(1, np.sum(a["species"] != 1))
    ),
    "mse(A.output, iris.inputs, where=iris.inputs > 0)": lambda a: (
        np.sum((output(a) - a["input"]) ** 2 * (a["input"] > 0)) / np.sum(a["input"] > 0)
    ),
}


@pytest.mark.parametrize("objective", VALUES)
def test_values(objective):
    found = recipe(objective)
    outputs, arrays = run(found.graph)
    assert outputs["data_loss"] == pytest.approx(VALUES[objective](arrays), rel=1e-9)
    assert outputs["loss"] == outputs["data_loss"]  # no penalty by default
    assert run(found.evaluation)[0]["data_loss"] == pytest.approx(outputs["data_loss"])
    assert found.loss == (objective,)


def test_a_sigmoid_or_softmax_at_the_end_is_joined_with_its_loss():
    head = OAKS + "net A on oaks { dense(1) -> sigmoid(2) }\n"
    outputs, a = run(recipe("bce(A.output, 0.25)", head).graph)
    z = 2 * (a["input"] @ a["dense.weight"] + a["dense.bias"])
    assert outputs["data_loss"] == pytest.approx(np.mean(np.log1p(np.exp(z)) - 0.25 * z))


def test_a_let_is_one_tensor_in_an_objective():
    found = recipe("mse(noisy, noisy)", more="let noisy = A.code + noise(2)")
    assert run(found.graph)[0]["data_loss"] == 0.0
    differing = recipe("mse(A.code + noise(2), A.code + noise(2))")
    assert run(differing.graph)[0]["data_loss"] > 0.1


def test_a_penalty_is_added_where_it_is_written():
    found = recipe("mse(A.output, iris.inputs)", more="penalty = l2(0.5)")
    outputs, a = run(found.graph)
    weights = sum(np.sum(a[name] ** 2) for name in a if name.endswith("weight"))
    assert outputs["loss"] == pytest.approx(outputs["data_loss"] + 0.25 * weights)


def test_an_output_that_a_target_judges_has_its_metrics_and_its_ending():
    text = IRIS + "net A on iris { dense(3) }\n"
    found = recipe("cross_entropy(A.output, iris.species) + 0.1 * mean(A.output^2)", text)
    assert found.targets == {"output": ("species",)}
    outputs, _ = run(found.evaluation)
    np.testing.assert_allclose(outputs["output"].sum(axis=1), 1.0)
    assert recipe("mean(A.output^2)", text).targets == {}


def test_a_loss_block_may_compare_several_tensors():
    block = "block (a, b, same) -> contrast(margin=1) { d = mean((a - b)^2)\n"
    block += " near = same * d\n gap = margin - d\n near + (1 - same) * gap^2 }\n"
    found = recipe("mean(contrast(A.code, A.code.dense, A.code))", block + HEAD)
    assert run(found.graph)[0]["data_loss"] > 0


def test_tensors_of_a_net_inside_another():
    head = IRIS + "net D { input z: [2]; h = dense(5)\n dense(4) }\n"
    head += "net A on iris { z = dense(2)\n D }\n"
    found = recipe("mse(A.output, iris.inputs) + mean(A.D.h^2) + mean((noise(2) -> D)^2)", head)
    assert {n for n, i in found.graph.inputs.items() if i.role is Role.PARAMETER} == {
        f"{path}.{name}"
        for path in ("z.dense", "D.h.dense", "D.dense")
        for name in ("weight", "bias")
    }


REFUSED = {
    "shapes that differ": ("mse(A.code, iris.inputs)", "NN203", "compares 2 with 4"),
    "no number": ("A.code^2", "NN324", "one number"),
    "no tensor": ("3", "NN324", "3"),
    "a net": ("mse(A, iris.inputs)", "NN324", "`A` is a net"),
    "a let of itself": ("mean(a)\n let a = noise(2) + b\n let b = a", "NN207", "itself"),
    "an unknown tensor": ("mse(A.cod, A.code)", "NN318", "cod"),
    "an unknown column": ("mse(A.code, iris.petal)", "NN303", "petal"),
    "one tensor": ("mse(A.code)", "NN205", "compares two tensors"),
    "numbers for classes": ("cross_entropy(A.output, A.code)", "NN306", "class"),
    "weights of its own": ("mean((A.code -> dense(3))^2)", "NN325", "weights of its own"),
    "nothing of the net": ("mean(iris.inputs^2)", "NN325", "does not depend on `A`"),
    "two of it": ("mean(A.code)\n minimize mean(A.code)", "NN302", "two objectives"),
    "and a loss": ("mean(A.code)\n loss = mse", "NN302", "`loss` and `minimize`"),
    "and an update": ("mean(A.code)\n update A { minimize mean(A.code) }", "NN302", "each of"),
    "times of a training": ("mean(A.code)\n times = 2", "NN307", "of an update"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    objective, code_, words = REFUSED[case]
    text = f"{HEAD}train A {{ minimize {objective} }}"
    assert codes(text) == [code_]
    assert words in problems(text)[0].title + " ".join(n for n in problems(text)[0].notes)


def test_shapes_that_differ_are_told_at_both_places():
    text = rendered(f"{HEAD}train A {{ minimize mse(A.code, iris.inputs) }}")
    assert "Nx4 -> Nx2 here" in text or "[4] -> [2] here" in text or "-> " in text
    assert "iris" in text


UPDATES = {
    "no objective": ("update A { optimizer = sgd(0.1) }", "NN319"),
    "two objectives": ("update A { minimize mean(A.code); minimize mean(A.code) }", "NN302"),
    "another net": ("update B { minimize mean(A.code) }", "NN325"),
    "what is not reached": ("update A.last { minimize mean(A.code) }", "NN325"),
    "no net": ("update iris { minimize mean(A.code) }", "NN309"),
    "epochs of an update": ("update A { minimize mean(A.code); epochs = 3 }", "NN307"),
    "an unknown setting": ("update A { minimize mean(A.code); tims = 3 }", "NN307"),
    "times of nothing": ("update A { minimize mean(A.code); times = 0 }", "NN309"),
    "an update in an update": (
        "update A { minimize mean(A.code); update A { minimize mean(A.code) } }",
        "NN309",
    ),
}


@pytest.mark.parametrize("case", UPDATES)
def test_updates_refused(case):
    written, code_ = UPDATES[case]
    head = HEAD + "net B on iris { dense(2) }\n"
    assert codes(f"{head}train A {{ {written} }}") == [code_]


def test_an_update_of_no_net_is_told_which_there_are():
    head = HEAD + "net B on iris { dense(2) }\n"
    text = "train (A, B) { update C { minimize mse(A.code, B.output) } }"
    (found,) = problems(head + text)
    assert (found.code, found.help) == ("NN309", ("`update A` or `update B`",))


def test_several_nets_need_updates_or_an_objective():
    head = HEAD + "net B on iris { dense(2) }\n"
    assert codes(head + "train (A, B) { epochs = 3 }") == ["NN319"]
    assert codes(head + "train (A, A) { minimize mean(A.code) }") == ["NN309"]
    (found,) = lowered(head + "train (A, B) { minimize mse(A.code, B.output) }").recipes
    assert found.net == "A+B"
    trained = [name for use in found.optimizers for name in use.parameters]
    assert {name.split(".")[0] for name in trained} == {"A", "B"}


def test_a_net_outside_the_training_is_named():
    head = HEAD + "net B on iris { dense(2) }\n"
    (found,) = problems(head + "train A { minimize mse(A.code, B.output) }")
    assert (found.code, found.help) == ("NN325", ("train (A, B) on iris { ... }",))


@pytest.mark.parametrize(
    ("objectives", "title", "help"),
    [
        ("update A { minimize mean(A.code) }", "net `B` is trained here", "train A on iris"),
        ("update B { minimize mean(noise(2) -> B) }", "net `A` is trained", "train B on iris"),
        (
            "update B { minimize mean(noise(2) -> B) }; update A { minimize mean(noise(4) -> A) }",
            "no objective reads anything of `iris`",
            "what goes in is `iris.inputs`",
        ),
    ],
)
def test_nets_and_data_that_no_objective_uses(objectives, title, help):
    head = HEAD + "net B { input z: [2]; dense(2) }\n"
    (found,) = problems(f"{head}train (A, B) on iris {{\n  {objectives}\n}}\n")
    assert found.code == "NN325"
    assert found.title.startswith(title) and found.help[0].startswith(help)


def test_an_unknown_name_in_a_let_is_told_there():
    (found,) = problems(f"{HEAD}train A {{\n  let f = fakes + 1\n  minimize mean(f * A.code)\n}}")
    assert (found.code, found.title) == ("NN301", "nothing is called `fakes`")


def test_a_net_at_rest_is_as_at_inference():
    head = IRIS + "net T on iris { dense(3) -> dropout(0.5) }\nnet A on iris { dense(3) }\n"
    text = head + "train (A, T) { update A { minimize mse(A.output, T.output) } }"
    (found,) = lowered(text).recipes
    names = {node.operation.name for node in found.graph.nodes}
    assert "random" in names  # an update of this section could train T: it is in training mode
    (frozen,) = lowered(head + "train A { minimize mean(A.output^2) }").recipes
    assert "random" not in {node.operation.name for node in frozen.graph.nodes}


def test_a_check_without_the_data_goes_as_far_as_it_can():
    head = 'data d = csv("not_here.csv", target=y)\nnet A on d { code = dense(2)\n dense(1) }\n'
    assert codes(head + "train A { minimize mse(A.output, d.y); epochs = 3 }") == []


def test_an_input_of_one_column_is_called_by_it_as_well():
    head = "data pics = shapes(40, size=[8, 8])\nnet A on pics { conv(1, 3, pad=same) }\n"
    for name in ("image", "input", "inputs"):
        found = recipe(f"mse(A.output, pics.{name})", head)
        assert [i.value.name for i in found.graph.of_role(Role.DATA)] == ["input"]


def test_what_comes_next_in_a_text() -> None:
    file = (
        'data book = text("romeo.txt", window=16)\n'
        "net A on book { embed(4) -> lstm(3) -> dense(book.classes) }\n"
        "train A { epochs = 1; minimize cross_entropy(A.output, book.next) }\n"
    )
    (recipe,) = lowered(file).recipes
    assert recipe.graph.inputs["next"].value.type.shape == ("N", 16)


def test_settings_of_memory_and_time_are_those_of_every_training() -> None:
    found = recipe("mse(A.output, 0)", more="memory = small; epochs = 4; batch = 8; seed = 3")
    assert (found.memory, found.length.value, found.batch, found.seed) == ("small", 4, 8, 3)
