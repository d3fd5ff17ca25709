"""Every code block of README and docs: commands run, networks are checked."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest

from nndsl import driver
from nndsl.cli.main import Verbs, run
from nndsl.diagnostics import Severity

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
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


@pytest.mark.parametrize(("place", "text"), blocks("python"), ids=lambda value: value[:40])
def test_programs_run(
    place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    exec(compile(text, place, "exec"), {"__name__": "__main__"})


def test_the_example_is_the_model() -> None:
    example = next(text for place, text in blocks("nn") if place.startswith("README"))
    model = (ROOT / "models" / "iris.nn").read_text("utf-8")
    assert example.strip() in model


def test_the_mistake_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "models", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    model = (tmp_path / "iris.nn").read_text("utf-8")
    (tmp_path / "iris.nn").write_text(model.replace("iris.classes", "2"), "utf-8")
    assert run(["check", "iris.nn"]) == 3
    told = next(text for place, text in blocks("text") if place.startswith("README"))
    assert capsys.readouterr().err.strip() == told.strip()


@pytest.mark.parametrize("verb", ["", *Verbs().list_commands(None)])
def test_help_is_plain_text(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*verb.split(), "--help"]) == 0
    told = capsys.readouterr().out
    assert "\\" not in told
    assert all(len(line) <= 100 for line in told.splitlines())


def test_the_reference_of_words_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "make_words.py"))
    wanted = script["files"]()
    there = {*(ROOT / "docs" / "reference").rglob("*.*"), script["PAGE"]}
    assert there == set(wanted), "run `python docs/make_words.py`"
    stale = [path.name for path, text in wanted.items() if path.read_text("utf-8") != text]
    assert not stale, "run `python docs/make_words.py`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            titles = HEADING.findall(target.read_text("utf-8"))
            assert anchor in [_anchor(title) for title in titles], link


def _anchor(title: str) -> str:
    """What a heading is called in links."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
