"""Every code block of README and docs: commands run, networks are checked."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from nndsl import driver
from nndsl.cli.main import run
from nndsl.diagnostics import Severity

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}#{number}", text)
        for page in PAGES
        for number, (found, text) in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
        if found == language
    ]


@pytest.mark.parametrize(("place", "text"), blocks("nn"), ids=lambda value: value[:40])
def test_networks_are_right(place: str, text: str) -> None:
    found = driver.check_text(text, place, ROOT / "models")
    assert not [d.title for d in found if d.severity is Severity.ERROR]


@pytest.mark.parametrize(("place", "text"), blocks("sh"), ids=lambda value: value[:40])
def test_commands_run(
    place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    for line in text.splitlines():
        if line.startswith("nndsl "):
            assert run(line.split()[1:]) == 0, line


def test_the_example_is_the_model() -> None:
    example = next(text for place, text in blocks("nn") if place.startswith("README"))
    model = (ROOT / "models" / "iris.nn").read_text("utf-8")
    assert example.strip() in model
