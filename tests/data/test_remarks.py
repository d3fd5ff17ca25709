"""Doubts about a table, told before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nndsl.data import fingerprint, read_table, remarks, schema_of
from tests.data.helpers import apply, column, constant, request, table_of

GOOD = [(i % 7, "ab"[i % 2], "yn"[(i // 3) % 2]) for i in range(40)]


def codes_of(folder: Path, names: str, rows: Any, **settings: Any) -> dict[str, str]:
    text = names + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    (folder / "d.csv").write_text(text)
    wanted = request(target="t", **settings)
    table = read_table(wanted, folder)
    found = (*table.notes, *remarks(table, schema_of(table, wanted), wanted))
    return {n.code: n.title for n in found}


def test_a_good_table_has_none(tmp_path: Path) -> None:
    assert codes_of(tmp_path, "x,k,t", GOOD) == {}


@pytest.mark.parametrize(
    ("code", "names", "rows", "said"),
    [
        ("NN450", "x,k,t", [*GOOD, ("", "", "y")], "2 empty cells are filled: 1 in `x`, 1 in `k`"),
        ("NN451", "x,k,t", [(x, k, x % 2) for x, k, t in GOOD], "2 classes"),
        ("NN451", "x,k,t", [(x, k, 3 + x) for x, k, t in GOOD], "taken as numbers"),
        ("NN452", "x,k,c,t", [(x, k, 5, t) for x, k, t in GOOD], "learnt from it: c"),
        ("NN453", "x,k,y,t", [(x, k, x, t) for x, k, t in GOOD], "`x` and `y` are equal"),
        ("NN453", "x,k,y,t", [(x, k, k, t) for x, k, t in GOOD], "`k` and `y` are equal"),
        ("NN454", "x,k,y,t", [(x, k, t + "!", t) for x, k, t in GOOD], "`y` alone says"),
        ("NN454", "x,k,t", [(int(t == "y"), k, t) for x, k, t in GOOD], "`x` alone says"),
        ("NN454", "x,k,t", [(i, k, 0.5 * i + 3) for i, (x, k, t) in enumerate(GOOD)], "alone says"),
        ("NN455", "x,t", [(i % 9, "y" if i else "n") for i in range(40)], "97.5% of the rows"),
        ("NN456", "x,k,t", [*GOOD, (1, "A", "y")], "`A` and `a`"),
        ("NN456", "x,k,t", [*GOOD, (1, "a", "Y")], "`Y` and `y`"),
        (
            "NN458",
            "x,k,t",
            [(x, f"w{i}", t) for i, (x, k, t) in enumerate(GOOD)],
            "`k` is left out",
        ),
        ("NN459", "x,k,t", [*GOOD, (-999, "a", "y"), (-999, "b", "n")], "-999 in 2 rows"),
        ("NN462", "x,k,t", [*GOOD, (1, "a", "")], "left out: 1"),
        ("NN463", "x,k,t", [*GOOD, (1, "a", "z")], "`z` 1"),
    ],
)
def test_doubts(tmp_path: Path, code: str, names: str, rows: Any, said: str) -> None:
    assert said in codes_of(tmp_path, names, rows)[code]


def test_spaces_mixed_columns_and_unused_ones(tmp_path: Path) -> None:
    rows = [(x, f" {k}", t) for x, k, t in GOOD]
    assert "NN457" in codes_of(tmp_path, "x,k,t", rows)
    rows = [(x, k if x else 5, t) for x, k, t in GOOD]
    assert "NN461" in codes_of(tmp_path, "x,k,t", rows)
    from tests.data.helpers import chain

    found = codes_of(tmp_path, "x,k,t", GOOD, chains=(chain("x", "keep", input="i"),))
    assert found["NN458"] == "columns of no input: k"


def test_sources_of_a_computed_target_are_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,k\n" + "1,a\n2,b\n" * 10)
    wanted = request(target=apply("==", column("k"), constant("a")))
    table = read_table(wanted, tmp_path)
    titles = [n.title for n in remarks(table, schema_of(table, wanted), wanted)]
    assert "column `k` is left out: the target is computed from it" in titles


def test_fingerprints_follow_the_cells(tmp_path: Path) -> None:
    one = fingerprint(table_of(tmp_path, "x,k\n1,a\n2,b\n"))
    assert fingerprint(table_of(tmp_path, "x,k\n\n1.0,a\n2,b")) == one
    for other in ("x,k\n1,a\n2,c\n", "x,k\n2,b\n1,a\n", "y,k\n1,a\n2,b\n", "x,k\n1,a\n"):
        assert fingerprint(table_of(tmp_path, other)) != one
