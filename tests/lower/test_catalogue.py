"""Every code that lowering raises has a page, whose examples do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nndsl.catalogue import codes as pages
from nndsl.catalogue import page
from tests.lower.helpers import codes

LOWER = Path(__file__).resolve().parents[2] / "nndsl" / "lower"
EXAMPLE = re.compile(r"```nn\n(.*?)```", re.DOTALL)
RAISED = sorted(
    {code for path in LOWER.glob("*.py") for code in re.findall(r'"(NN\d{3})"', path.read_text())}
)
OWN = [c for c in pages() if c[:3] in ("NN2", "NN3", "NN8", "NN9") and c in RAISED]


def test_every_code_has_a_page() -> None:
    assert not set(RAISED) - set(pages())


@pytest.mark.parametrize("code", OWN)
def test_examples(code: str) -> None:
    bad, *_, good = EXAMPLE.findall(page(code))
    assert code in codes(bad)
    assert code not in codes(good)
    assert len(codes(good)) == 0
