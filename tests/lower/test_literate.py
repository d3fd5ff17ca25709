"""The Markdown files of messages: each `nn` block gives the `text` block below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lower.helpers import rendered

FOLDER = Path(__file__).resolve().parents[1] / "literate"
FILES = ("shapes", "images", "sequences", "names", "arguments", "lints")
CASE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```nn\n(?P<source>.*?)```\n"
    r"(?:\n```text\n(?P<shown>.*?)```\n)?",
    re.DOTALL | re.MULTILINE,
)


def cases() -> list[tuple[str, str, str, str]]:
    return [
        (name, found["title"], found["source"], found["shown"] or "")
        for name in FILES
        for found in CASE.finditer((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    ]


def test_literate_files_are_up_to_date(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--update-golden"):
        return
    for name in FILES:
        path = FOLDER / f"{name}.md"
        text = path.read_text(encoding="utf-8")

        def with_messages(found: re.Match[str]) -> str:
            shown = rendered(found["source"])
            return f"## {found['title']}\n\n```nn\n{found['source']}```\n\n```text\n{shown}\n```\n"

        path.write_text(CASE.sub(with_messages, text), encoding="utf-8")


@pytest.mark.parametrize(("file", "title", "source", "shown"), cases())
def test_messages(
    file: str, title: str, source: str, shown: str, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--update-golden"):
        pytest.skip("being rewritten")
    actual = rendered(source)
    assert actual + "\n" == shown
    for line in actual.splitlines():
        assert len(line) <= 100
    for message in actual.split("\n\n"):
        assert len(message.splitlines()) <= 12
        assert "Traceback" not in message
