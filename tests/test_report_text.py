"""Reports: the look, the limits, odd characters, JSON."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndsl.diagnostics import Diagnostic, Fix, Label, Place, Severity, Source, Span
from nndsl.report_text import columns, render_text, to_json

SMALL = """net Small {
  input image: 1x8x8
  skip = conv(16, 3, pad=same) -> relu
  body = skip -> conv(16, 3) -> batch_norm
  body + skip -> relu
}
"""


def at(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def shapes_differ() -> Diagnostic:
    source = Source("mis.nn", SMALL)
    return Diagnostic(
        "NN203",
        "cannot add 16x6x6 and 16x8x8: height and width differ",
        Label(at(source, "body + skip"), "both sides of `+` must have the same shape"),
        (
            Label(at(source, "conv(16, 3, pad=same)"), "1x8x8 -> 16x8x8 here"),
            Label(
                at(source, "conv(16, 3) "),
                "16x8x8 -> 16x6x6 here (no padding: a 3x3 kernel trims 2)",
            ),
        ),
        help=("write `conv(16, 3, pad=same)` to keep 8x8",),
    )


def one(text: str, start: int, end: int, label: str = "here", **more: object) -> Diagnostic:
    source = Source("m.nn", text)
    return Diagnostic("NN130", "title", Label(Span(source, start, end), label), **more)  # type: ignore[arg-type]


def test_the_look() -> None:
    assert render_text(shapes_differ()) == (
        """\
error[NN203]: cannot add 16x6x6 and 16x8x8: height and width differ
 --> mis.nn:5:3
  |
3 |   skip = conv(16, 3, pad=same) -> relu
  |          --------------------- 1x8x8 -> 16x8x8 here
4 |   body = skip -> conv(16, 3) -> batch_norm
  |                  ------------ 16x8x8 -> 16x6x6 here (no padding: a 3x3 kernel trims 2)
5 |   body + skip -> relu
  |   ^^^^^^^^^^^ both sides of `+` must have the same shape
  |
  = help: write `conv(16, 3, pad=same)` to keep 8x8"""
    )


def test_colours_add_nothing_but_colours() -> None:
    coloured = render_text(shapes_differ(), color=True)
    assert coloured != render_text(shapes_differ())
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(shapes_differ())


def test_severities() -> None:
    for severity in Severity:
        diagnostic = one("let a", 4, 5, severity=severity)
        assert render_text(diagnostic).startswith(f"{severity.value}[NN130]: title\n")
        assert "^ here" in render_text(diagnostic)


def test_without_a_place() -> None:
    diagnostic = Diagnostic("NN010", "no drawing program", help=("write a .dot file",))
    assert render_text(diagnostic) == (
        "error[NN010]: no drawing program\n  = help: write a .dot file"
    )


def test_a_place_in_a_data_file() -> None:
    diagnostic = Diagnostic("NN405", "not a number: `x`", place=Place("a.csv", 6, "age"))
    assert render_text(diagnostic).split("\n")[1] == " --> a.csv:6, column `age`"
    alone = Diagnostic("NN401", "no such file", place=Place("a.csv"))
    assert render_text(alone).split("\n")[1] == " --> a.csv"
    both = one("let age", 4, 7, place=Place("a.csv", 6, "age"))
    assert render_text(both).split("\n")[1:3] == [" --> a.csv:6, column `age`", " ::: m.nn:1:5"]


def test_two_files() -> None:
    zoo = Source("zoo.nn", "block f(n) {\n  dense(n)\n}\n")
    diagnostic = one("net A { f(2) }", 8, 12, secondary=(Label(at(zoo, "dense(n)"), "there"),))
    lines = render_text(diagnostic).split("\n")
    assert " --> m.nn:1:9" in lines and " ::: zoo.nn:2:3" in lines
    assert "2 |   dense(n)" in lines


def test_several_marks_on_a_line() -> None:
    source = Source("m.nn", "a + b")
    spans = [Span(source, i, i + 1) for i in (0, 2, 4)]
    diagnostic = Diagnostic(
        "NN203", "t", Label(spans[1], "sum"), (Label(spans[0], "left"), Label(spans[2], "right"))
    )
    assert render_text(diagnostic).split("\n")[3:] == [
        "1 | a + b",
        "  |     - right",
        "  |   ^ sum",
        "  | - left",
    ]
    silent = Diagnostic("NN203", "t", Label(spans[1], "sum"), (Label(spans[0]),))
    assert "  | - ^ sum" in render_text(silent)


def test_a_span_over_lines_is_marked_on_the_first() -> None:
    text = render_text(one("let a = f(1,\n  2)\n", 8, 17))
    assert "1 | let a = f(1,\n  |         ^^^^ here" in text
    assert "2 |" not in text


def test_the_end_of_the_text() -> None:
    assert "2 |\n  | ^ here" in render_text(one("let a\n", 6, 6))
    assert "1 | let a\n  |      ^ here" in render_text(one("let a", 5, 5))
    assert "  | ^ here" in render_text(one("", 0, 0))


def test_line_numbers_of_different_length() -> None:
    source = Source("m.nn", "\n" * 8 + "first\nsecond\n")
    diagnostic = Diagnostic(
        "NN203", "t", Label(at(source, "second"), "b"), (Label(at(source, "first"), "a"),)
    )
    lines = render_text(diagnostic).split("\n")
    assert lines[1] == "  --> m.nn:10:1"
    assert lines[3:] == [" 9 | first", "   | ----- a", "10 | second", "   | ^^^^^^ b"]


def test_tabs_wide_and_hidden_characters() -> None:
    lines = render_text(one("\tx", 1, 2)).split("\n")
    assert lines[3:] == ["1 |     x", "  |     ^ here"]
    lines = render_text(one('"日本" x', 5, 6)).split("\n")
    assert lines[4].index("^") == 4 + columns('"日本" ')
    lines = render_text(one("a\u202eb\x1b[31m\0", 2, 3)).split("\n")
    assert lines[3] == "1 | a<U+202E>b<U+001B>[31m<U+0000>"
    assert lines[4].index("^") == 4 + len("a<U+202E>")


def test_nothing_hidden_comes_through() -> None:
    odd = "\x1b]0;x\x07\u2066\n\r\t\0"
    diagnostic = Diagnostic(
        "NN405",
        odd,
        Label(Span(Source(odd, odd), 0, 3), odd),
        (Label(Span(Source("b" + odd, odd), 2, 3), odd),),
        notes=(odd,),
        help=(odd,),
        place=Place(odd, 1, odd),
    )
    assert all(line.isprintable() for line in render_text(diagnostic).split("\n"))


def test_long_lines_are_cut_around_the_mark() -> None:
    text = "dense(1) -> " * 50
    for start in (0, 12, 300, len(text) - 14, len(text)):
        lines = render_text(one(text, start, min(start + 8, len(text)))).split("\n")
        assert max(map(columns, lines)) <= 100
        mark = lines[4].index("^")
        if start < len(text):
            assert lines[3][mark : mark + 8] == text[start : start + 8]


def test_a_label_without_room_stands_on_its_own_line() -> None:
    text = "x" * 90 + " y"
    lines = render_text(one(text, 91, 92, "a label that does not fit there")).split("\n")
    assert lines[4].strip("| ") == "^"
    assert lines[5].endswith("a label that does not fit there")
    assert len(lines[5]) <= 100


def test_what_is_too_much_is_left_out_least_important_first() -> None:
    source = Source("m.nn", "".join(f"line{i}\n" for i in range(8)))
    labels = [Label(at(source, f"line{i}"), f"label{i}") for i in range(8)]
    full = Diagnostic(
        "NN203", "t", labels[0], tuple(labels[1:]), notes=("n1", "n2"), help=("h1", "h2")
    )
    text = render_text(full)
    assert len(text.split("\n")) <= 12
    assert text.count("label") == 4
    assert "h1" in text and "h2" in text
    assert "n1" not in text


def test_long_titles_and_helps_are_wrapped() -> None:
    diagnostic = Diagnostic("NN203", "word " * 60, help=("word " * 40, "second\nthird"))
    lines = render_text(diagnostic).split("\n")
    assert len(lines) <= 12 and max(map(len, lines)) <= 100
    assert lines[1].startswith(" " * 14)
    assert "          third" in lines
    assert len(render_text(Diagnostic("NN203", "t" * 10_000))) == 100


@pytest.mark.parametrize("width", [40, 60, 100, 160])
def test_width(width: int) -> None:
    lines = render_text(shapes_differ(), width).split("\n")
    assert max(map(len, lines)) <= width and len(lines) <= 12


SPANS = st.tuples(st.integers(0, 200), st.integers(0, 200))
TEXTS = st.text(st.sampled_from("ab (é日\t\u202e\x1b\n\r#`e\u0301"), max_size=200)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.lists(SPANS, min_size=1, max_size=6), TEXTS, TEXTS, st.integers(40, 120))
def test_any_report_keeps_the_limits(
    text: str, spans: list[tuple[int, int]], title: str, help: str, width: int
) -> None:
    source = Source("m.nn", text)
    labels = [
        Label(Span(source, min(a, b, len(text)), min(max(a, b), len(text))), title)
        for a, b in spans
    ]
    diagnostic = Diagnostic("NN130", title, labels[0], tuple(labels[1:]), (help,), (help, title))
    lines = render_text(diagnostic, width).split("\n")
    assert len(lines) <= 12
    assert max(map(columns, lines)) <= width
    assert sum(bool(re.match(r" *[0-9]+ \|", line)) for line in lines) <= 4
    assert all(line.isprintable() for line in lines)
    json.dumps(to_json(diagnostic))


def test_json() -> None:
    source = Source("m.nn", "let a = 1\nlet b == 2\n")
    span = at(source, "==")
    diagnostic = Diagnostic(
        "NN115",
        "t",
        Label(span, "write `=`"),
        (Label(at(source, "let a"), "first"),),
        ("note",),
        ("help",),
        Severity.WARNING,
        Fix(span, "="),
    )
    place = {"file": "m.nn", "line": 2, "column": 7, "end_line": 2, "end_column": 9}
    other = {"file": "m.nn", "line": 1, "column": 1, "end_line": 1, "end_column": 6}
    assert to_json(diagnostic) == {
        "code": "NN115",
        "severity": "warning",
        "title": "t",
        **place,
        "data_column": None,
        "labels": [
            {**place, "text": "write `=`", "primary": True},
            {**other, "text": "first", "primary": False},
        ],
        "notes": ["note"],
        "help": ["help"],
        "fix": {**place, "replacement": "="},
    }


def test_json_of_a_data_file() -> None:
    found = to_json(one("let age", 4, 7, place=Place("a.csv", 6, "age")))
    assert (found["file"], found["line"], found["column"]) == ("a.csv", 6, None)
    assert found["data_column"] == "age"
    assert found["labels"][0]["file"] == "m.nn"
    bare = to_json(Diagnostic("NN010", "t"))
    assert bare["file"] is None and bare["labels"] == [] and bare["fix"] is None
