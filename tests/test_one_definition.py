"""A word is told once: what a new activation, optimizer or layer costs, counted.

Each test writes the definition into a file of its own, counts its statements, imports it, and then
uses everything that is to follow from it; no other file is touched.
"""

from __future__ import annotations

import ast
import importlib.util
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import nndsl
from nndsl import driver
from nndsl.model.gradient_check import check_gradients
from nndsl.render.formulas import formulas
from nndsl.render.word_page import word_page
from nndsl.render.word_sorts import by_name
from nndsl.render.word_text import page_text
from nndsl.scalar.latex import formula as latex
from nndsl.vocab import activations, optimizers, registry, schedules
from nndsl.vocab.kinds import Activation
from nndsl.vocab.registry import Word, words
from tests.vocab import test_activations as of_activations

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = ROOT / "nndsl" / "vocab"

ACTIVATION = """\
activation("bent", x + 0.5 * (sqrt(x * x + 1) - 1), "The identity, bent at 0.", "A paper, 2026")
"""
OPTIMIZER = """\
optimizer("averaged", "Steps along the mean of gradient and velocity.", "A paper, 2026",
          {"v": beta * v + g, "p": p - lr * (0.5 * (g + next_v))},
          lr=rate(), beta=Real(0.5, "share of the velocity kept", ge=0, lt=1, schedule=True))
"""
SCHEDULE = """\
schedule("rest", 1 - progress * progress, "From 1 to 0, slowly at first.", GERON, length=LENGTH)
"""
LAYER = '''\
"""gain: every feature times a learnt number."""

from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.params import Real
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import register


def _make(context, operands, arguments):
    (x,) = operands
    gain = context.parameter("gain", x.type.shape[-1:], values=arguments["start"], decays=False)
    return add_map(context.build, operand(0) * operand(1), x, gain, name="gain")


register(
    Layer("gain", {"start": Real(1.0, "where the numbers start")},
          "Every feature times a learnt number.", "A paper, 2026", _make),
    example="gain(start=2)",
)
'''
NETWORK = """\
data d = table(u=[1, 2, 3, 4, 5, 6], y=[2.5, 1, 4, 3, 6, 5]) {{ target = y; split = all }}
net N on d {{ {stages} -> dense(1) }}
train N {{ optimizer = {optimizer}; epochs = 4; batch = 3; keep = last }}
"""

Add = Callable[[str, str], Word]


@pytest.fixture
def add(tmp_path: Path) -> Iterator[Add]:
    """Import a text as a module of its own; the words that it registers are gone afterwards."""
    before = {sort: set(names) for sort, names in registry.registries().items()}

    def added(sort: str, text: str) -> Word:
        path = tmp_path / f"new_{sort}.py"
        path.write_text(text, encoding="utf-8")
        description = importlib.util.spec_from_file_location(path.stem, path)
        assert description is not None
        assert description.loader is not None
        description.loader.exec_module(importlib.util.module_from_spec(description))
        (name,) = set(words(sort)) - before[sort]
        return words(sort)[name]

    yield added
    for sort, names in before.items():
        for name in set(words(sort)) - names:
            del registry._words[sort][name]
            registry._examples.pop((sort, name), None)


def with_names_of(module: object, text: str) -> str:
    """A statement as it would stand at the end of a module of the product."""
    assert len(ast.parse(text).body) == 1, "one statement"
    read = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    return f"from {module.__name__} import {', '.join(sorted(read))}\n\n{text}"


def opened(stages: str = "dense(4) -> tanh", optimizer: str = "sgd(0.1)") -> driver.Opened:
    text = NETWORK.format(stages=stages, optimizer=optimizer)
    return driver.open_source(driver.Source("n.nn", text), Path())


def complaints(stages: str = "dense(4) -> tanh", optimizer: str = "sgd(0.1)") -> list[str]:
    found = driver.check_text(NETWORK.format(stages=stages, optimizer=optimizer))
    return [" ".join((problem.code, problem.title, *problem.help)) for problem in found]


def model(tmp_path: Path, stages: str, optimizer: str = "sgd(0.1)") -> nndsl.Model:
    path = tmp_path / "n.nn"
    path.write_text(NETWORK.format(stages=stages, optimizer=optimizer))
    return nndsl.load(path, precision="float64")


def assert_gradients(stages: str) -> None:
    """The compiled gradients are those of finite differences."""
    found = opened(stages)
    (recipe,) = found.module.recipes
    checks = list(check_gradients(recipe, found.module.networks["N"]))
    assert checks
    assert all(check.agrees for check in checks)


def assert_row_in_the_manual(word: Word) -> None:
    """A row in the list of all words, and a page with formula, arguments, example, source."""
    listed = runpy.run_path(str(ROOT / "docs" / "make_words.py"))["page"]()
    assert any(f"`{word.name}`" in line and word.doc in line for line in listed.splitlines())
    (found,) = by_name(word.name)
    page = page_text(word_page(*found))
    told = [word.doc, word.see, "example", *word.parameters]
    assert all(text in page for text in told), page


def equations(stages: str, optimizer: str = "sgd(0.1)") -> str:
    found = opened(stages, optimizer)
    (recipe,) = found.module.recipes
    sections = formulas(found.module.networks["N"], recipe).sections
    return "\n".join(f.latex for section in sections for f in section.formulas)


# --- an activation: one line ----------------------------------------------------------------


def test_an_activation_is_one_line(add: Add, tmp_path: Path, rng: np.random.Generator) -> None:
    assert ACTIVATION.count("\n") == 1
    word = add("activation", with_names_of(activations, ACTIVATION))
    assert isinstance(word, Activation)
    stages = "dense(4) -> bent"
    assert complaints(stages) == []
    (told,) = complaints("dense(4) -> bnet")
    assert "NN301" in told
    assert "`bent`" in told
    network = model(tmp_path, stages)
    x = rng.normal(size=(5, 1))
    sums = x @ network.weights["dense[1].weight"].T + network.weights["dense[1].bias"]
    hidden = sums + 0.5 * (np.sqrt(sums**2 + 1) - 1)
    answers = hidden @ network.weights["dense[2].weight"].T + network.weights["dense[2].bias"]
    np.testing.assert_allclose(network.predict(x), answers, rtol=1e-12)
    assert_gradients(stages)
    assert_row_in_the_manual(word)
    assert latex(word.expression) in equations(stages).replace("z", "x")


def test_the_tests_of_activations_follow(add: Add, rng: np.random.Generator) -> None:
    add("activation", with_names_of(activations, ACTIVATION))
    of_activations.test_derivative_against_central_differences("bent", rng)
    of_activations.test_the_output_form_of_the_derivative_is_the_same("bent", rng)
    of_activations.test_nan_is_passed_on("bent")
    of_activations.test_definitions_are_written_in_x_and_their_arguments("bent")


# --- an optimizer, a schedule: one definition -----------------------------------------------


def test_an_optimizer_is_one_statement(add: Add, tmp_path: Path) -> None:
    word = add("optimizer", with_names_of(optimizers, OPTIMIZER))
    assert complaints(optimizer="averaged(0.1 * cosine)") == []
    assert "`beta`" in complaints(optimizer="averaged(0.1, bta=0.2)")[0]
    assert "below 1" in complaints(optimizer="averaged(0.1, beta=1)")[0]
    network = model(tmp_path, "dense(2) -> tanh", "averaged(0.1, beta=0.4)")
    x, y = np.array([[0.5], [-1.0], [0.25]]), np.array([[1.0], [0.0], [-1.0]])
    weights = {name: np.array(array) for name, array in network.weights.items()}
    velocity = {name: np.zeros_like(array) for name, array in weights.items()}
    for _ in range(3):
        _, gradients = network.loss_and_gradients(x, y)
        network.train_step(x, y)
        for name, gradient in gradients.items():
            velocity[name] = 0.4 * velocity[name] + gradient
            weights[name] -= 0.1 * 0.5 * (gradient + velocity[name])
            np.testing.assert_allclose(network.weights[name], weights[name], rtol=1e-12)
    assert_row_in_the_manual(word)
    assert r"\beta" in equations("dense(2) -> tanh", "averaged(0.1)")


def test_a_schedule_is_one_statement(add: Add, tmp_path: Path) -> None:
    word = add("schedule", with_names_of(schedules, SCHEDULE))
    assert complaints(optimizer="sgd(0.1 * rest)") == []
    network = model(tmp_path, "dense(2) -> tanh", "sgd(0.1 * rest)")
    x, y = np.array([[0.5], [-1.0]]), np.array([[1.0], [0.0]])
    before = {name: np.array(array) for name, array in network.weights.items()}
    for step in range(3):  # of eight: 4 epochs of 6 rows in batches of 3
        _, gradients = network.loss_and_gradients(x, y)
        network.train_step(x, y)
        for name, gradient in gradients.items():
            before[name] -= 0.1 * (1 - (step / 8) ** 2) * gradient
            np.testing.assert_allclose(network.weights[name], before[name], rtol=1e-12)
    assert_row_in_the_manual(word)


# --- a layer: one file ----------------------------------------------------------------------


def test_a_layer_is_one_file(add: Add, tmp_path: Path, rng: np.random.Generator) -> None:
    word = add("layer", LAYER)
    stages = "dense(4) -> gain(start=2) -> tanh"
    assert complaints(stages) == []
    assert "`start`" in complaints("dense(4) -> gain(strat=2)")[0]
    network = model(tmp_path, stages)
    network.weights["gain.gain"] = np.array([1.0, -1.0, 0.5, 3.0])
    x = rng.normal(size=(5, 1))
    sums = x @ network.weights["dense[1].weight"].T + network.weights["dense[1].bias"]
    hidden = np.tanh(sums * network.weights["gain.gain"])
    answers = hidden @ network.weights["dense[2].weight"].T + network.weights["dense[2].bias"]
    np.testing.assert_allclose(network.predict(x), answers, rtol=1e-12)
    assert_gradients(stages)
    assert_row_in_the_manual(word)


def test_files_of_layers_are_found() -> None:
    """A file in the folder is imported without being named anywhere."""
    files = {path.stem for path in (VOCABULARY / "layers").glob("*.py")} - {"__init__"}
    assert files
    for path in (ROOT / "nndsl").rglob("*.py"):
        if path.parent.name == "layers":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "nndsl.vocab.layers":
                assert not files & {name.name for name in node.names}, path


# --- what there is, counted -----------------------------------------------------------------


@pytest.mark.parametrize("sort", ["activation", "optimizer", "schedule"])
def test_every_word_is_one_statement_of_one_file(sort: str) -> None:
    path = VOCABULARY / f"{sort}s.py"
    statements = [
        node.value for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]  # fmt: skip
    named = [call.args[0] for call in statements if isinstance(call.func, ast.Name)
             and call.func.id == sort]  # fmt: skip
    assert [n.value for n in named if isinstance(n, ast.Constant)] == list(words(sort))
