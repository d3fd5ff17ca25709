"""Formulas of networks: the lecture's as a golden file, those of all models as formulas."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from nndsl import driver
from nndsl.render.formula_text import WIDTH, columns_of, formulas_document, formulas_text
from nndsl.render.formulas import formulas
from nndsl.scalar.notation_text import to_plain
from tests.conftest import ROOT

MODELS = sorted((ROOT / "models").glob("*.nn"))


def formulas_of(path):
    opened = driver.open_file(path, data_needed=False)
    recipes = {recipe.net: recipe for recipe in reversed(opened.module.recipes)}
    return [formulas(n, recipes.get(n.name)) for n in opened.module.networks.values()]


@pytest.fixture(scope="module")
def lecture():
    return formulas_of(ROOT / "models" / "10_lecture.nn")


def section(found, title):
    return next(s for s in found.sections if s.title == title)


def test_the_lecture(golden, lecture):
    golden("render/lecture_formulas.txt", "\n".join(map(formulas_text, lecture)))


def test_the_lecture_as_a_document(golden, lecture):
    golden("render/lecture_formulas.tex", formulas_document(lecture))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_model(path):
    for found in formulas_of(path):
        lines = [formula for s in found.sections for formula in s.formulas]
        assert lines[0].latex.startswith("x")
        for formula in lines:
            assert formula.text
            ElementTree.fromstring(formula.mathml)
            assert formula.where == "" or "∈" in to_plain(formula.where)
        trained = any(s.title == "Loss" for s in found.sections)
        assert trained == any(s.title == "Gradients" for s in found.sections)
        for line in formulas_text(found).splitlines():
            assert columns_of(line) <= WIDTH or "line" not in line


def test_shared_weights_have_one_symbol():
    opened = driver.open_source(
        driver.Source(
            "m.nn",
            "net Shared {\n  input x: [3]\n  share mix = dense(3) -> tanh\n  mix * 2\n"
            "  dense(1)\n}\n",
        ),
        ROOT,
    )
    found = formulas(opened.module.networks["Shared"])
    texts = [formula.text for formula in section(found, "Forward").formulas]
    assert "z⁽¹′⁾ = W⁽¹⁾ a⁽¹⁾ + b⁽¹⁾" in texts
    assert "z⁽²⁾ = W⁽²⁾ a⁽¹′⁾ + b⁽²⁾" in texts


def test_an_objective_of_ones_own():
    *_, found = formulas_of(ROOT / "models" / "29_vae.nn")
    forward = [formula.text for formula in section(found, "Forward").formulas]
    assert "u₁ ∼ 𝒩(0, 1)" in forward
    assert "h₂ = z⁽²⁾ + u₁ ⊙ e^(z⁽³⁾ / 2)" in forward
    (loss,) = section(found, "Loss").formulas
    assert loss.text == (
        "E = ∑ (log(1 + e^(z⁽⁵⁾)) − x ⊙ z⁽⁵⁾) + ∑ (e^(z⁽³⁾) + (z⁽²⁾)² − z⁽³⁾ − 1) / 2"
    )


@pytest.mark.parametrize(
    ("objective", "is_mean"),
    [("mse(A.output, d.x) + 3", True), ("64 * mean(A.output) - 2 * mean(d.x)", True),
     ("sum(A.output)", False), ("mean(A.output)^2", False),
     ("sum(A.output * d.x) / sum(d.x)", False)],
)  # fmt: skip
def test_what_the_loss_of_a_batch_is(objective, is_mean):
    text = f"""data d = table(x=[1, 2], y=[1, 2]) {{ input x = x; target = y }}
        net A on d {{ dense(1) }}
        train A {{ minimize {objective} }}"""
    opened = driver.open_source(driver.Source("m.nn", text), ROOT)
    (recipe,) = opened.module.recipes
    found = formulas(opened.module.networks["A"], recipe)
    assert ("the batch's is the mean" in section(found, "Loss").remark) == is_mean


def test_updates_in_turn():
    *_, found = formulas_of(ROOT / "models" / "30_gan.nn")
    weights = [formula.text.partition(" = ")[0] for formula in section(
        found, "Gradients (update Generator)").formulas]  # fmt: skip
    assert len(weights) == 5  # none of the critic's
    (loss,) = section(found, "Loss (update Generator)").formulas
    assert "N" not in loss.text


def test_a_batch_of_formulas_without_training():
    opened = driver.open_file(ROOT / "models" / "01_gates.nn")
    found = formulas(opened.module.networks["Xor"])
    assert [s.title for s in found.sections] == ["Forward", "Functions"]
