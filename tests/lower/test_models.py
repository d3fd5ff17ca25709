"""The canon's files lower with and without their data; golden graphs of three of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nndsl.diagnostics import Source
from nndsl.ir.text import print_graph
from nndsl.ir.verify import verify
from nndsl.lower import lower
from nndsl.syntax.parser import parse
from tests.lower.helpers import MODELS, has_local_data, lowered

FILES = sorted(MODELS.glob("*.nn"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_models_without_their_data(path) -> None:
    module = lower(parse(Source(path.name, path.read_text(encoding="utf-8"))), {})
    assert {d.code for d in module.lints} <= {"NN807"}
    for network in module.networks.values():
        verify(network.graph)


@pytest.mark.parametrize("path", [p for p in FILES if has_local_data(p)], ids=lambda p: p.stem)
def test_models_with_their_data(path) -> None:
    module = lowered(path.read_text(encoding="utf-8"))
    for network in module.networks.values():
        verify(network.graph)
        assert network.graph.outputs
    for recipe in module.recipes:
        assert recipe.evaluation is not None
        verify(recipe.graph)
        verify(recipe.evaluation)


@pytest.mark.parametrize("name", ["iris", "13_keras_mlp", "14_two_branches"])
def test_golden_graphs(name: str, golden: Callable[[str, str], None]) -> None:
    module = lowered((MODELS / f"{name}.nn").read_text(encoding="utf-8"))
    (recipe,) = module.recipes
    (network,) = module.networks.values()
    texts = [
        f"# inference\n{print_graph(network.graph)}",
        f"# training\n{print_graph(recipe.graph)}",
    ]
    golden(f"lower/{name}.txt", "\n".join(texts))


@pytest.mark.parametrize("name", ["iris", "13_keras_mlp"])
def test_lowering_repeats(name: str) -> None:
    text = (MODELS / f"{name}.nn").read_text(encoding="utf-8")
    first, second = (print_graph(lowered(text).recipes[0].graph) for _ in range(2))
    assert first == second
