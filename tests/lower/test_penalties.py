"""The penalty of the default recipe: by the sort of target, divided by the training rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl.diagnostics import Source
from nndsl.driver import open_source
from nndsl.lower import recipe_defaults as defaults

DATA = "data d = table(x=grid(0..1, 100)) {{ target = {target}; split = [50, 50] }}\n"
NET = "net A on d {{ dense(4) -> relu -> dense({outputs}) }}\ntrain A {{ {settings} }}\n"


def planned(target: str, outputs: str, settings: str = "") -> list[tuple[str, float]]:
    text = DATA.format(target=target) + NET.format(outputs=outputs, settings=settings)
    recipe = open_source(Source("a.nn", text), Path()).module.recipes[0]
    return [(penalty.kind, penalty.coefficient) for penalty in recipe.penalties]


@pytest.mark.parametrize(
    ("target", "outputs", "strength"),
    [("x > 0.5", "d.classes", defaults.L2_OF_CLASSES), ("3 * x", "1", defaults.L2_OF_NUMBERS)],
)
def test_the_default_is_by_rows(target: str, outputs: str, strength: float) -> None:
    assert planned(target, outputs) == [("l2", strength / 50)]


def test_none_is_none() -> None:
    assert planned("3 * x", "1", "penalty = none") == []
