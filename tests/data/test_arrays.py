"""IDX, NumPy and Parquet files, and tables in the source."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import read_table, schema_of
from nndsl.data.engine import _module
from nndsl.diagnostics import NndslError
from nndsl.schema import TargetKind
from tests.data.helpers import inline, refusal, request


def idx(array: np.ndarray) -> bytes:
    kinds = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    kind = kinds[array.dtype.str[1:]]
    head = struct.pack(f">2xBB{array.ndim}I", kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)
LABELS = np.array([0, 1, 1, 0], dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.idx").write_bytes(idx(IMAGES))
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "y.idx").write_bytes(idx(LABELS))
    return tmp_path


@pytest.mark.parametrize("name", ["x.idx", "x.gz"])
def test_idx_files_are_flattened_with_their_labels(folder: Path, name: str) -> None:
    wanted = request("idx", name, options={"labels": "y.idx"})
    table = read_table(wanted, folder)
    assert np.array_equal(table.columns["image"].values, IMAGES.reshape(4, 6))
    schema = schema_of(table, wanted)
    assert schema.inputs[0].shape == (6,)
    assert schema.targets[0].name == "label"
    assert schema.targets[0].kind is TargetKind.CLASSES
    assert schema.targets[0].classes == ("0", "1")


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.float32, np.float64])
def test_all_types_of_idx(folder: Path, kind: Any) -> None:
    array = np.arange(-6, 6).astype(kind).reshape(3, 4)
    (folder / "t.idx").write_bytes(idx(array))
    table = read_table(request("idx", "t.idx"), folder)
    assert np.array_equal(table.columns["image"].values, array)


def test_an_override_finds_the_labels_beside_it(folder: Path) -> None:
    wanted = request("idx", "absent.idx", options={"labels": "y.idx"})
    assert read_table(wanted, folder / "elsewhere", folder / "x.idx").rows == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"x",
        lambda raw: raw[:3],
        lambda raw: b"",
        lambda raw: b"\x01" + raw[1:],
        lambda raw: raw[:2] + b"\x07" + raw[3:],
        lambda raw: raw[:3] + b"\xff" + raw[4:],
        lambda raw: raw[:4] + b"\xff\xff\xff\xff" + raw[8:],
        lambda raw: raw[:4] + b"\xff" * 12 + raw[16:],
        lambda raw: gzip.compress(raw[:4] + b"\xff\xff\xff\xff" + raw[8:]),
        lambda raw: gzip.compress(raw)[:-9],
        lambda raw: gzip.compress(raw)[:20] + b"\0\0" + gzip.compress(raw)[22:],
        lambda raw: gzip.compress(raw + raw),
    ],
)
def test_damaged_idx_files_are_refused_before_allocation(folder: Path, damage: Any) -> None:
    (folder / "x.idx").write_bytes(damage(idx(IMAGES)))
    refusal("NN420", read_table, request("idx", "x.idx"), folder)


def test_labels_of_another_length(folder: Path) -> None:
    (folder / "y.idx").write_bytes(idx(LABELS[:3]))
    wanted = request("idx", "x.idx", options={"labels": "y.idx"})
    assert "4" in refusal("NN421", read_table, wanted, folder).notes[0]


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "f.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    np.save(tmp_path / "y.npy", np.array(["b", "a", "b", "a"]))
    np.savez_compressed(tmp_path / "d.npz", x=IMAGES, label=LABELS, one=np.ones((4, 1)))
    wanted = request("array", "x.npy", options={"labels": "y.npy"})
    table = read_table(wanted, tmp_path)
    assert np.array_equal(table.columns["x"].values, IMAGES.reshape(4, 6))
    assert schema_of(table, wanted).targets[0].classes == ("a", "b")
    table = read_table(request("array", "f.npy"), tmp_path)
    assert table.columns["x"].values.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    wanted = request("array", "d.npz", target="label")
    table = read_table(wanted, tmp_path)
    assert schema_of(table, wanted).inputs[0].shape == (7,)


def npy(array: Any, **keywords: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **keywords)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        npy(np.array([{"a": 1}], dtype=object), allow_pickle=True),
        npy(np.zeros(3, dtype=[("a", "f8")])),
        npy(np.zeros(3, dtype=complex)),
        npy(np.zeros(3))[:-1],
        npy(np.zeros(3)) + b"x",
        npy(np.zeros(3)).replace(b"(3,)", b"(9,)"),
        npy(np.zeros(3)).replace(b"(3,)", b"(-3,)"),
        npy(np.zeros(3)).replace(b"(3,)", b"(-3,"),
        npy(np.zeros(3)).replace(b"(3,)", b"[[[["),
        npy(np.zeros(3))[:9],
        npy(np.float64(3)),
        pickle.dumps([1, 2]),
        b"",
        b"PK\x03\x04nothing",
    ],
)
def test_damaged_and_hostile_numpy_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    refusal("NN420", read_table, request("array", "x.npy"), tmp_path)


def test_archives_with_objects_or_bombs(tmp_path: Path, monkeypatch: Any) -> None:
    np.savez(tmp_path / "o.npz", x=np.array([None, 1], dtype=object))
    refusal("NN420", read_table, request("array", "o.npz"), tmp_path)
    with zipfile.ZipFile(tmp_path / "e.npz", "w"):
        pass
    refusal("NN420", read_table, request("array", "e.npz"), tmp_path)
    monkeypatch.setattr("nndsl.data.memory.available_bytes", lambda: 1e8)
    np.savez_compressed(tmp_path / "b.npz", x=np.zeros(8_000_000))
    refusal("NN620", read_table, request("array", "b.npz"), tmp_path)


def test_infinite_numbers_in_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1.0, np.inf], [1.0, 2.0]]))
    assert "row 1" in refusal("NN405", read_table, request("array", "x.npy"), tmp_path).title


def parquet(path: Path, query: str) -> None:
    connection = _module().connect(":memory:")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    connection.close()


def test_parquet(tmp_path: Path) -> None:
    parquet(
        tmp_path / "d.parquet",
        "SELECT * FROM (VALUES (1, 'x', 2.5, true, DATE '2020-01-31'), "
        "(2, NULL, NULL, false, NULL), (3, 'NA', 'nan'::DOUBLE, true, DATE '2021-01-01')) "
        'v(i, s, d, b, "the day")',
    )
    table = read_table(request("parquet", "d.parquet"), tmp_path)
    assert table.columns["i"].values.tolist() == [1.0, 2.0, 3.0]
    assert table.columns["s"].texts() == ["x", None, None]
    assert np.isnan(table.columns["d"].values).tolist() == [False, True, True]
    assert table.columns["b"].texts() == ["true", "false", "true"]
    assert table.columns["the day"].texts() == ["2020-01-31", None, "2021-01-01"]
    without = read_table(request("parquet", "d.parquet", options={"missing": 2}), tmp_path)
    assert without.columns["i"].missing.tolist() == [False, True, False]
    assert read_table(request(), tmp_path, tmp_path / "d.parquet").rows == 3


def test_parquet_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    path.write_text("a,t\n1,2\n")
    refusal("NN403", read_table, request("parquet", "d.parquet"), tmp_path)
    path.write_bytes(b"PAR1" + b"x" * 50 + b"PAR1")
    refusal("NN420", read_table, request("parquet", "d.parquet"), tmp_path)
    parquet(path, "SELECT [1, 2] AS l")
    refusal("NN420", read_table, request("parquet", "d.parquet"), tmp_path)
    parquet(path, "SELECT 'inf'::DOUBLE AS l")
    refusal("NN405", read_table, request("parquet", "d.parquet"), tmp_path)


def test_inline_tables(tmp_path: Path) -> None:
    columns = inline(
        x=np.linspace(0, 1, 3), n=[1, 2.5, None], s=["b", "a", None], f=[True, False, True]
    )
    table = read_table(request("table", None, table=columns), tmp_path)
    assert table.columns["x"].values.tolist() == [0.0, 0.5, 1.0]
    assert table.columns["n"].missing.tolist() == [False, False, True]
    assert table.columns["s"].texts() == ["b", "a", None]
    assert table.columns["f"].texts() == ["true", "false", "true"]


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("NN421", inline(a=[1, 2], b=[1])),
        ("NN405", inline(a=[1, "x"])),
        ("NN405", inline(a=[1, float("inf")])),
    ],
)
def test_inline_mistakes(tmp_path: Path, code: str, columns: Any) -> None:
    refusal(code, read_table, request("table", None, table=columns), tmp_path)


def test_a_csv_may_replace_an_inline_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a\n1\n2\n")
    table = read_table(request("table", None, table=inline(a=[1])), tmp_path, tmp_path / "d.csv")
    assert table.rows == 2


def test_any_damage_to_a_numpy_header_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    good = npy(np.arange(5.0))
    for _ in range(300):
        raw = bytearray(good)
        raw[rng.integers(0, 80)] = rng.integers(0, 256)
        (tmp_path / "x.npy").write_bytes(raw)
        try:
            read_table(request("array", "x.npy"), tmp_path)
        except NndslError as problem:
            assert problem.exit_code == 4
