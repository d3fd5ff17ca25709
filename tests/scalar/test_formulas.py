import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import constant, variable
from nndsl.scalar.functions import absolute, clip, exp, maximum, minimum, sqrt, tanh, where
from nndsl.scalar.latex import DIGITS, formula, name_latex, number_latex, piece_of
from nndsl.scalar.notation import NotationError
from nndsl.scalar.notation_mathml import to_mathml
from nndsl.scalar.notation_text import to_plain
from nndsl.scalar.piece import Level
from tests.scalar.formulas import registry_expressions, samples, value_of_text

x, y, alpha = variable("x"), variable("y"), variable("alpha")
NAMED = dict(registry_expressions())
every_formula = pytest.mark.parametrize("name", NAMED)


def to_latex(expression, names=None):
    return piece_of(expression, names)[0]


def plain(expression):
    return to_plain(formula(expression))


@every_formula
def test_text_means_the_expression(name):
    expression = NAMED[name]
    values = samples(expression)
    with np.errstate(all="ignore"):
        wanted = evaluate(expression, values)
        found = value_of_text(plain(expression), values)
    found, wanted = (value * np.ones(40) for value in (found, wanted))
    is_number = np.isfinite(wanted)
    np.testing.assert_allclose(found[is_number], wanted[is_number], rtol=1e-4, atol=1e-5)


@every_formula
def test_latex_is_balanced(name):
    latex = formula(NAMED[name])
    unescaped = re.sub(r"\\[{}_]", "", latex)
    assert unescaped.count("{") == unescaped.count("}")
    assert latex.count(r"\left") == latex.count(r"\right") + latex.count(r"\leftarrow")
    assert latex.count(r"\begin{cases}") == latex.count(r"\end{cases}")
    assert "nan" not in latex and "--" not in latex.replace(" ", "")


@every_formula
def test_mathml_is_xml(name):
    ElementTree.fromstring(to_mathml(formula(NAMED[name])))


@pytest.mark.parametrize(
    "expression, shown",
    [
        (where(x <= 0, alpha * (exp(x) - 1), x), "x if x > 0 else α (eˣ − 1)"),
        (maximum(x, 0), "max(0, x)"),
        (minimum(x / y, 1), "min(1, x/y)"),
        (clip(x / 6 + 0.5, 0, 1), "0 if x ≤ −3 else x/6 + 1/2 if −3 < x < 3 else 1"),
        (1 - tanh(x) * tanh(x), "1 − tanh(x)²"),
        (1 / (2 * sqrt(x)), "1 / (2 √x)"),
        ((x + y) / (x - y), "(x + y) / (x − y)"),
        (x / (y * alpha), "x / (y α)"),
        (x * (x / y), "x²/y"),
        (-(x - y), "y − x"),
        (exp(-(x * x)), "e^(−x²)"),
        (absolute(x) * absolute(x), "|x|²"),
        (0.1 * x - 1e-8, "0.1 x − 10⁻⁸"),
        ((1 + x / alpha) ** -y, "(1 + x/α)⁻ʸ"),
        (variable("decay") * x, "decay · x"),
    ],
)  # fmt: skip
def test_as_a_textbook_writes_it(expression, shown):
    assert plain(expression) == shown


@pytest.mark.parametrize(
    "value, shown",
    [
        (0.0, "0"), (3.0, "3"), (0.5, "1/2"), (2 / 3, "2/3"), (0.9, "0.9"), (1e-8, "10⁻⁸"),
        (2.5e-7, "2.5 · 10⁻⁷"), (np.pi, "π"), (np.pi / 2, "(1/2) π"),
        (np.sqrt(2 / np.pi), "√(2/π)"),
        (np.log(2), "log(2)"), (np.sqrt(2), "√2"), (-0.25, "−0.25"), (1.7159, "1.7159"),
        (np.inf, "∞"), (1.0507009873554805, "1.0507"),
    ],
)  # fmt: skip
def test_numbers(value, shown):
    assert to_plain(number_latex(float(value))) == shown


@pytest.mark.parametrize("value", np.geomspace(1e-9, 1e9, 200))
def test_numbers_mean_themselves(value):
    found = value_of_text(to_plain(number_latex(float(value))), {})
    assert found == pytest.approx(value, rel=10.0**-DIGITS * 5)


@pytest.mark.parametrize(
    "name, latex",
    [("x", "x"), ("beta1", r"\beta_{1}"), ("lr", r"\eta"), ("eps", r"\epsilon"),
     ("next_v", r"\mathrm{next\_v}"), ("width", r"\mathrm{width}"), ("x0", "x_{0}")],
)  # fmt: skip
def test_names(name, latex):
    assert name_latex(name) == latex


def test_brackets_only_where_needed():
    assert to_latex((x + y) * x) == r"\left(x + y\right) \, x"
    assert to_latex(x * y + x) == r"x \, y + x"
    assert to_latex(exp(x) ** y) == r"\left(e^{x}\right)^{y}"
    assert to_latex(x - (y - alpha)) == r"x - \left(y - \alpha\right)"
    assert to_latex(x * -constant(2.0)) == r"-2 \, x"


def test_variables_under_other_names():
    assert to_latex(x * y, {"x": ("z^{(1)}", Level.LEAF)}) == r"z^{(1)} \, y"


@pytest.mark.parametrize(
    "latex, shown",
    [
        (r"\delta^{(l)} = \left({W^{(l+1)}}^{\top} \, \delta^{(l+1)}\right) \odot f'\left(z\right)",
         "δ⁽ˡ⁾ = (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾) ⊙ f′(z)"),
        (r"x \in \mathbb{R}^{6 \times 4}", "x ∈ ℝ⁶ˣ⁴"),
        (r"\hat{y}_{k} \leftarrow \sum_{k} \, t_{k}", "ŷₖ ← ∑ₖ tₖ"),
        (r"\frac{a}{b} \, c", "(a/b) c"),
        (r"\mathrm{next\_v}_{t-1}", "next_vₜ₋₁"),
        (r"\text{mean of } x", "mean of x"),
    ],
)  # fmt: skip
def test_notation_of_tensors(latex, shown):
    assert to_plain(latex) == shown
    ElementTree.fromstring(to_mathml(latex))


@pytest.mark.parametrize(
    "wrong",
    [
        r"\frac{a}",
        "{a",
        "a}",
        r"\left(a",
        r"\unknown",
        "x^{1}^{2}",
        "x_{1}_{2}",
        r"\begin{cases} a \end{cases}",
    ],
)
def test_what_is_no_formula(wrong):
    with pytest.raises(NotationError):
        to_plain(wrong)
