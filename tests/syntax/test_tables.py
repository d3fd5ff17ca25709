"""The stored tables: they are those of the grammar, and a parser made of them is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lark import Lark

from nndsl.diagnostics import Source
from nndsl.syntax import grammar, tables
from nndsl.syntax.layout import lay_out

PLACE = Path(tables.__file__).with_name(tables.TABLES)


def test_tables_belong_to_the_grammar(request: pytest.FixtureRequest) -> None:
    text = grammar.grammar_text()
    if request.config.getoption("--update-golden"):
        made = grammar.parser_from_grammar(text)
        PLACE.write_text(tables.tables_text(made, text), encoding="utf-8")
    assert tables.parser_from_tables(text) is not None, (
        "the grammar or Lark has changed: run `python -m pytest tests/syntax --update-golden`"
    )


def test_tables_are_not_used_for_another_grammar() -> None:
    assert tables.parser_from_tables(grammar.grammar_text() + "\n") is None


def test_without_tables_the_grammar_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TABLES", "missing.json")
    assert tables.parser_from_tables(grammar.grammar_text()) is None


def test_the_parser_is_the_same(root: Path) -> None:
    text = grammar.grammar_text()
    made, stored = grammar.parser_from_grammar(text), tables.parser_from_tables(text)
    assert stored is not None
    for ours, theirs in zip(stored.terminals, made.terminals, strict=True):
        assert (ours.name, ours.priority) == (theirs.name, theirs.priority)
        assert ours.pattern.to_regexp() == theirs.pattern.to_regexp()
    assert stored.rules == made.rules
    for path in sorted((root / "models").glob("*.nn")):
        source = Source(str(path), path.read_text(encoding="utf-8"))
        assert _tree(stored, source) == _tree(made, source), path


def _tree(parser: Lark, source: Source) -> object:
    tokens = lay_out(source, list(parser.lex(source.text))).tokens
    reading = parser.parse_interactive(start="start")
    for token in tokens:
        reading.feed_token(token)
    return reading.feed_eof()


def test_tables_survive_writing() -> None:
    text = grammar.grammar_text()
    made = grammar.parser_from_grammar(text)
    again = json.loads(tables.tables_text(made, text))
    assert again["made_for"] == tables.made_for(text)
    assert len(again["states"]) == len(made.parser.parser._parse_table.states)
