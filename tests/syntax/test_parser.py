"""Texts become trees: what each construct turns into, where it stands, what its limits are."""

from __future__ import annotations

import dataclasses
import re
import time
from pathlib import Path

import pytest

from nndsl.diagnostics import NndslError, Source
from nndsl.syntax import tree
from nndsl.syntax.grammar import grammar_text, lark_parser
from nndsl.syntax.parser import decode_source, parse, parse_expression, read_source
from nndsl.syntax.wording import RESERVED, plain
from tests.syntax.material import ROOT, files, without_spans

SHARED = ROOT.parent / "shared"


def text_of(path: Path) -> Source:
    return Source(path.name, path.read_text(encoding="utf-8"))


def body_of(text: str) -> tuple[tree.Statement, ...]:
    item = parse(Source("t.nn", f"net A {{\n{text}\n}}")).items[0]
    assert isinstance(item, tree.Net)
    return item.body.statements


def expression(text: str) -> tree.Expression:
    return parse_expression(Source("t.nn", text))


def shape(text: str) -> str:
    """An expression in brackets, to see what binds tighter."""

    def show(node: tree.Expression) -> str:
        match node:
            case tree.Binary():
                return f"({show(node.left)} {node.operator} {show(node.right)})"
            case tree.Unary():
                return f"({node.operator} {show(node.operand)})"
            case tree.Pipe():
                return f"({show(node.left)} -> {show(node.right)})"
            case tree.Choose():
                parts = (show(node.then), show(node.condition), show(node.otherwise))
                return "({} if {} else {})".format(*parts)
            case tree.Name():
                return node.name
            case tree.Number():
                return str(node.value)
            case _:
                return node.span.text

    return show(expression(text))


def code_of(text: str) -> str:
    with pytest.raises(NndslError) as caught:
        parse(Source("t.nn", text))
    return caught.value.diagnostics[0].code


# --- what parses ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_file_parses(path: Path) -> None:
    assert parse(text_of(path)).items


def test_the_language_reference_parses() -> None:
    reference = SHARED / "LANGUAGE.md"
    if not reference.is_file():
        pytest.skip("the language reference is not here")
    text = reference.read_text(encoding="utf-8")
    blocks = re.findall(r"```nn\n(.*?)```", text, re.DOTALL)
    blocks += re.findall(r"```\n((?:data|let) .*?)```", text, re.DOTALL)
    assert len(blocks) > 15
    for block in blocks:
        parse(Source("LANGUAGE.md", block))
    for path in sorted((SHARED / "proto/language/models").glob("*.nn")):
        parse(text_of(path))


def test_grammar_is_small_and_has_no_layers() -> None:
    text = grammar_text()
    assert text.count("\n") <= 100
    assert not re.search(r"\b(dense|conv|relu|adam|softmax)\b", text)


def test_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    import lark

    before = lark.logger.level
    try:
        lark.logger.setLevel(logging.DEBUG)
        with caplog.at_level(logging.DEBUG, logger="lark"):
            lark.Lark(
                grammar_text(), parser="lalr", lexer="basic", start=["start", "value"], debug=True
            )
    finally:
        lark.logger.setLevel(before)
    assert "conflict" not in caplog.text.lower()


def test_every_terminal_has_a_name_for_people() -> None:
    ignored = {"COMMENT", "__IGNORE_0", "__IGNORE_1"}
    for terminal in lark_parser().terminals:
        if terminal.name not in ignored:
            assert plain(terminal.name)


def test_the_reserved_words_are_the_keywords_of_the_grammar() -> None:
    quoted = set(re.findall(r'"([a-z]+)"', grammar_text()))
    assert quoted == set(RESERVED)
    assert len(RESERVED) == 22


def test_parsing_900_lines_is_quick() -> None:
    parse(Source("warm.nn", "let a = 1"))
    text = "".join(text_of(path).text for path in files())
    text = text * (900 // text.count("\n") + 1)
    start = time.process_time()
    parse(Source("long.nn", text))
    assert time.process_time() - start < 2.0  # 0.3 s where nothing else runs


# --- what it parses to ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("-a ^ b", "(- (a ^ b))"),
        ("a ^ -b ^ c", "(a ^ (- (b ^ c)))"),
        ("a -> b + c -> d", "((a -> (b + c)) -> d)"),
        ("a -> b * 4 -> c", "((a -> (b * 4)) -> c)"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("a + 1 .. b * 2", "((a + 1) .. (b * 2))"),
        ("a -> b if c > 1 else d -> e", "((a -> b) if (c > 1) else (d -> e))"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("(a -> b) * 3", "((a -> b) * 3)"),
        ("a -1", "(a - 1)"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    assert shape(text) == expected


def test_values() -> None:
    assert expression("10%") == tree.Number(expression("10%").span, 0.1, percent=True)
    assert without_spans(expression("5 epochs")) == without_spans(expression("5 epoch"))
    quantity = expression("2.5e1 minutes")
    assert isinstance(quantity, tree.Quantity)
    assert (quantity.value, quantity.unit) == (25.0, "minute")
    sizes = expression("3x32xH")
    assert isinstance(sizes, tree.Dimensions)
    assert sizes.sizes == (3, 32, "H")
    whole = expression("007")
    assert isinstance(whole, tree.Number) and whole.value == 7 and isinstance(whole.value, int)
    string = expression('"a # b; c"')
    assert isinstance(string, tree.String) and string.value == "a # b; c"


def test_calls_lists_and_fields() -> None:
    call = expression('f(a, k=3, "no show"=[1, x=2,])[1, 2].train')
    assert isinstance(call, tree.Field)
    assert call.name == "train" and call.name_span.text == "train"
    index = call.base
    assert isinstance(index, tree.Index) and len(index.indices) == 2
    inner = index.base
    assert isinstance(inner, tree.Call)
    assert [argument.name for argument in inner.arguments] == [None, "k", "no show"]
    assert inner.arguments[1].name_span is not None
    assert inner.arguments[1].name_span.text == "k"
    table = inner.arguments[2].value
    assert isinstance(table, tree.ListOf)
    assert [item.name for item in table.items] == [None, "x"]
    assert expression("f()").arguments == ()  # type: ignore[union-attr]
    assert expression("[]").items == ()  # type: ignore[union-attr]
    pair = expression("(a, b)")
    assert isinstance(pair, tree.TupleOf) and len(pair.items) == 2


def test_items() -> None:
    source = text_of(ROOT / "tests/syntax/samples/language.nn")
    by_kind: dict[type, list[tree.Item]] = {}
    for item in parse(source).items:
        by_kind.setdefault(type(item), []).append(item)
    first, second = by_kind[tree.Import]
    assert isinstance(first, tree.Import) and isinstance(second, tree.Import)
    assert (first.path, first.alias, second.alias) == ("zoo.nn", "zoo", None)
    defaults = by_kind[tree.Defaults]
    assert [d.word for d in defaults if isinstance(d, tree.Defaults)] == ["train", "dense"]
    blocks = {b.name: b for b in by_kind[tree.Block] if isinstance(b, tree.Block)}
    assert blocks["conv_bn"].ports == ()
    assert [p.name for p in blocks["conv_bn"].parameters] == ["c", "k", "stride"]
    assert [p.name for p in blocks["dice"].ports] == ["y", "t"]
    (cell,) = by_kind[tree.Cell]
    assert isinstance(cell, tree.Cell)
    assert [p.shape is None for p in cell.ports] == [True, False, False]
    train = by_kind[tree.Train][0]
    assert isinstance(train, tree.Train)
    assert isinstance(train.target, tree.TupleOf) and isinstance(train.data, tree.Name)


def test_statements() -> None:
    names = [
        type(s).__name__
        for s in body_of(
            "let a = 1 ~ 1..5\ndefaults dense(bias=0)\nexpect a == 1\ninput x: [3]\n"
            "input y\ninput z = c -> d\nshare s = dense(2)\nb = dense(3)\nb -> relu\n"
            "for i, n in [1] { dense(n) }\nif a > 1 { relu } else if a > 0 { } else { tanh }\n"
            "update A { minimize mse }\nminimize mse"
        )
    ]
    expected = (
        "Let Defaults Expect InputShape InputShape InputColumns Share Bind Flow For If Update "
        "Minimize"
    )
    assert " ".join(names) == expected


def test_else_if_is_an_if_inside_else() -> None:
    (statement,) = body_of("if a { relu }\nelse if b { tanh }\nelse { elu }")
    assert isinstance(statement, tree.If) and statement.otherwise is not None
    (inner,) = statement.otherwise.statements
    assert isinstance(inner, tree.If) and inner.otherwise is not None


def test_line_ends() -> None:
    joined = body_of("y = dense(3,\n\n bias=0)\n  -> relu ->\n tanh; z = 3 +\n # c\n 4\n(a,\nb)")
    assert [type(s).__name__ for s in joined] == ["Bind", "Bind", "Flow"]
    assert len(body_of(";;a;\n;b;")) == 2
    braces_below = parse(Source("t.nn", "net A\n{\n dense(3)\n}"))
    assert without_spans(braces_below) == without_spans(
        parse(Source("t.nn", "net A { dense(3) }\r\n"))
    )


def test_every_node_knows_its_place() -> None:
    for path in files():
        source = text_of(path)
        check_spans(parse(source), source)


def check_spans(node: object, source: Source) -> None:
    """Spans are inside the text, children inside their parents, names exactly where they stand."""
    if isinstance(node, tuple):
        for item in node:
            check_spans(item, source)
    if not isinstance(node, tree.Tree):
        return
    span = node.span
    assert span.source is source
    assert 0 <= span.start < span.end <= len(source.text), node
    if isinstance(node, tree.Name):
        assert span.text == node.name
    for field in dataclasses.fields(node):
        child = getattr(node, field.name)
        if isinstance(child, tree.Tree):
            assert span.start <= child.span.start and child.span.end <= span.end
        if field.name in ("name_span", "word_span", "data_span") and child is not None:
            word = getattr(node, field.name.removesuffix("_span"))
            assert child.text.strip('"') == word
        check_spans(child, source)


def test_the_span_of_a_call_in_brackets_has_no_brackets() -> None:
    pipe = expression("(a + b) -> c")
    assert isinstance(pipe, tree.Pipe)
    assert (pipe.span.text, pipe.left.span.text) == ("(a + b) -> c", "a + b")


# --- limits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "NN103"),
        ("\n # only a comment", "NN103"),
        ("let a = " + "(" * 201 + "1" + ")" * 201, "NN104"),
        ("let a = " + "(" * 100_000, "NN104"),
        ("let a = " + "+".join(["1"] * 10_000), "NN104"),
        ("let a = " + "-" * 5_000 + "1", "NN104"),
        ("let a = " + "not " * 5_000 + "b", "NN104"),
        ("let a = " + "^".join(["1"] * 5_000), "NN104"),
        ("net A { dense(1)" + " -> relu" * 10_000 + "}", "NN104"),
        ("let a = b" + ".c" * 5_000, "NN104"),
        ("let a = f" + "()" * 5_000, "NN104"),
        ("net A {" + "if a {" * 300 + "}" * 301, "NN104"),
        ("net A { if a { }" + " else if a { }" * 1_000 + "}", "NN104"),
        ("let a = " + "9" * 5_000, "NN105"),
        ("let a = 9223372036854775808", "NN105"),
        ("let a = 1e999", "NN105"),
        ("let a = 1e-999", "NN105"),
        ("let a = 0x10", "NN105"),
        ("let a = 1_000", "NN105"),
        ("let a = ٣", "NN105"),
        ("let a = \0", "NN106"),
        ("let a = 1 \u202e", "NN106"),
        ("x" * 2_000_000, "NN102"),
    ],
    ids=lambda value: value[:20],
)
def test_limits(text: str, code: str) -> None:
    start = time.process_time()
    assert code_of(text) == code
    assert time.process_time() - start < 5.0


def test_what_is_just_inside_the_limits() -> None:
    parse(Source("t.nn", "let a = " + "(" * 190 + "1" + ")" * 190))
    parse(Source("t.nn", "let a = " + "+".join(["1"] * 190)))
    parse(Source("t.nn", "let a = [" + ",".join(["1"] * 10_000) + "]"))
    parse(Source("t.nn", "let a = 9223372036854775807"))
    parse(Source("t.nn", "#" + "x" * 900_000 + "\nlet a = 1"))


def test_two_problems_of_values_are_both_told() -> None:
    with pytest.raises(NndslError) as caught:
        parse(Source("t.nn", "let a = 1e999\nlet b = 2e999\nnet A { a == 3 }"))
    assert [d.code for d in caught.value.diagnostics] == ["NN105", "NN105", "NN115"] or [
        d.code for d in caught.value.diagnostics
    ] == ["NN115", "NN105", "NN105"]


# --- reading -------------------------------------------------------------------------------


def test_read_source(tmp_path: Path) -> None:
    path = tmp_path / "a.nn"
    path.write_bytes(b"\xef\xbb\xbflet a = 1\r\nlet b = 2\rlet c = 3")
    source = read_source(path)
    assert source.text == "let a = 1\nlet b = 2\nlet c = 3"
    assert source.name == str(path)
    assert len(parse(source).items) == 3


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"let a\0 = 1", "NN101", "byte 6 is zero"),
        (b"let \xe9 = 1", "NN101", "byte 5 is 0xe9"),
        ("let a = 1".encode("utf-16"), "NN101", "UTF-16"),
        (b"\x1f\x8b\x08", "NN101", "gzip"),
        (b"#" * (1 << 20) + b"#", "NN102", "1 MiB"),
    ],
)
def test_what_is_no_text(data: bytes, code: str, words: str) -> None:
    with pytest.raises(NndslError) as caught:
        decode_source("a.nn", data)
    assert caught.value.diagnostics[0].code == code
    assert words in caught.value.diagnostics[0].title


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "iris.nn").write_text("let a = 1")
    with pytest.raises(NndslError) as caught:
        read_source(tmp_path / "irsi.nn")
    problem = caught.value.diagnostics[0]
    assert problem.code == "NN020" and "iris.nn" in problem.help[0]
    for odd in (tmp_path, Path("/dev/null"), tmp_path / "iris.nn" / "x.nn"):
        with pytest.raises(NndslError) as caught:
            read_source(odd)
        assert caught.value.diagnostics[0].code in ("NN020", "NN021")


def test_the_source_in_a_folder_is_proposed(tmp_path: Path) -> None:
    source = tmp_path / "model.nn"
    source.write_text("let a = 1")
    with pytest.raises(NndslError) as caught:
        read_source(tmp_path)
    assert caught.value.diagnostics[0].help == (f"the source in it is {source}",)
