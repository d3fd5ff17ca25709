"""Every code has a page, and the pages of the syntax say what happens."""

from __future__ import annotations

import re

import pytest

from nndsl.catalogue import codes, page, title
from nndsl.diagnostics import NndslError, Source, exit_code
from nndsl.syntax.parser import parse
from tests.syntax.material import ROOT

CODE = re.compile(r'"(NN[0-9]{3})"')
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def raised() -> dict[str, str]:
    """The codes that the package raises, with a file for each."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "nndsl").rglob("*.py")):
        for code in CODE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def test_every_code_has_a_page() -> None:
    known = set(codes())
    assert {code: path for code, path in raised().items() if code not in known} == {}


def test_every_page_has_a_code() -> None:
    assert set(codes()) - set(raised()) == set()


@pytest.mark.parametrize("code", codes())
def test_a_page_has_a_title_and_an_example(code: str) -> None:
    text = page(code)
    first = text.split("\n")[0]
    assert first == f"# {code}: {title(code)}"
    assert 0 < len(title(code)) <= 80
    assert BLOCK.search(text), "a page shows an example"
    assert text.endswith("\n")


@pytest.mark.parametrize("code", [code for code in codes() if code.startswith("NN1")])
def test_an_example_of_the_syntax_gives_its_code(code: str) -> None:
    blocks = [text for kind, text in BLOCK.findall(page(code)) if kind == "nn"]
    if code in ("NN101", "NN102"):
        return  # a matter of bytes, not of words
    bad, good = blocks
    with pytest.raises(NndslError) as caught:
        parse(Source("page.nn", bad))
    assert {d.code for d in caught.value.diagnostics} == {code}
    parse(Source("page.nn", good))
    assert int(exit_code(code)) == 3


@pytest.mark.parametrize("code", ["NN999", "nn101", "../NN101", "NN1011", ""])
def test_no_page(code: str) -> None:
    with pytest.raises(KeyError):
        page(code)
