"""IDX and NumPy files as pictures; steps by channel; rows that are decoded late."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from nndsl.data import (
    apply_schema,
    prepare,
    read_table,
    schema_from_json,
    schema_of,
    schema_to_json,
    split_rows,
)
from nndsl.data.images import preparing, reading
from nndsl.data.images.lazy import lazy, taken
from nndsl.data.images.pixels import StoredPixels
from tests.data.helpers import chain, refusal, request
from tests.data.images.helpers import idx, make_folder, read, wanted

GREY = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
COLOURS = (np.arange(6 * 4 * 5 * 3) % 251).astype(np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2], dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.idx").write_bytes(idx(GREY))
    (tmp_path / "x.gz").write_bytes(idx(GREY, packed=True))
    (tmp_path / "y.idx").write_bytes(idx(LABELS))
    np.save(tmp_path / "c.npy", COLOURS)
    np.save(tmp_path / "y.npy", LABELS)
    np.savez_compressed(tmp_path / "d.npz", image=COLOURS.transpose(0, 3, 1, 2), label=LABELS)
    np.savez(tmp_path / "f.npz", images=GREY.astype(np.float64) / 7, y=LABELS)
    return tmp_path


@pytest.mark.parametrize("name", ["x.idx", "x.gz"])
def test_idx(folder: Path, name: str) -> None:
    table = read(folder, name, labels="y.idx")
    assert table.columns["image"].shape == (1, 4, 3)
    assert np.array_equal(table.columns["image"].read(np.array([2]))[0, 0], GREY[2])
    assert schema_of(table, wanted(name)).targets[0].classes == ("0", "1", "2")


def test_numpy(folder: Path) -> None:
    table = read(folder, "c.npy", labels="y.npy")
    assert table.columns["image"].shape == (3, 4, 5)
    both = read(folder, "d.npz")
    everything = np.arange(6)
    assert np.array_equal(
        table.columns["image"].read(everything), both.columns["image"].read(everything)
    )
    assert both.columns["label"].values.tolist() == LABELS.tolist()
    numbers = read(folder, "f.npz").columns["image"].read(everything)
    assert numbers.dtype == np.float32
    assert np.allclose(numbers[:, 0], GREY / 7)


def test_labels_under_another_name(folder: Path) -> None:
    np.savez(folder / "z.npz", image=GREY, kind=LABELS)
    table = read(folder, "z.npz", labels="kind")
    assert table.columns["label"].values.tolist() == LABELS.tolist()
    request = wanted("z.npz", labels="kind")
    schema = schema_of(table, request)
    again = read_table(request, folder, folder / "z.npz", expected=schema)
    assert again.columns["label"].values.tolist() == LABELS.tolist()
    np.savez(folder / "z.npz", image=GREY)
    assert "label" not in read_table(request, folder, folder / "z.npz", expected=schema).columns


def test_large_plain_files_are_read_row_by_row(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(folder / "n.npy", GREY.astype(">f8"))
    known = {n: read(folder, n).columns["image"].read(np.array([4, 1])) for n in ("x.idx", "n.npy")}
    monkeypatch.setattr(reading, "LARGE_SHARE", 0.0)
    for name, expected in known.items():
        column = read(folder, name).columns["image"]
        assert isinstance(column.pixels, StoredPixels)
        found = column.read(np.array([4, 1]))
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
    column = read(folder, "x.idx").columns["image"]
    (folder / "x.idx").write_bytes(idx(GREY)[:60])
    refusal("NN420", column.read, np.array([5]))
    refusal("NN420", read, folder, "x.idx")


def objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (idx(GREY)[:-1], "NN420"),
        (idx(GREY)[:4] + b"\xff" * 12 + idx(GREY)[16:], "NN420"),
        (idx(GREY, packed=True)[:-5], "NN420"),
        (objects(), "NN420"),
        (pickle.dumps([1, 2]), "NN403"),
        (b"<html>", "NN403"),
        (idx(LABELS), "NN426"),
        (idx(GREY.reshape(6, 1, 4, 3, 1)), "NN426"),
        (idx(GREY[:0]), "NN410"),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_what_is_no_array_of_pictures(
    tmp_path: Path, content: bytes, code: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGE_SHARE", share)
    (tmp_path / "x").write_bytes(content)
    refusal(code, read, tmp_path, "x")


def test_mistakes_of_labels_and_sizes(folder: Path) -> None:
    (folder / "few.idx").write_bytes(idx(LABELS[:4]))
    assert "4 labels" in refusal("NN421", read, folder, "x.idx", labels="few.idx").title
    refusal("NN426", read, folder, "x.idx", size=28)
    refusal("NN426", read, folder, "x.idx", channels=3)
    assert read(folder, "x.idx", size=[4, 3], channels=1).rows == 6
    np.savez(folder / "odd.npz", a=GREY, b=GREY)
    assert "a, b" in refusal("NN427", read, folder, "odd.npz").notes[0]
    np.save(folder / "nan.npy", np.full((2, 3, 3), np.nan))
    refusal("NN405", read, folder, "nan.npy")


# --- preparation ----------------------------------------------------------------------------


def specification(steps: str) -> object:
    chains = (chain("image", steps),) if steps else ()
    return request("images", "d.npz", chains=chains)


@pytest.mark.parametrize("steps", ["", "standardize", "minmax", "keep", "center"])
def test_steps_by_channel(folder: Path, steps: str) -> None:
    wanted = specification(steps)
    table = read(folder, "d.npz")
    rows = np.array([0, 1, 2, 3])
    done = prepare(table, schema_of(table, wanted), wanted, rows)
    found = done.inputs["input"]
    x = COLOURS.transpose(0, 3, 1, 2).astype(np.float64)
    part = x[rows].transpose(1, 0, 2, 3).reshape(3, -1)
    mean, low, high = part.mean(1), part.min(1), part.max(1)
    expected = {
        "": x / 255,
        "keep": x,
        "center": x - mean[:, None, None],
        "standardize": (x - mean[:, None, None]) / part.std(1)[:, None, None],
        "minmax": (x - low[:, None, None]) / (high - low)[:, None, None],
    }[steps]
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)
    again = schema_from_json(schema_to_json(done.schema))
    assert again == done.schema
    assert np.array_equal(apply_schema(table, again).inputs["input"], found)


def test_what_was_learnt_must_be_there_for_every_channel(folder: Path) -> None:
    wanted = specification("standardize")
    table = read(folder, "d.npz")
    text = schema_to_json(prepare(table, schema_of(table, wanted), wanted, np.arange(4)).schema)
    document = json.loads(text)
    learnt = document["schema"]["inputs"][0]["steps"]["image"][0]["learnt"]
    learnt["divisor"] = learnt["divisor"][:2]
    refusal("NN520", schema_from_json, json.dumps(document))


def test_rows_that_take_much_memory_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(tmp_path / "pictures")
    table = read(tmp_path)
    rows = np.array([3, 20, 7])
    request = wanted()
    eager = prepare(table, schema_of(table, request), request, rows).inputs["input"]
    monkeypatch.setattr(preparing, "KEPT_SHARE", 0.0)
    late = prepare(table, schema_of(table, request), request, rows).inputs["input"]
    assert lazy(late)
    assert not lazy(eager)
    assert late.shape == eager.shape
    assert np.array_equal(late[rows], eager[rows])
    assert np.array_equal(late[5:9], eager[5:9])
    part = taken(late, rows)
    assert len(part) == 3
    assert np.array_equal(part[np.array([2])], eager[[7]])
    assert lazy(part).fingerprint() != lazy(late).fingerprint()
    assert lazy(part).fingerprint() == lazy(taken(late, rows)).fingerprint()


def test_pictures_are_no_column_of_texts(folder: Path) -> None:
    table = read(folder, "d.npz")
    refusal(
        "NN419", schema_of, table, request("images", "d.npz", chains=(chain("image", "onehot"),))
    )
    by_picture = request("images", "d.npz", split="image")
    refusal("NN419", split_rows, table, schema_of(table, wanted("d.npz")), by_picture, 0)


def test_pictures_beside_columns_need_an_input_of_their_own(tmp_path: Path) -> None:
    make_folder(tmp_path / "road", 2)
    text = "file,angle,speed\nring/1.png,0.5,1\ncross/0.png,-2,3\n"
    (tmp_path / "steer.csv").write_text(text)
    table = read(tmp_path, "road", labels="steer.csv")
    one = request("images", "road", target="angle", options={"labels": "steer.csv"})
    refusal("NN419", schema_of, table, one)
    inputs = (chain("image", input="view"), chain("speed", input="facts"))
    two = request("images", "road", target="angle", chains=inputs)
    assert [i.shape for i in schema_of(table, two).inputs] == [(1, 8, 8), (1,)]
