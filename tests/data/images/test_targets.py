"""Pictures as targets: masks matched with pictures, levels as classes, numbers with their steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndsl.data import apply_schema, prepare, read_table, schema_of, split_rows
from nndsl.data.images import preparing
from nndsl.data.images.column import ImageColumn
from nndsl.data.predictions import Prediction, write_predictions
from nndsl.data.preparation import invert_pictures
from nndsl.schema import DataSpecification, PictureRequest, Setting, TargetKind
from tests.data.helpers import SPAN, chain, refusal, request

COUNT, SIDE = 6, 8


def mask_of(number: int) -> np.ndarray:
    """A box at a place of its own: bool [side, side]."""
    made = np.zeros((SIDE, SIDE), bool)
    made[1 : 4 + number % 3, number % 4 :] = True
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`cells` with JPEG pictures, `masks` with PNG files of 0 and 255, and arrays of both."""
    for name in ("cells", "masks"):
        (tmp_path / name).mkdir()
    masks = np.stack([mask_of(number) for number in range(COUNT)])
    pictures = (60 + 120 * masks).astype(np.uint8)
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        Image.fromarray(picture).save(tmp_path / "cells" / f"{number}.jpg")
        Image.fromarray((255 * mask).astype(np.uint8)).save(tmp_path / "masks" / f"{number}.png")
    np.savez(tmp_path / "both.npz", image=pictures, mask=masks)
    np.save(tmp_path / "pictures.npy", pictures)
    np.save(tmp_path / "masks.npy", masks.astype(np.int64))
    return tmp_path


def data(path: str = "cells", masks: str | None = "masks", **more: object) -> DataSpecification:
    """`images(path, target=images(masks))` as a request."""
    options = {n: Setting(v, SPAN) for n, v in more.pop("beside", {}).items()}  # type: ignore[attr-defined]
    made = request("images", path, target="masks", **more)
    pictures = PictureRequest("masks", masks, options, SPAN, SPAN) if masks else None
    return DataSpecification(
        made.name, made.kind, made.path, made.options, made.table, made.settings, made.chains,
        made.columns, made.span, made.path_span, pictures,
    )  # fmt: skip


def masks_in(prepared: object) -> np.ndarray:
    return np.asarray(prepared.targets["masks"][:])  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "masks"), [("cells", "masks"), ("pictures.npy", "masks.npy")])
@pytest.mark.parametrize("share", [0.25, 0.0])
def test_two_levels_are_two_classes_of_each_pixel(
    folder: Path, path: str, masks: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "KEPT_SHARE", share)
    wanted = data(path, masks)
    table = read_table(wanted, folder)
    schema = schema_of(table, wanted)
    (target,) = schema.targets
    levels = ("0", "255") if path == "cells" else ("0", "1")
    assert (target.kind, target.classes) == (TargetKind.CLASSES, levels)
    assert target.shape == (1, SIDE, SIDE) and [i.columns for i in schema.inputs] == [("image",)]
    done = prepare(table, schema, wanted, np.arange(4))
    expected = np.stack([mask_of(number) for number in range(COUNT)])[:, None]
    assert masks_in(done).dtype == np.int32
    np.testing.assert_array_equal(masks_in(done), expected)
    assert [note.code for note in done.notes] == ["NN451"]
    parts = split_rows(table, schema, wanted, 0)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == COUNT


def test_an_array_of_the_same_file(folder: Path) -> None:
    wanted = request("images", "both.npz", target="mask")
    table = read_table(wanted, folder)
    (target,) = schema_of(table, wanted).targets
    assert (target.name, target.classes) == ("mask", ("0", "1"))


def test_numbered_colours_are_classes(folder: Path) -> None:
    for number in range(COUNT):
        picture = Image.fromarray((mask_of(number) * 7).astype(np.uint8), "P")
        picture.putpalette([number for colour in range(8) for number in (colour, 0, 200)])
        picture.save(folder / "masks" / f"{number}.png")
    wanted = data()
    table = read_table(wanted, folder)
    assert schema_of(table, wanted).targets[0].classes == ("0", "7")
    in_colours = data(beside={"channels": 3})
    assert schema_of(read_table(in_colours, folder), in_colours).targets[0].shape == (3, 8, 8)


def test_scaled_with_their_pictures_levels_stay(folder: Path) -> None:
    wanted = data(options={"size": 5})
    (target,) = schema_of(read_table(wanted, folder), wanted).targets
    assert target.classes == ("0", "255") and target.shape == (1, 5, 5)


@pytest.mark.parametrize("steps", [(), ("keep",), ("standardize",)])
def test_pictures_as_numbers(folder: Path, steps: tuple[str, ...]) -> None:
    for number in range(COUNT):
        ramp = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) * 3 + number
        Image.fromarray(ramp.astype(np.uint8)).save(folder / "masks" / f"{number}.png")
    wanted = data(chains=(chain("masks", *steps),) if steps else ())
    table = read_table(wanted, folder)
    schema = schema_of(table, wanted)
    (target,) = schema.targets
    assert (target.kind, target.shape) == (TargetKind.NUMBERS, (1, SIDE, SIDE))
    assert [s.word for s in target.steps] == list(steps or ("scale",))
    done = prepare(table, schema, wanted, np.arange(4))
    column = table.columns["masks"]
    assert isinstance(column, ImageColumn)
    back = invert_pictures(done.schema.targets[0], masks_in(done))
    np.testing.assert_allclose(back, column.read(np.arange(COUNT)), atol=1e-3)


def test_steps_on_texts_make_levels_classes(folder: Path) -> None:
    wanted = data(chains=(chain("masks", "onehot"),))
    assert schema_of(read_table(wanted, folder), wanted).targets[0].classes == ("0", "255")


def test_pictures_that_give_themselves(folder: Path) -> None:
    wanted = request("images", "cells", target="image")
    schema = schema_of(read_table(wanted, folder), wanted)
    assert schema.inputs[0].columns == ("image",) and schema.targets[0].shape == (1, SIDE, SIDE)


def test_new_pictures(folder: Path) -> None:
    wanted = data()
    schema = prepare(*(t := read_table(wanted, folder), schema_of(t, wanted), wanted),
                     np.arange(4)).schema  # fmt: skip
    same = read_table(wanted, Path(), folder / "cells", expected=schema)
    assert "masks" in same.columns and "NN465" in [note.code for note in same.notes]
    assert masks_in(apply_schema(same, schema)).shape == (COUNT, 1, SIDE, SIDE)
    (folder / "test").mkdir()
    for name in ("cells", "masks"):
        (folder / name).rename(folder / "test" / name)
    elsewhere = read_table(wanted, Path(), folder / "test" / "cells", expected=schema)
    assert "masks" in elsewhere.columns
    for name in ("cells", "masks"):
        (folder / "test" / name).rename(folder / name)
    (folder / "masks" / "3.png").unlink()
    fewer = read_table(wanted, Path(), folder / "cells", expected=schema)
    assert "masks" not in fewer.columns and not apply_schema(fewer, schema).targets
    (folder / "others").symlink_to(folder / "cells")
    others = read_table(wanted, Path(), folder / "others", expected=schema)
    assert "masks" not in others.columns
    alone = read_table(wanted, Path(), folder / "cells" / "0.jpg", expected=schema)
    assert alone.rows == 1


def test_a_level_that_is_no_class(folder: Path) -> None:
    wanted = data()
    table = read_table(wanted, folder)
    schema = schema_of(table, wanted)
    Image.fromarray(np.full((SIDE, SIDE), 9, np.uint8)).save(folder / "masks" / "2.png")
    new = read_table(wanted, Path(), folder / "cells", expected=schema)
    assert "9" in refusal("NN414", apply_schema, new, schema).title


@pytest.mark.parametrize(
    ("change", "code", "title"),
    [
        ("absent", "NN401", "`masks` does not exist"),
        ("fewer", "NN427", "masks has no picture for 3.jpg"),
        ("larger", "NN426", "masks/3.png is 1x9x9, the other pictures are 1x8x8"),
        ("damaged", "NN425", "masks/3.png cannot be read"),
    ],
)
def test_folders_that_do_not_fit(folder: Path, change: str, code: str, title: str) -> None:
    third = folder / "masks" / "3.png"
    if change == "absent":
        (folder / "masks").rename(folder / "mask")
    elif change == "larger":
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(third)
    elif change == "damaged":
        third.write_bytes(third.read_bytes()[:60])
    else:
        third.unlink()
    assert title in refusal(code, read_table, data(), folder).title


def test_arrays_that_do_not_fit(folder: Path) -> None:
    np.save(folder / "masks.npy", np.zeros((COUNT - 1, SIDE, SIDE), np.uint8))
    assert "6 pictures" in refusal("NN421", read_table, data("pictures.npy", "masks.npy"),
                                   folder).title  # fmt: skip
    refusal("NN427", read_table, data("pictures.npy", "masks"), folder)
    refusal("NN403", read_table, data("cells", "cells/0.jpg"), folder)


def test_pictures_of_a_table_that_tells_levels_apart(folder: Path) -> None:
    colours = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    np.save(folder / "masks.npy", colours)
    wanted = data("pictures.npy", "masks.npy", chains=(chain("masks", "onehot"),))
    refusal("NN419", schema_of, read_table(wanted, folder), wanted)


def test_predicted_pictures_are_files_that_the_table_names(folder: Path) -> None:
    wanted = data()
    table = read_table(wanted, folder)
    (target,) = schema_of(table, wanted).targets
    said = np.stack([~mask_of(number) for number in range(COUNT)])[:, None].astype(np.int64)
    write_predictions(table, [Prediction(target, said)], folder / "out.csv")
    lines = (folder / "out.csv").read_text().splitlines()
    assert lines[:2] == ["file,predicted_masks", "0.jpg,out/0.png"]
    written = np.asarray(Image.open(folder / "out" / "3.png"))
    np.testing.assert_array_equal(written, 255 * said[3, 0])


def test_predicted_numbers_are_rounded_or_kept(folder: Path) -> None:
    wanted = request("images", "cells", target="image")
    table = read_table(wanted, folder)
    (target,) = schema_of(table, wanted).targets
    values = np.full((COUNT, 1, SIDE, SIDE), 99.6)
    values[0] = 300
    write_predictions(table, [Prediction(target, values)], folder / "out.csv")
    assert np.asarray(Image.open(folder / "out" / "0.png")).max() == 255
    assert np.asarray(Image.open(folder / "out" / "1.png")).max() == 100
    write_predictions(table, [Prediction(target, values, as_bytes=False)], folder / "kept.csv")
    np.testing.assert_allclose(np.load(folder / "kept" / "1.npy"), 99.6, rtol=1e-6)


def test_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    wanted = data()
    table = read_table(wanted, folder)
    (target,) = schema_of(table, wanted).targets
    said = [Prediction(target, np.zeros((COUNT, 1, SIDE, SIDE), np.int64))]
    before = {path.name: path.read_bytes() for path in (folder / "cells").iterdir()}
    refusal("NN428", write_predictions, table, said, folder / "cells.csv")
    assert {path.name: path.read_bytes() for path in (folder / "cells").iterdir()} == before
    assert not (folder / "cells.csv").exists()
    write_predictions(table, said, folder / "out.csv")
    write_predictions(table, said, folder / "out.csv")  # its own files it may write anew
    (folder / "out" / "mine.png").write_bytes(b"")
    refusal("NN428", write_predictions, table, said, folder / "out.csv")
    write_predictions(table, said, folder / "without_ending")
    assert (folder / "without_ending-pictures" / "0.png").exists()
