"""Folders of pictures: order, classes, sizes, and everything that may be wrong with a file."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndsl.data import read_table, schema_of
from nndsl.data.images.column import ImageColumn
from nndsl.diagnostics import NndslError
from tests.data.helpers import refusal, request
from tests.data.images.helpers import drawn, make_folder, read, wanted


def pixels(table: object, rows: list[int] | None = None) -> np.ndarray:
    column = table.columns["image"]
    assert isinstance(column, ImageColumn)
    return column.read(np.arange(len(column.rows)) if rows is None else np.array(rows))


def test_sub_folders_are_classes_and_numbers_count(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures")
    table = read(tmp_path)
    assert table.rows == 24
    assert table.names[:3] == ("cross/0.png", "cross/1.png", "cross/2.png")
    assert table.names[11:13] == ("cross/11.png", "ring/0.png")
    assert table.columns["label"].categories == ("cross", "ring")
    assert np.array_equal(pixels(table, [2, 12])[:, 0], [drawn("cross", 2), drawn("ring", 0)])
    schema = schema_of(table, wanted())
    assert schema.inputs[0].shape == (1, 8, 8)
    assert schema.inputs[0].steps["image"][0].word == "scale"
    assert schema.targets[0].classes == ("cross", "ring")
    assert table.row_names(np.array([0, 1])) == "cross/0.png, cross/1.png"


def test_jpeg_is_read_and_colours_stand_first(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures", 2, 16, "jpg")
    assert np.abs(pixels(read(tmp_path), [0])[0, 0].astype(int) - drawn("cross", 0, 16)).mean() < 9
    colours = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    for kind in "ab":
        (tmp_path / "colours" / kind).mkdir(parents=True)
        Image.fromarray(colours).save(tmp_path / "colours" / kind / "x.PNG")
    table = read(tmp_path, "colours")
    assert np.array_equal(pixels(table, [0])[0], colours.transpose(2, 0, 1))


def test_size_scales_until_covered_and_cuts_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((4, 8), np.uint8)
    wide[:, 2:6] = 200
    for kind in "ab":
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        Image.fromarray(wide).save(tmp_path / "pictures" / kind / "wide.png")
        Image.fromarray(np.full((6, 6), 7, np.uint8)).save(tmp_path / f"pictures/{kind}/x.png")
    found = pixels(read(tmp_path, size=4))
    assert found.shape == (4, 1, 4, 4)
    assert (found[0] == 200).all()
    assert (found[1] == 7).all()
    assert pixels(read(tmp_path, size=[2, 3], channels=3)).shape == (4, 3, 2, 3)


def test_other_files_links_and_empty_folders_are_told(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "pictures", 2)
    (folder / "cross" / "notes.txt").write_text("x")
    (folder / ".hidden.png").write_text("x")
    (folder / "empty").mkdir()
    (tmp_path / "secret.png").write_bytes((folder / "ring" / "0.png").read_bytes())
    (folder / "ring" / "link.png").symlink_to(tmp_path / "secret.png")
    table = read(tmp_path)
    assert table.rows == 4
    assert [note.code for note in table.notes] == ["NN464", "NN464"]
    assert "cross/notes.txt, ring/link.png" in table.notes[0].title


def test_a_link_out_of_the_folder_is_no_source(tmp_path: Path) -> None:
    make_folder(tmp_path / "far" / "pictures", 2)
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "pictures").symlink_to(tmp_path / "far" / "pictures")
    refusal("NN402", read, tmp_path / "near")
    refusal("NN402", read, tmp_path / "near", "../far/pictures")


def test_folders_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "a").mkdir(parents=True)
    assert "a have none either" in refusal("NN427", read, tmp_path).notes[0]
    make_folder(tmp_path / "mixed", 1)
    (tmp_path / "mixed" / "x.png").write_bytes((tmp_path / "mixed/ring/0.png").read_bytes())
    assert "x.png" in refusal("NN427", read, tmp_path, "mixed").title
    refusal("NN401", read, tmp_path, "absent")


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header declares any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def good() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(drawn("ring", 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"GIF89a" + bytes(40),
        b"II*\0" + bytes(40),
        b"\xff\xd8\xff\xe0" + bytes(20),
        b"\x89PNG\r\n\x1a\n",
        png_of(60_000, 60_000),
        png_of(2**31 - 1, 2**31 - 1),
        png_of(0, 8),
        png_of(8, 8, b"short"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    folder = make_folder(tmp_path / "pictures", 3)
    (folder / "ring" / "1.png").write_bytes(content)
    problem = refusal("NN425", lambda: pixels(read(tmp_path)))
    assert "ring/1.png" in problem.title


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.7])
def test_truncated_files_are_named(tmp_path: Path, keep: float) -> None:
    folder = make_folder(tmp_path / "pictures", 3)
    for number in range(2):
        (folder / "ring" / f"{number}.png").write_bytes(good()[: int(keep * len(good()))])
    with pytest.raises(NndslError) as caught:
        pixels(read(tmp_path))
    assert {d.code for d in caught.value.diagnostics} == {"NN425"}
    assert "ring/0.png" in caught.value.diagnostics[0].title


def test_no_byte_of_a_picture_ends_in_a_traceback(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = make_folder(tmp_path / "pictures", 1)
    stream = io.BytesIO()
    Image.fromarray(drawn("ring", 0)).save(stream, "JPEG")
    for content in (good(), stream.getvalue()):
        for _ in range(60):
            damaged = bytearray(content)
            damaged[rng.integers(len(damaged))] = rng.integers(256)
            (folder / "ring" / "0.png").write_bytes(damaged)
            try:
                pixels(read(tmp_path))
            except NndslError as problem:
                assert problem.diagnostics[0].code in ("NN425", "NN426")


def test_unlike_pictures(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "pictures", 2)
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(folder / "ring" / "1.png")
    problem = refusal("NN426", read, tmp_path)
    assert "ring/1.png is 1x9x8, the other pictures are 1x8x8" in problem.title
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "ring" / "1.png")
    assert "channels=1" in refusal("NN426", read, tmp_path).help[0]
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(folder / "ring" / "1.png")
    assert "transparent" in refusal("NN426", read, tmp_path).title
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(folder / "ring" / "1.png")
    assert "8 bits" in refusal("NN426", read, tmp_path).title
    Image.fromarray(np.full((8, 8, 4), 100, np.uint8)).save(folder / "ring" / "1.png")
    assert (pixels(read(tmp_path, channels=1), [3]) == 100).all()


@pytest.mark.parametrize("options", [{"size": 0}, {"size": [2, 3, 4]}, {"channels": 2}])
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, object]) -> None:
    make_folder(tmp_path / "pictures", 1)
    refusal("NN418", read, tmp_path, **options)


def test_labels_in_a_file(tmp_path: Path) -> None:
    make_folder(tmp_path / "road", 2)
    (tmp_path / "steer.csv").write_text("file,angle\nring/1.png,0.5\ncross/0.png,-2\n")
    table = read(tmp_path, "road", labels="steer.csv")
    assert table.names == ("ring/1.png", "cross/0.png")
    assert table.columns["angle"].values.tolist() == [0.5, -2.0]
    schema = schema_of(table, wanted("road", labels="steer.csv"))
    assert schema.targets[0].name == "angle"
    (tmp_path / "secret.png").write_bytes((tmp_path / "road/ring/0.png").read_bytes())
    (tmp_path / "road" / "link.png").symlink_to(tmp_path / "secret.png")
    for name in ("ring/9.png", "../steer.csv", "/etc/passwd", "link.png", "ring", "a" * 999):
        (tmp_path / "steer.csv").write_text(f"file,angle\n{name},0.5\n")
        refusal("NN427", read, tmp_path, "road", labels="steer.csv")


def test_new_pictures_may_come_without_labels(tmp_path: Path) -> None:
    make_folder(tmp_path / "road", 2)
    (tmp_path / "steer.csv").write_text("file,angle\nring/1.png,0.5\ncross/0.png,-2\n")
    request = wanted("road", labels="steer.csv")
    schema = schema_of(read_table(request, tmp_path), request)
    make_folder(tmp_path / "far" / "new", 1)
    table = read_table(request, tmp_path, tmp_path / "far" / "new", expected=schema)
    assert table.rows == 2
    assert "angle" not in table.columns


def test_a_single_picture_for_a_trained_network(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures", 2)
    schema = schema_of(read(tmp_path), wanted())
    Image.fromarray(np.full((8, 8, 3), 9, np.uint8)).save(tmp_path / "new.png")
    table = read_table(wanted(), tmp_path, tmp_path / "new.png", expected=schema)
    assert table.names == ("new.png",)
    assert (pixels(table) == 9).all()
    Image.fromarray(np.full((8, 9), 9, np.uint8)).save(tmp_path / "new.png")
    problem = refusal("NN426", read_table, wanted(), tmp_path, tmp_path / "new.png", schema)
    assert "the network was trained on 1x8x8" in problem.title


def test_pictures_where_tables_are_read(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "pictures", 2)
    (tmp_path / "d.csv").write_bytes((folder / "ring" / "0.png").read_bytes())
    assert "images(" in refusal("NN403", read_table, request("csv"), tmp_path).help[0]
    assert "images(" in refusal("NN402", read_table, request("csv", "pictures"), tmp_path).help[0]


def test_pictures_without_labels_have_nothing_to_predict(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures", 2)
    table = read(tmp_path, "pictures/ring")
    problem = refusal("NN412", schema_of, table, wanted("pictures/ring"))
    assert "sub-folder for each class" in problem.help[0]
