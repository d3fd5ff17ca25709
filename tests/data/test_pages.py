"""Every code that `nndsl.data` raises has a page, and no page about data is left over."""

from __future__ import annotations

import re
from pathlib import Path

from nndsl import catalogue


def codes_in(folder: Path) -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return {code for text in texts for code in re.findall(r'"(NN[0-9]{3})"', text)}


def test_codes_and_pages_agree(root: Path) -> None:
    pages = set(catalogue.codes())
    assert codes_in(root / "nndsl" / "data") <= pages
    assert {code for code in pages if code.startswith("NN4")} <= codes_in(root / "nndsl")
