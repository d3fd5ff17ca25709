"""Texts as data: parts in time, vocabularies, windows, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import apply_schema, fingerprint, prepare, read_table, schema_of, split_rows
from nndsl.data.images.lazy import LazyRows
from nndsl.data.schema_file import schema_from_json, schema_to_json
from nndsl.data.table import Table
from nndsl.data.text import reading
from nndsl.diagnostics import NndslError
from nndsl.schema import DataSpecification, Setting
from nndsl.vocab.arguments import call
from nndsl.vocab.levels import UNKNOWN
from nndsl.vocab.registry import words

VERSE = "When I do count the clock that tells the time,\nAnd see the brave day sunk in night;\n"


def specification(split: Any = None, **options: Any) -> DataSpecification:
    settings = {} if split is None else {"split": Setting(split)}
    given = {name: Setting(value) for name, value in options.items()}
    return DataSpecification("book", "text", "book.txt", options=given, settings=settings)


def read(folder: Path, text: str | bytes, wanted: DataSpecification) -> Table:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "book.txt").write_bytes(content)
    return read_table(wanted, folder)


def code_of(folder: Path, text: str | bytes, wanted: DataSpecification) -> str:
    with pytest.raises(NndslError) as caught:
        read(folder, text, wanted)
    return caught.value.diagnostics[0].code


def test_the_target_is_the_same_text_one_further(tmp_path: Path) -> None:
    wanted = specification(window=4, split="all")
    table = read(tmp_path, "abcdefghijkl", wanted)
    schema = schema_of(table, wanted)
    split = split_rows(table, schema, wanted, 0)
    prepared = prepare(table, schema, wanted, split.train)
    assert prepared.inputs["text"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert prepared.targets["next"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert schema.targets[0].classes == tuple("abcdefghijkl")
    assert prepared.inputs["text"].dtype == prepared.targets["next"].dtype == np.int32


def test_parts_follow_each_other_and_no_window_spans_two(tmp_path: Path) -> None:
    wanted = specification(window=3, stride=1, split=[0.5, 0.25, 0.25])
    table = read(tmp_path, "abababab" + "abab" + "abab", wanted)
    split = split_rows(table, schema_of(table, wanted), wanted, 0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [5, 1, 1]
    starts = table.columns["text"].rows  # type: ignore[union-attr]
    assert starts[split.validation].tolist() == [8]
    assert starts[split.test].tolist() == [12]


def test_a_text_is_cut_into_eight_tenths_one_and_one(tmp_path: Path) -> None:
    wanted = specification(window=9)
    table = read(tmp_path, "ab" * 500, wanted)
    split = split_rows(table, schema_of(table, wanted), wanted, 0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [88, 11, 11]


def test_the_vocabulary_is_that_of_the_training_part(tmp_path: Path) -> None:
    wanted = specification(window=2, split=[0.5, 0.5])
    table = read(tmp_path, "aabbaabb" + "aaxxbbzz", wanted)
    schema = schema_of(table, wanted)
    assert schema.targets[0].classes == (UNKNOWN, "a", "b")
    ids = table.columns["text"].ids  # type: ignore[union-attr]
    assert ids[8:].tolist() == [1, 1, 0, 0, 2, 2, 0, 0]
    same = read(tmp_path, "aabbaabb" + "aaaabbbb", wanted)
    assert schema_of(same, wanted).targets[0].classes == ("a", "b")


def test_words_are_the_most_frequent(tmp_path: Path) -> None:
    level = call(words("level")["word"], count=5)
    wanted = specification(window=4, level=level, split="all")
    table = read(tmp_path, VERSE, wanted)
    classes = schema_of(table, wanted).targets[0].classes
    assert classes == (UNKNOWN, "\n", ",", ";", "the")


@pytest.mark.parametrize("name", ["character", "bytes", "word"])
def test_units_are_put_together_again(name: str) -> None:
    level = words("level")[name]
    text = "“Don't,” said Žofie (1984), “go!”\nNo more.\n"
    units = level.units(text)  # type: ignore[attr-defined]
    assert level.joined(list(units)) == text  # type: ignore[attr-defined]


def test_many_overlapping_windows_are_cut_out_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = specification(window=8, stride=1, split="all")
    table = read(tmp_path, VERSE * 4, wanted)
    column = table.columns["text"]
    at_once = reading.windows(column)  # type: ignore[arg-type]
    monkeypatch.setattr(reading, "_MOST_COPIED", 16)
    late = reading.windows(column)  # type: ignore[arg-type]
    assert isinstance(at_once, np.ndarray)
    assert isinstance(late, LazyRows)
    assert late.shape == at_once.shape
    np.testing.assert_array_equal(late[:], at_once)
    np.testing.assert_array_equal(late.take(np.array([3, 1]))[:], at_once[[3, 1]])


def test_a_run_reads_new_text_with_its_own_units(tmp_path: Path) -> None:
    wanted = specification(window=3, split="all")
    schema = schema_of(read(tmp_path, "abcabcabc", wanted), wanted)
    known = schema_from_json(schema_to_json(schema))
    assert known == schema
    (tmp_path / "new.txt").write_text("cccbbbaaa")
    table = read_table(wanted, tmp_path, str(tmp_path / "new.txt"), expected=known)
    prepared = apply_schema(table, known)
    assert prepared.inputs["text"].tolist() == [[2, 2, 2], [1, 1, 1]]
    (tmp_path / "new.txt").write_text("abcxabc")
    with pytest.raises(NndslError) as caught:
        read_table(wanted, tmp_path, str(tmp_path / "new.txt"), expected=known)
    assert caught.value.diagnostics[0].code == "NN414"


@pytest.mark.parametrize(
    ("text", "help"), [("", "a longer text"), ("abc", "a longer text"), ("a" * 20, "window=7")]
)
def test_a_text_without_a_window(tmp_path: Path, text: str, help: str) -> None:
    with pytest.raises(NndslError) as caught:
        read(tmp_path, text, specification(window=64))
    (problem,) = caught.value.diagnostics
    assert problem.code == "NN410" and problem.help[0].endswith(help)


def test_a_part_without_a_window_is_told(tmp_path: Path) -> None:
    with pytest.raises(NndslError) as caught:
        read(tmp_path, "a" * 100, specification(window=16))
    (problem,) = caught.value.diagnostics
    assert "has 10 units to validate on" in problem.title
    assert problem.help == ("a smaller window: window=4, or no such part: split = all",)
    assert read(tmp_path, "a" * 100, specification(window=16, split="all")).rows == 6


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert code_of(tmp_path, b"caf\xe9 and more", specification(window=2)) == "NN403"
    assert code_of(tmp_path, "short", specification(window=64)) == "NN410"
    assert code_of(tmp_path, VERSE, specification(window=0)) == "NN418"
    assert code_of(tmp_path, VERSE, specification(window=4, split=[0.5, 0.1])) == "NN417"
    assert code_of(tmp_path, VERSE, specification(window=4, split="label")) == "NN417"


def test_equal_texts_have_equal_fingerprints(tmp_path: Path) -> None:
    wanted = specification(window=4)
    first = fingerprint(read(tmp_path, VERSE * 2, wanted))
    assert first == fingerprint(read(tmp_path, VERSE * 2, wanted))
    assert first != fingerprint(read(tmp_path, VERSE * 2 + "x", wanted))
