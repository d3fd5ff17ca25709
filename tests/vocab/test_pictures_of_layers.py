"""Filters and maps as images: colours, several channels, large maps, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.vocab.arguments import call
from nndsl.vocab.figures import Images, Scale
from nndsl.vocab.pictures import Example, Picture
from nndsl.vocab.registry import words


class Layers:
    """A run of which only arrays and one example are known."""

    def __init__(self, weights=None, maps=None, image=None) -> None:
        self.weights = weights or {}
        self.known = Example("row 7", "a cat, taken for a dog (0.60)", image, maps or {})

    def example(self, row: int, place: str | None) -> Example | None:
        return self.known if row == 1 else None


def drawn(name: str, run: Layers, **arguments) -> list[Images]:
    word = words("picture")[name]
    assert isinstance(word, Picture) and word.draw is not None
    return list(word.draw(run, call(word, **arguments).arguments))


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def test_the_first_filters_that_see_neighbours_are_drawn_when_nothing_is_asked() -> None:
    grey = numbers(4, 1, 5, 5)
    arrays = {"a.weight": numbers(4, 1, 1, 1), "b.weight": grey, "c.weight": numbers(4, 4, 3, 3)}
    (images,) = drawn("filters", Layers(arrays))
    assert images.title == "Filters of b.weight"
    assert (images.images == grey[:, 0]).all()
    assert images.names == ("filter 1", "filter 2", "filter 3", "filter 4")
    assert drawn("filters", Layers({"dense.weight": numbers(4, 9)})) == []


def test_three_channels_are_colours() -> None:
    array = numbers(4, 3, 5, 5)
    (images,) = drawn("filters", Layers({"conv.weight": array}), most=2)
    assert images.images.shape == (2, 5, 5, 3)
    assert (images.images[1, 2, 3] == array[1, :, 2, 3]).all()
    assert "first 2 of 4 filters" in images.alternative and "red" in images.alternative


def test_several_channels_stand_side_by_side() -> None:
    array = numbers(2, 5, 3, 2)
    (images,) = drawn("filters", Layers({"conv.weight": array}), part=("conv.weight",))
    assert images.images.shape == (2, 7, 8)
    assert (images.images[:, 4:, 3:5] == array[:, 4]).all()
    assert np.isnan(images.images[:, 3]).all() and np.isnan(images.images[:, 4:, 6:]).all()
    (line,) = drawn("filters", Layers({"conv.weight": numbers(2, 4, 7)}))
    assert line.images.shape == (2, 4, 7)
    (many,) = drawn("filters", Layers({"conv.weight": numbers(1, 20, 3, 3)}))
    assert many.images.shape == (1, 15, 15) and "first 16" in many.alternative


def test_maps_come_with_the_picture_that_they_are_made_of() -> None:
    image, maps = np.eye(4), np.abs(numbers(12, 4, 4))
    picture, relu = drawn("maps", Layers(maps={"conv": maps}, image=image))
    assert (
        picture.scale is Scale.PICTURE and picture.title == "row 7: a cat, taken for a dog (0.60)"
    )
    assert (relu.images == maps[:10]).all() and relu.title == "What conv gives"
    assert "the first 10 of 12 maps of 4 x 4" in relu.alternative
    assert drawn("maps", Layers(maps={"conv": maps}), row=2) == []
    assert drawn("maps", Layers(image=image)) == []


def test_large_maps_are_made_smaller() -> None:
    maps = np.arange(130 * 70.0).reshape(1, 130, 70)
    (images,) = drawn("maps", Layers(maps={"conv": maps}))
    assert images.images.shape == (1, 43, 23)
    assert images.images[0, 0, 0] == pytest.approx(maps[0, :3, :3].mean())
    assert "mean of 3 x 3" in images.alternative


@pytest.mark.parametrize(
    ("place", "expected"),
    [(None, ""), ("conv", ""), ("dense", "10 numbers"), ("step", "4x8"), ("?", "named line")],
)
def test_maps_need_a_stage_that_gives_some(place: str | None, expected: str) -> None:
    shapes = {"conv": (4, "h", "w"), "dense": (10,), "step": (4, 8)}
    told = words("picture")["maps"].problem(shapes, {"part": place, "row": 1, "most": 4})
    assert expected in told and bool(told) == bool(expected)
    asked = {"part": ("dense.bias",), "most": 4}
    assert "convolution" in words("picture")["filters"].problem({"dense.bias": (3,)}, asked)
