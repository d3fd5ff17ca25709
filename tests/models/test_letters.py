"""Canon row 16: a 64-2-3 network of letters with its weights as pictures in the report."""

from __future__ import annotations

import re

from tests.models.letters import FILE, rows
from tests.models.running import MODELS


def test_the_file_is_what_its_recipe_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == "\n".join(rows()) + "\n"


def test_the_weights_are_drawn_in_the_report(nndsl, tmp_path) -> None:
    ended = nndsl("train", MODELS / "16_letters.nn", "--out", "run", "--report")
    assert (ended.code, ended.err) == (0, "")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="(unit [^"]+)"', page)
    assert [text.split(":")[0] for text in pictures] == ["unit 1", "unit 2"]
    assert all("8 x 8, from" in text for text in pictures)
