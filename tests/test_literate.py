"""The literate tests of the syntax: a source text and, exactly, what is said about it.

In `tests/literate/syntax-*.md` each fenced `nn` block is checked as a file named `m.nn`; the
fenced `text` block after it holds every report, with blank lines between them. An `nn` block
without a `text` block after it must be accepted in silence. `--update-golden` writes the `text`
blocks anew: read them before you commit. It never takes a block away: where nothing is said any
more, a person decides. The other pages belong to the tests of their stage, which bring the data
that they need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from nndsl.diagnostics import NndslError, Source
from nndsl.report_text import render_text
from nndsl.syntax.parser import parse

FOLDER = Path(__file__).parent / "literate"
FENCE = re.compile(r"^```(?P<kind>nn|text)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A source text, what is said about it, and where both stand in their page."""

    path: Path
    heading: str
    source: str
    said: str
    end_of_source: int
    place: tuple[int, int] | None  # of the `text` block with its fences


def examples(path: Path) -> list[Example]:
    text = path.read_text(encoding="utf-8")
    blocks = list(FENCE.finditer(text))
    found = []
    for index, block in enumerate(blocks):
        if block["kind"] != "nn":
            assert index > 0 and blocks[index - 1]["kind"] == "nn", (
                f"{path.name}: a lone text block"
            )
            continue
        headings = HEADING.findall(text[: block.start()])
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        answered = following is not None and following["kind"] == "text"
        found.append(
            Example(
                path,
                headings[-1] if headings else path.stem,
                block["text"],
                following["text"] if answered and following is not None else "",
                block.end(),
                following.span() if answered and following is not None else None,
            )
        )
    return found


def reports(source: str, folder: Path) -> str:
    """All reports about a text, one below the other; relative paths start at `folder`."""
    try:
        parse(Source("m.nn", source))
    except NndslError as problem:
        diagnostics = list(problem.diagnostics)
    else:
        from nndsl.driver import check_text

        diagnostics = check_text(source, "m.nn", folder)
    return "\n\n".join(render_text(d) for d in diagnostics)


PAGES = sorted(FOLDER.glob("syntax-*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page(path: Path, request: pytest.FixtureRequest) -> None:
    found = examples(path)
    assert found, "a page without an example"
    said = [reports(example.source, path.parent) for example in found]
    if request.config.getoption("--update-golden"):
        rewrite(path, found, said)
        return
    wrong = [
        f"{example.heading}\n--- said\n{now}\n--- the page has\n{example.said.rstrip()}"
        for example, now in zip(found, said, strict=True)
        if now != example.said.rstrip("\n")
    ]
    assert not wrong, "\n\n".join(wrong)


def rewrite(path: Path, found: list[Example], said: list[str]) -> None:
    """Put what is said now into the page, from the last example to the first."""
    text = path.read_text(encoding="utf-8")
    for example, now in reversed(list(zip(found, said, strict=True))):
        if not now:
            assert example.place is None, f"{path.name}: nothing is said of {example.heading}"
            continue
        block = f"```text\n{now}\n```"
        if example.place is not None:
            start, end = example.place
            text = text[:start] + block + text[end:]
        else:
            end = example.end_of_source
            text = text[:end] + "\n\n" + block + text[end:]
    path.write_text(text, encoding="utf-8")


def test_pages_are_in_form() -> None:
    for path in PAGES:
        for example in examples(path):
            reports_shown = [r for r in example.said.split("\n\n") if r.strip()]
            for report in reports_shown:
                lines = report.strip("\n").split("\n")
                assert len(lines) <= 12 and max(map(len, lines)) <= 100, example.heading
