"""Stages as summaries and diagrams show them: values in place of names."""

import pytest

from tests.models.running import opened_text

BLOCKS = """block unit(c, k=1, act=relu) { conv(c, k, pad=(k - 1) / 2) -> act }
block chain(part, sizes, scale=2) { for c in sizes { part(c * scale, 3) } }
"""


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("unit(4)", ["unit(4)", "conv(4, 1, pad=0)", "relu"]),
        ("unit(2 * 3, act=tanh)", ["unit(6, act=tanh)", "conv(6, 1, pad=0)", "tanh"]),
        ("chain(unit, [4])", ["chain(unit, [4])", "unit(8, 3)", "conv(8, 3, pad=1)", "relu"]),
        ("conv(3, 1, weights=[[1], [2], [3]])", ["conv(3, 1, weights=[[1], [2], [3]])"]),
        ("leaky_relu(1e-3) -> id", ["leaky_relu(1e-3)", "id"]),
        ("(relu -> tanh) * 2", ["relu", "tanh", "relu", "tanh"]),
    ],
)
def test_values_stand_for_names(stage: str, shown: list[str]) -> None:
    module = opened_text(f"{BLOCKS}net A {{ input x: 1x4x4; {stage} }}\n").module
    assert [part.shown for part in module.networks["A"].parts] == shown


def test_a_bare_block_at_the_start_of_a_chain_is_its_name() -> None:
    text = "block half() { maxpool(2) }\nnet A { input x: 1x8x8; half -> relu * 2 }\n"
    parts = opened_text(text).module.networks["A"].parts
    assert [part.shown for part in parts] == ["half", "maxpool(2)", "relu", "relu"]
