"""Recurrences as formulas: a line for each gate, as lectures write them, and back through time."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import Source
from nndsl.driver import open_source
from nndsl.render.formulas import formulas
from tests.lower.helpers import lowered
from tests.render.test_diagram_recurrences import CELL


def lines(body: str, title: str = "Forward", shape: str = "[T, 3]") -> list[str]:
    network = lowered(f"{CELL}net A {{\n  input x: {shape}\n  {body}\n}}\n").networks["A"]
    (section,) = [s for s in formulas(network).sections if s.title == title]
    return [line.text for line in section.formulas]


def test_an_lstm_gate_by_gate() -> None:
    found = lines("lstm(4) -> last -> dense(2)")
    for expected in (
        "iₜ = σ(Wᵢ xₜ + Uᵢ hₜ₋₁ + bᵢ)",
        "fₜ = σ(W_f xₜ + U_f hₜ₋₁ + b_f)",
        "gₜ = tanh(W_g xₜ + U_g hₜ₋₁ + b_g)",
        "cₜ = fₜ ⊙ cₜ₋₁ + iₜ ⊙ gₜ",
        "oₜ = σ(Wₒ xₜ + Uₒ hₜ₋₁ + bₒ)",
        "hₜ = oₜ ⊙ tanh(cₜ)",
        "h₀ = 0,  c₀ = 0",
        "W = [Wᵢ; W_f; W_g; Wₒ]",
        "z⁽²⁾ = W⁽²⁾ h_T + b⁽²⁾",
    ):
        assert expected in found


@pytest.mark.parametrize(
    ("reset", "line"),
    [
        ("after", "nₜ = tanh(Wₙ xₜ + bₙ + rₜ ⊙ (Uₙ hₜ₋₁ + b̃))"),
        ("before", "nₜ = tanh(Wₙ xₜ + bₙ + Uₙ (rₜ ⊙ hₜ₋₁))"),
    ],
)
def test_the_reset_of_a_gru(reset: str, line: str) -> None:
    found = lines(f"gru(4, reset={reset})")
    assert line in found
    assert "hₜ = (1 − zₜ) ⊙ nₜ + zₜ ⊙ hₜ₋₁" in found


def test_peepholes_see_the_memory() -> None:
    found = lines("lstm(4, peepholes=true)")
    assert "iₜ = σ(Wᵢ xₜ + Uᵢ hₜ₋₁ + bᵢ + Vᵢ ⊙ cₜ₋₁)" in found
    assert "oₜ = σ(Wₒ xₜ + Uₒ hₜ₋₁ + bₒ + Vₒ ⊙ cₜ)" in found


def test_the_lines_of_a_cell() -> None:
    found = lines("mgu(4)")
    assert found[1:4] == [
        "fₜ = σ(W_f xₜ + U_f hₜ₋₁ + b_f)",
        "cₜ = tanh(W_c xₜ + U_c (fₜ ⊙ hₜ₋₁) + b_c)",
        "hₜ = (1 − fₜ) ⊙ hₜ₋₁ + fₜ ⊙ cₜ",
    ]


def test_the_other_direction_goes_back() -> None:
    found = lines("both(rnn(4)) -> last")
    assert "hₜ⁽¹⁾ = tanh(W⁽¹⁾ xₜ + U⁽¹⁾ hₜ₋₁⁽¹⁾ + b⁽¹⁾)" in found
    assert "hₜ⁽²⁾ = tanh(W⁽²⁾ xₜ + U⁽²⁾ hₜ₊₁⁽²⁾ + b⁽²⁾)" in found
    assert any("[h_T⁽¹⁾; h₁⁽²⁾]" in line for line in found)


def test_what_settles() -> None:
    body = "settle(dense(3) -> saturate, limit=9)"
    assert lines(body, shape="[3]")[1:] == ["yₜ = saturate(W yₜ₋₁ + b)", "y₀ = x", "ŷ = y₉"]
    assert "saturate(z) = 0 if z ≤ 0 else z if 0 < z < 1 else 1" in lines(body, "Functions", "[3]")


def test_back_through_time(tmp_path) -> None:
    (tmp_path / "w.csv").write_text("a,b,y\n" + "0,1,yes\n1,0,no\n" * 10)
    text = (
        'data w = csv("w.csv", target=y) { input words = [a, b] -> ids(2) }\n'
        "net A on w { embed(3) -> lstm(2) -> last -> dense(w.classes) -> softmax }\n"
        "train A { epochs = 1 }\n"
    )
    module = open_source(Source("m.nn", text), tmp_path).module
    sections = {s.title: s for s in formulas(module.networks["A"], module.recipes[0]).sections}
    back = [line.text for line in sections["Back-propagation"].formulas]
    assert back[1:] == [
        "sₜ = [hₜ; cₜ]",
        "∂E/∂s₂ = [W⁽²⁾ᵀ δ⁽²⁾; 0]",
        "∂E/∂sₜ = (∂sₜ₊₁/∂sₜ)ᵀ (∂E/∂sₜ₊₁)",
    ]
    gradients = [line.text for line in sections["Gradients"].formulas]
    assert "∂E/∂U = ∑ₜ (∂sₜ/∂U)ᵀ (∂E/∂sₜ)" in gradients
