"""Answers that are pictures: beside the pictures they were given for, and the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndsl.data.images.lazy import middle
from nndsl.model.report.evidence import Evidence, Rows
from nndsl.model.report.numbers import number
from nndsl.render.report import content
from nndsl.render.report.tiles import photographs
from nndsl.vocab.pictures import Judged

SHOWN = 6
SIDE = 336
"""Pixels of the page that a row of pictures is wide, about."""
GAP = 0.06
"""Between two pictures, as a share of their height."""

COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "orange": (230, 159, 0),
    "sky blue": (86, 180, 233), "green": (0, 158, 115), "yellow": (240, 228, 66),
    "blue": (0, 114, 178), "purple": (204, 121, 167),
}  # fmt: skip
"""Of classes, told apart with any sight: Okabe & Ito 2008, Color universal design."""
WRONG = (213, 94, 0)


def answered_pictures(judged: Judged, evidence: Evidence, rows: Rows) -> list[content.Block]:
    """A few rows from the best answer to the worst; none where the input is no picture."""
    places = rows.parts[judged.part]
    shape = (len(places), *judged.image)
    actual, said = judged.actual.reshape(shape), _said(judged).reshape(shape)
    errors = (said != actual) if judged.classes else np.square(said - actual)
    worth = errors.reshape(len(places), -1).mean(axis=1)
    order = np.argsort(worth, kind="stable")
    steps = np.unique(np.linspace(0, len(places) - 1, min(SHOWN, len(places))).astype(np.int64))
    chosen = order[steps]
    given = evidence.images(places[chosen])
    if given is None:
        return []
    panels = [_of_size(given, judged.image), _drawn(judged, actual, chosen)]
    panels.append(_drawn(judged, said, chosen))
    if judged.classes:
        panels.append(_marked(panels[0], errors[chosen, 0]))
    told = [_figure(judged, float(worth[i])) for i in chosen]
    names = [rows.table.row_name(int(place)) for place in places[chosen]]
    listed = "the picture, what is right, what is answered"
    listed += ", and in orange where these differ" if judged.classes else ""
    alternatives = [f"{name}: {listed}; {one}" for name, one in zip(names, told, strict=True)]
    items = photographs(_joined(panels), alternatives, SIDE)
    named = tuple(
        replace(item, name=name, note=one)
        for item, name, one in zip(items, names, told, strict=True)
    )
    caption = f"Side by side: {listed}. From the best of the {judged.part} rows to the worst."
    title = f"{judged.title}: pictures answered"
    return [content.Tiles(title, f"{caption}{_legend(judged.classes)}", named)]


def _said(judged: Judged) -> np.ndarray:
    return judged.said if judged.classes else judged.predictions


def _figure(judged: Judged, error: float) -> str:
    if judged.classes:
        return f"{100 * (1 - error):.1f} % of the pixels right"
    return f"root of the mean squared error {number(float(np.sqrt(error)))}"


def _of_size(given: np.ndarray, image: Sequence[int]) -> np.ndarray:
    """Pictures in colours [n, height, width, 3] from 0 to 1: the middle, where the answer is."""
    colours = given if given.ndim == 4 else np.repeat(given[..., None], 3, axis=-1)
    size = (min(image[1], colours.shape[1]), min(image[2], colours.shape[2]))
    return middle(colours.transpose(0, 3, 1, 2), size).transpose(0, 2, 3, 1)


def _drawn(judged: Judged, values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Classes in their colours; numbers from the least of the right ones to the greatest."""
    part = values[chosen]
    if judged.classes:
        palette = np.array(_palette(judged.classes), np.float64) / 255
        colours: np.ndarray = palette[part[:, 0] % len(palette)]
        return colours
    low, high = float(judged.actual.min()), float(judged.actual.max())
    share = np.clip((part - low) / ((high - low) or 1.0), 0, 1).transpose(0, 2, 3, 1)
    return share if share.shape[-1] == 3 else np.repeat(share.mean(-1, keepdims=True), 3, axis=-1)


def _palette(classes: Sequence[str]) -> list[tuple[int, int, int]]:
    names = list(COLOURS)
    return [COLOURS[n] for n in (names[:2] if len(classes) == 2 else [names[0], *names[2:]])]


def _legend(classes: Sequence[str]) -> str:
    """Which colour stands for which class, where there are few."""
    names = list(COLOURS)
    used = names[:2] if len(classes) == 2 else [names[0], *names[2:]]
    if not classes or len(classes) > len(used):
        return ""
    pairs = zip(classes, used, strict=False)
    return f" Classes: {', '.join(f'{name} {colour}' for name, colour in pairs)}."


def _marked(given: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Pictures, darker, with the wrong pixels in orange."""
    return np.where(wrong[..., None], np.array(WRONG) / 255, 0.6 * given)


def _joined(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures side by side, with white between them."""
    height = panels[-1].shape[1]
    gap = np.ones((len(panels[0]), height, max(1, round(GAP * height)), 3))
    parts = [part for panel in panels for part in (panel, gap)]
    return np.concatenate(parts[:-1], axis=2)
