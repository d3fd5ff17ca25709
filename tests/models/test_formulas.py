"""Canon row 44: the formulas of networks, printed; what they mean is tested in tests/render."""

from __future__ import annotations

from tests.models.running import MODELS


def test_the_file_trains_and_its_expectation_holds(nndsl) -> None:
    ended = nndsl("train", MODELS / "44_formulas.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_branches_gates_and_shared_weights_are_explained(nndsl) -> None:
    ended = nndsl("explain", MODELS / "44_formulas.nn")
    assert (ended.code, ended.err) == (0, "")
    for line in (
        "ẑ⁽¹⁾ = γ⁽¹⁾ ⊙ standardize(z⁽¹⁾) + β⁽¹⁾",
        "z⁽²′⁾ = W⁽²⁾ a⁽²⁾ + b⁽²⁾",  # the second use of shared weights
        "∂E/∂W⁽²⁾ = δ⁽²′⁾ a⁽²⁾ᵀ + δ⁽²⁾ ã⁽¹⁾ᵀ",
        "h₂ = z⁽³⁾ ⊙ a⁽⁴⁾",
        "δ⁽⁴⁾ = ((∂E/∂h₂) ⊙ z⁽³⁾) ⊙ σ′(z⁽⁴⁾)",
    ):
        assert line in ended.out


def test_the_lecture_is_explained_as_on_its_slide(nndsl) -> None:
    told = nndsl("explain", MODELS / "10_lecture.nn").out
    for line in (
        "z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾",
        "a⁽¹⁾ = elu(z⁽¹⁾)",
        "elu′(z) = 1 if z > 0 else eᶻ",
        "E = −∑ₖ tₖ log(aₖ⁽³⁾)",
        "δ⁽³⁾ = a⁽³⁾ − t",
        "δ⁽ˡ⁾ = (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾) ⊙ elu′(z⁽ˡ⁾)",
        "∂E/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ",
        "vₜ₊₁ = β vₜ − η gₜ",
        "wₜ₊₁ = wₜ + vₜ₊₁",
        "η = 0.05 · 0.1^(t/500)",
        "W⁽¹⁾ ∼ 𝒩(0, 2/11)",
        "b⁽¹⁾ = 0.1",
    ):
        assert line in told, line
