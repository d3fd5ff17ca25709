"""Mistakes are told in plain words, near the place, one for each, quickly."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from nndsl.diagnostics import Diagnostic, NndslError, Source
from nndsl.report_text import render_text
from nndsl.syntax.lexical import tokens_of
from nndsl.syntax.parser import parse, parse_expression
from tests.syntax.material import files, mutant, pieces

PARSER_WORDS = re.compile(
    r"\b([LR]PAR|[LR]SQB|[LR]BRACE|_NEWLINE|\$END|__ANON|ARROW|COMPARE|Token|Unexpected|terminal)\b"
)


def problems(text: str) -> tuple[Diagnostic, ...]:
    try:
        parse(Source("m.nn", text))
    except NndslError as problem:
        return problem.diagnostics
    return ()


def check_form(diagnostic: Diagnostic) -> None:
    """What must hold of any message."""
    text = render_text(diagnostic)
    lines = text.split("\n")
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 100
    assert not PARSER_WORDS.search(text)
    assert diagnostic.code.startswith("NN1")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("epochs = 3\nnet A { dense(16 relu) }\ntrian A { }", ["NN122", "NN111", "NN121"]),
        ("net A {\n dense(3 relu)\n dense(4 relu)\n}\nlet = 3", ["NN111", "NN111", "NN125"]),
        ("train A {\n lr: 3\n epochs: 4\n stop = 30 mins\n}", ["NN113", "NN113", "NN116"]),
        ("net A {\n for i im 1..3 {\n  dense(3 4)\n }\n}", ["NN121", "NN111"]),
        ("let a = 'x'\nlet b = 1_0\nlet c =", ["NN106", "NN105", "NN118"]),
        ("net A {\n dense(3\n}\nnet B {\n dense(4))\n}", ["NN108", "NN109"]),
        ("net A:\n dense(3)\n relu\nnet B { dense(3 4) }", ["NN113", "NN111"]),
    ],
)
def test_independent_mistakes_are_told_together(text: str, codes: list[str]) -> None:
    found = problems(text)
    assert [d.code for d in found] == codes
    for diagnostic in found:
        check_form(diagnostic)


def test_at_most_ten() -> None:
    assert len(problems("let = 3\n" * 50)) == 10
    assert len(problems("let a = 'x'\n" * 50)) == 10
    assert len(problems("let a = (\n" * 50)) == 10


def test_fixes_mend() -> None:
    """Where a message carries a replacement, putting it in removes the mistake."""
    mended = 0
    for text in (
        "net A { dense(16 relu) }",
        "net A { dense(16) relu }",
        "train A { lr: 3 }",
        "let a == 3",
        "train A { batch = 3 epochs = 4 }",
        "train A { stop = 30 mins }",
        "net A { dense 16 }",
        "net A on d\n dense(3)\n}",
        "nett A { dense(3) }",
        "net A onn d { dense(3) }",
        "let a = 1_000",
        "let a = 5epochs",
        "let a = b ** 2",
        "let a = 'x'",
        "let data = 3",
        "import zoo",
        "net A {\n dense(3\n}",
        "data iris csv(3)",
        "net A { return x }",
    ):
        (problem,) = problems(text)
        fix = problem.fix
        assert fix is not None, text
        fixed = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
        assert problems(fixed) == (), fixed
        mended += 1
    assert mended == 19


@pytest.mark.parametrize("header", ["cell mine(n)", "cell mine(x, h: [n], n)", "cell mine"])
def test_a_cell_says_what_it_remembers(header: str) -> None:
    text = f"{header} {{ (x, h) -> dense(4) }}\nnet A {{ dense(3) }}\n"
    problem = problems(text)[0]
    assert problem.title == "`cell mine` does not say what it reads and remembers"
    assert problem.help == ("cell (x, h: [n]) -> mine(n) { ... }",)


def test_settings_of_the_command_line() -> None:
    for text in ("adam(", "", "3 4", "1..", "let a = 3"):
        with pytest.raises(NndslError) as caught:
            parse_expression(Source("--set lr", text))
        for diagnostic in caught.value.diagnostics:
            check_form(diagnostic)


def test_a_deleted_word_is_told_near_its_place() -> None:
    """The first message stands within a line of the deletion; one deletion, one message."""
    random_numbers = random.Random(1)
    near = single = total = 0
    for path in files():
        text = path.read_text(encoding="utf-8")
        found = pieces(text)
        for piece in random_numbers.sample(found, min(8, len(found))):
            broken = text[: piece.start()] + text[piece.end() :]
            told = problems(broken)
            if not told:
                continue
            total += 1
            assert told[0].primary is not None
            line = text.count("\n", 0, piece.start()) + 1
            near += abs(told[0].primary.span.line - line) <= 1
            single += len(told) == 1
    assert near >= 0.95 * total
    assert single >= 0.95 * total


def fuzz(count: int, seed: int) -> None:
    random_numbers = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in files()]
    for _ in range(count):
        text = mutant(random_numbers.choice(texts), random_numbers)
        start = time.process_time()
        for diagnostic in problems(text):
            check_form(diagnostic)
        assert time.process_time() - start < 1.0, text


def test_mutants_meet_messages_only() -> None:
    fuzz(300, seed=7)


@pytest.mark.slow
def test_many_mutants_meet_messages_only() -> None:
    fuzz(20_000, seed=8)


def test_what_cannot_be_read_keeps_its_place() -> None:
    """After unreadable pieces of any length, tokens stand where they stood."""
    for piece in (
        "größe0.5",
        "'a' .5 größe",
        '"open, x',
        "a0.5'b'c0.7",
        "1_0 → “x”",
        "// c",
        "a|>b",
    ):
        source = Source("m.nn", f"let a = {piece}\nlet marker = 3")
        tokens = tokens_of(source).tokens
        marker = next(token for token in tokens if token == "marker")
        assert marker.start_pos == source.text.index("marker"), piece


def noise(count: int, seed: int) -> None:
    random_numbers = random.Random(seed)
    letters = "abxy01.-+*/^=~:;,()[]{}<>!\"'#%\n \t\r\\|&@é→\0\u202e"
    words = ["net ", "data ", "train ", "let ", "if ", "else ", "for ", "->", "..", "block ", "in "]
    for _ in range(count):
        parts = random_numbers.choices([*letters, *words], k=random_numbers.randint(1, 120))
        for diagnostic in problems("".join(parts)):
            check_form(diagnostic)


def test_noise_meets_messages_only() -> None:
    noise(300, seed=9)


@pytest.mark.slow
def test_much_noise_meets_messages_only() -> None:
    noise(10_000, seed=10)


def test_a_long_broken_file_is_told_quickly() -> None:
    text = "net A {\n dense(3 4)\n x = [1, 2\n}\n" * 8_000
    start = time.process_time()
    assert problems(text)
    assert time.process_time() - start < 5.0


def test_sample_files_exist() -> None:
    assert Path(__file__).parent.joinpath("samples/language.nn") in files()


def place(text: str) -> tuple[int, str]:
    """Line and title of the only message."""
    (found,) = problems(text)
    assert found.primary is not None
    return found.primary.span.line, found.title


def test_a_body_ends_where_the_indentation_does() -> None:
    """A `let` or `expect` may stand in a body; at the margin it does not."""
    never = "`{` is never closed"
    assert place("net A {\n  dense(3)\n\nlet n = 3\nexpect n == 3") == (2, never)
    assert place("net A { dense(3)\nlet n = 3\nexpect n == 3") == (1, never)
    assert place("data d = csv(1)\nnet A {\n  dense(3)\nlet n = 3\ntrain A { }") == (3, never)


def test_a_body_without_its_brace_is_one_mistake() -> None:
    line, title = place("net A {\n relu\n}\n target = y\n y -> keep\n split = all\n}\nlet n = 3")
    assert (line, title) == (4, "`target = ...` stands outside every `net`, `data` and `train`")


def test_a_name_missing_after_a_point() -> None:
    assert place("expect near(f(d)., 1e-4)") == (1, "`.` is not part of the language")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("et A {\n dense(3)\n}", "net"),
        ("et a = 3", "let"),
        ("dfeaults train(epochs=3)", "defaults"),
    ],
)
def test_the_word_that_fits_what_follows_is_proposed(text: str, meant: str) -> None:
    (found,) = problems(text)
    assert found.fix is not None
    assert found.fix.replacement == meant


@pytest.mark.parametrize("rows", ["1, 0], [2, 3],", "[1, 0], -1, 0], [2, 3],", "[1, [2, 0]], 3],"])
def test_an_inner_bracket_that_closes_the_outer_one(rows: str) -> None:
    text = f"let planes = [\n  {rows}\n  [1, 1], [2, 1],\n]\nnet A {{ dense(1) }}"
    assert place(text) == (2, "a `[` is missing before this `]`")
