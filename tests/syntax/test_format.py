"""The formatter: one layout, stable, with the same meaning and all comments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndsl.diagnostics import NndslError, Source
from nndsl.syntax.format import format_text
from nndsl.syntax.parser import parse
from tests.syntax.material import files, mutant, without_spans


def formatted(text: str) -> str:
    return format_text(Source("t.nn", text))


def check(text: str) -> str:
    """Format, and hold what must hold of any formatted text."""
    result = formatted(text)
    before, after = (without_spans(parse(Source("t.nn", t))) for t in (text, result))
    assert before == after
    assert formatted(result) == result
    assert result.endswith("\n") and not result.startswith("\n")
    assert not re.search(r"[ \t]$|\n\n\n|\t(?![^\n]*\")", result, re.MULTILINE)
    return result


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_files_keep_their_meaning(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    result = check(text)
    comments = [c.strip() for c in re.findall(r"#[^\n]*", text)]
    assert [c.strip() for c in re.findall(r"#[^\n]*", result)] == comments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let   a=1", "let a = 1"),
        ("let a=f( x ,k = 3,[ 1,2 ] )", "let a = f(x, k=3, [1, 2])"),
        ("let a=-b+ -3*x ^ 2- (c)", "let a = -b + -3 * x^2 - (c)"),
        ("let d = 2~1 .. 5", "let d = 2 ~ 1..5"),
        ("let d = not(a)and b", "let d = not (a) and b"),
        ("net A{dense(3)->relu;dense(4)}", "net A { dense(3) -> relu; dense(4) }"),
        ("net A\n{\ndense(3)\n}", "net A {\n  dense(3)\n}"),
        ("net A { dense(3)\n dense(4) }", "net A {\n  dense(3)\n  dense(4)\n}"),
        (
            "train A {\n\n\n a = 1 ; b=2 ;\n\n\n\n c = 3\n\n}",
            "train A {\n  a = 1; b = 2\n\n  c = 3\n}",
        ),
        ("train A {\n}", "train A { }"),
        ("net A {\n# c\n}", "net A {\n  # c\n}"),
        ("net A { # c\n x\n}", "net A {  # c\n  x\n}"),
        ("let a = 1#c", "let a = 1  #c"),
        ("\n\n# top\n\n\nlet a = 1\n# end\n\n", "# top\n\nlet a = 1\n# end"),
        ("let a = f(1,\n2,\n  3\n)", "let a = f(1,\n  2,\n  3\n)"),
        ("net A {\ny = a\n-> b\n->c\n}", "net A {\n  y = a\n    -> b\n    -> c\n}"),
        ("net A {\nif a { b }\nelse { c }\n}", "net A {\n  if a { b }\n  else { c }\n}"),
        ("cell(x,h:[ n ])->c(n){x}", "cell (x, h: [n]) -> c(n) { x }"),
        ("defaults train (a=1)", "defaults train(a=1)"),
        ("train(A,B)on d{}", "train (A, B) on d { }"),
        ("net A { input x:ids (3) [T] ; x }", "net A { input x: ids(3)[T]; x }"),
        ("train A { N . a = 1 }".replace(" . ", "."), "train A { N.a = 1 }"),
        ("let a = 1 # x\r\nlet b = 2", "let a = 1  # x\nlet b = 2"),
    ],
)
def test_layout(text: str, expected: str) -> None:
    assert check(text) == expected + "\n"


def test_a_long_body_gets_lines() -> None:
    stage = "dense(1000, bias=false) -> relu"
    text = f"net A {{ {stage}; {stage}; {stage}; {stage} }}"
    assert check(text) == "net A {\n" + f"  {stage}\n" * 4 + "}\n"


def test_a_long_line_of_statements_gets_lines() -> None:
    setting = "report = [curves, confusion, boundary(age, fare)]"
    text = "train A {\n" + "; ".join(f"{setting}" for _ in range(3)) + "\n}"
    assert check(text) == "train A {\n" + f"  {setting}\n" * 3 + "}\n"


def test_mistakes_are_told() -> None:
    with pytest.raises(NndslError):
        formatted("net A {")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_mutants_that_parse_keep_their_meaning(seed: int) -> None:
    import random

    random_numbers = random.Random(seed)
    text = mutant(random_numbers.choice(files()).read_text(encoding="utf-8"), random_numbers)
    try:
        parse(Source("t.nn", text))
    except NndslError:
        return
    check(text)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_other_line_ends_keep_their_meaning(seed: int) -> None:
    """Spaces and line ends put in at random, wherever they mean nothing."""
    import random

    random_numbers = random.Random(seed)
    text = random_numbers.choice(files()).read_text(encoding="utf-8")
    for sign in (",", "->", "(", "+", "{"):
        parts = re.split(f"({re.escape(sign)})", re.sub(r'#[^\n]*|"[^"\n]*"', "x", text))
        blank = random_numbers.choice([" ", "\n", "\n\n", "  # c\n", "\n# d\n"])
        chosen = [
            part + blank if part == sign and random_numbers.random() < 0.2 else part
            for part in parts
        ]
        candidate = "".join(chosen)
        try:
            parse(Source("t.nn", candidate))
        except NndslError:
            continue
        check(candidate)
