"""`split`: one tensor taken apart, of lists, signals and images."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl import compilation
from nndsl.diagnostics import NndslError
from nndsl.lower.result import Module
from tests.lower.helpers import lowered


def net(shape: str, body: str) -> Module:
    return lowered(f"net A {{\n  input x: {shape}\n  {body}\n}}\n")


def answer(shape: str, body: str, x: np.ndarray) -> list[np.ndarray]:
    compiled = compilation.compile_prediction(net(shape, body).networks["A"], precision="float64")
    found = compiled.executable.evaluate({"input": x})
    return list(found.values())


@pytest.mark.parametrize(
    ("shape", "body", "places"),
    [
        ("[6]", "(a, b) = x -> split(2)\n (a, b)", [3]),
        ("[6]", "(a, b, c) = x -> split([1, 2, 3])\n (a, b, c)", [1, 3]),
        ("6x4x5", "(a, b, c) = x -> split(3)\n (a, b, c)", [2, 4]),
        ("6x7", "(a, b) = x -> split([4, 2])\n (a, b)", [4]),
        ("[6]", "(a, b) = split(2)\n (a, b)", [3]),
    ],
)
def test_parts_in_their_order(shape: str, body: str, places: list[int]) -> None:
    sizes = [6] if shape == "[6]" else [int(s) for s in shape.split("x")]
    x = np.random.default_rng(0).standard_normal((3, *sizes))
    for found, wanted in zip(answer(shape, body, x), np.split(x, places, axis=1), strict=True):
        np.testing.assert_allclose(found, wanted)


def test_concat_puts_together_what_split_takes_apart() -> None:
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 4))
    (found,) = answer("6x4x4", "split([1, 2, 3]) -> concat", x)
    np.testing.assert_allclose(found, x)


def test_one_part_is_the_tensor_itself() -> None:
    x = np.ones((2, 6))
    (found,) = answer("[6]", "split(1) -> scale(2)", x)
    np.testing.assert_allclose(found, 2 * x)


def test_each_part_has_a_name() -> None:
    parts = net("8x4x4", "(a, b) = x -> split(2)\n a * b").networks["A"].parts
    assert [part.path for part in parts] == ["split[1]", "split[2]"]


@pytest.mark.parametrize(
    ("body", "code", "title"),
    [
        ("split(4) -> concat", "NN203", "6 channels cannot be split in 4 equal parts"),
        ("split([2, 3]) -> concat", "NN203", "6 channels are not split by 2 + 3, which is 5"),
        ("(a, b, c) = x -> split(2)\n a", "NN211", "3 names for 2 results"),
        ("split -> concat", "NN312", "parts"),
        ("split(0) -> concat", "NN314", "parts"),
    ],
)
def test_mistakes(body: str, code: str, title: str) -> None:
    with pytest.raises(NndslError) as caught:
        net("6x4x4", body)
    first = caught.value.diagnostics[0]
    assert first.code == code and title in first.title
