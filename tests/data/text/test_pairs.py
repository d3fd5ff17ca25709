"""Byte pairs: learnt from the training part, kept in the schema, put together again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nndsl.data import read_table, schema_of
from nndsl.data.schema_file import schema_from_json, schema_to_json
from nndsl.data.text.reading import vocabulary_of
from nndsl.diagnostics import NndslError
from nndsl.schema import DataSpecification, Setting
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words

TEXT = "the cat that sat on the mat — the very cat\n" * 40


def specification() -> DataSpecification:
    level = Setting(call(words("level")["bpe"], count=280))
    return DataSpecification(
        "book", "text", "book.txt", options={"level": level, "window": Setting(4)}
    )


def test_units_are_kept_and_put_together(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "book.txt").write_text(TEXT, encoding="utf-8")
    schema = schema_of(read_table(specification(), tmp_path), specification())
    known = vocabulary_of(specification(), schema_from_json(schema_to_json(schema)))
    assert 256 < len(known.units) <= 280
    new = "that café sat"
    ids = known.ids(new)
    assert known.text(ids.tolist()) == new
    assert len(ids) < len(new.encode())


def test_without_the_library_its_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "book.txt").write_text(TEXT, encoding="utf-8")
    with pytest.raises(NndslError) as caught:
        read_table(specification(), tmp_path)
    (problem,) = caught.value.diagnostics
    assert problem.code == "NN429"
    assert "nndsl[text]" in problem.help[0]
