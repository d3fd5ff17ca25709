"""What holds for every file of the canon: short, in canonical form, right gradients."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import Source
from nndsl.syntax.format import format_text
from tests.lower.helpers import has_local_data
from tests.models.running import MODELS

FILES = sorted(MODELS.glob("*.nn"))
TRAINED = [  # the others are tested where their data are
    path for path in FILES
    if "\ntrain " in path.read_text(encoding="utf-8") and has_local_data(path)
]  # fmt: skip
SLOW = ("24_", "25_", "27_")  # deep networks of images, long sequences
GRADIENTS = [
    pytest.param(path, marks=pytest.mark.slow) if path.stem.startswith(SLOW) else path
    for path in TRAINED
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_short_and_in_canonical_form(path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 60
    assert format_text(Source(path.name, text)) == text


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_checked_without_a_complaint(path, nndsl) -> None:
    ended = nndsl("check", path)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("path", GRADIENTS, ids=lambda p: p.stem)
def test_gradients_are_those_of_finite_differences(path, nndsl) -> None:
    ended = nndsl("check", "--grad", path)
    assert ended.code == 0, ended.out
    assert ", worst " in ended.out
    assert "DIFFERS" not in ended.out
