"""The messages about data in `messages.md`: each file and section gives its text."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pytest

from nndsl.data import prepare, read_table, schema_of, split_rows
from nndsl.diagnostics import NndslError, Source
from nndsl.lower import data_specifications
from nndsl.report_text import render_text
from nndsl.syntax.parser import parse

PATH = Path(__file__).with_name("messages.md")
CASE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```csv\n(?P<data>.*?)```\n\n```nn\n(?P<source>.*?)```\n"
    r"(?:\n```text\n(?P<shown>.*?)```\n)?",
    re.DOTALL | re.MULTILINE,
)


def rendered(data: str, source: str, folder: Path) -> str:
    """What a person is shown: the errors, or the notes where there is none."""
    content = codecs.decode(data, "unicode_escape") if "\\" in data else data
    (folder / "d.csv").write_bytes(content.encode("latin-1" if "\\" in data else "utf-8"))
    try:
        (wanted,) = data_specifications(parse(Source("m.nn", source))).values()
        table = read_table(wanted, folder)
        schema = schema_of(table, wanted)
        found = prepare(table, schema, wanted, split_rows(table, schema, wanted, 0).train)
    except NndslError as problem:
        shown = problem.diagnostics
    else:
        shown = (*table.notes, *found.notes)
    return "\n\n".join(render_text(diagnostic) for diagnostic in shown)


def cases() -> list[tuple[str, str, str, str]]:
    return [
        (found["title"], found["data"], found["source"], found["shown"] or "")
        for found in CASE.finditer(PATH.read_text(encoding="utf-8"))
    ]


def test_the_page_is_up_to_date(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if not request.config.getoption("--update-golden"):
        return

    def with_messages(found: re.Match[str]) -> str:
        shown = rendered(found["data"], found["source"], tmp_path)
        return (
            f"## {found['title']}\n\n```csv\n{found['data']}```\n\n"
            f"```nn\n{found['source']}```\n\n```text\n{shown}\n```\n"
        )

    text = PATH.read_text(encoding="utf-8")
    PATH.write_text(CASE.sub(with_messages, text), encoding="utf-8")


@pytest.mark.parametrize(("title", "data", "source", "shown"), cases())
def test_messages(
    title: str, data: str, source: str, shown: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if request.config.getoption("--update-golden"):
        pytest.skip("being rewritten")
    actual = rendered(data, source, tmp_path)
    assert actual + "\n" == shown
    assert all(len(line) <= 100 for line in actual.splitlines())
    assert all(len(message.splitlines()) <= 12 for message in actual.split("\n\n"))
