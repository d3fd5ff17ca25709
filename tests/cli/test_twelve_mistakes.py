"""`tests/literate/twelve_mistakes.md`: what the command line says, word for word."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "literate" / "twelve_mistakes.md"
CASE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```nn\n(?P<source>.*?)```\n"
    r"(?:\n```csv\n(?P<table>.*?)```\n)?"
    r"\n```sh\n(?P<command>[^\n]*)\n```\n"
    r"\n```text\n(?P<said>.*?)```\n",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Case:
    title: str
    source: str
    table: str | None
    command: str
    said: str
    place: tuple[int, int]


def cases() -> list[Case]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Case(f["title"], f["source"], f["table"], f["command"], f["said"], f.span("said"))
        for f in CASE.finditer(text)
    ]


def said(nndsl, place: Path, case: Case) -> str:
    (place / "m.nn").write_text(case.source)
    if case.table is not None:
        (place / "small.csv").write_text(case.table)
    for command in case.command.split(" && "):
        ended = nndsl(*shlex.split(command)[1:])
    shown = re.sub(r"\b\d+\.\d+", "0.0", ended.out) + ended.err
    return f"{shown.rstrip()}\n\nexit code {ended.code}\n"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_what_is_said(nndsl, place, request, case):
    found = said(nndsl, place, case)
    if request.config.getoption("--update-golden"):
        text = PAGE.read_text(encoding="utf-8")
        at = text.index("```text\n", text.index(f"## {case.title}\n")) + len("```text\n")
        PAGE.write_text(text[:at] + found + text[text.index("```\n", at) :], encoding="utf-8")
        return
    assert found == case.said


def test_every_message_is_first_class():
    found = cases()
    assert len(found) == PAGE.read_text(encoding="utf-8").count("\n## ")
    for case in found:
        code = int(case.said.rsplit(" ", 1)[1])
        if "no mistake" in case.title:
            assert code == 0 and "note " in case.said
            continue
        assert code in (3, 4), case.title
        for message in re.split(r"\n\n(?=error)", case.said.split("\n\nexit code")[0]):
            lines = message.splitlines()
            assert lines[0].startswith("error[NN"), case.title
            assert lines[1].startswith(" --> "), case.title
            assert len(lines) <= 12 and max(map(len, lines)) <= 100, case.title
        assert "Traceback" not in case.said
