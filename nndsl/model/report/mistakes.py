"""The rows that the network is most wrong about, as they stand in the data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.table import NumberColumn
from nndsl.model.report.evidence import Evidence, Rows
from nndsl.model.report.numbers import number
from nndsl.render.png import coloured, data_address, png
from nndsl.render.report import content
from nndsl.vocab.pictures import Judged

MOST = 12
MOST_COLUMNS = 5
MOST_TEXT = 40
LEAST_SIDE = 5
"""Rows of at least so many numbers squared are shown as pictures, when that is their shape."""
TILE = 96


def mistakes(evidence: Evidence) -> list[content.Block]:
    """For each output, the most confident mistakes or the largest errors."""
    rows = evidence.rows
    found: list[content.Block] = []
    for judged in evidence.judged if rows is not None else ():
        assert rows is not None
        places = rows.parts[judged.part]
        if judged.classes:
            found += _of_classes(judged, rows, places)
        else:
            found.append(_of_numbers(judged, rows, places))
    return found


def _of_classes(judged: Judged, rows: Rows, places: np.ndarray) -> list[content.Block]:
    said = judged.said
    confidence = judged.predictions[np.arange(len(said)), said]
    wrong = np.flatnonzero((said != judged.actual) & (said >= 0))
    answered = " that got an answer" if (said < 0).any() else ""
    if not len(wrong):
        return [
            content.Paragraph(
                f"{judged.title}: every {judged.part} row{answered} is in its own class."
            )
        ]
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    title = f"{judged.title}: the most confident of {len(wrong):,} mistakes"
    names = [judged.classes[int(i)] for i in judged.actual[worst]]
    taken = [judged.classes[int(i)] for i in said[worst]]
    chances = judged.predictions[worst, judged.actual[worst].astype(np.int64)]
    cells = [
        (name, other, f"{sure:.2f}", f"{chance:.2f}")
        for name, other, sure, chance in zip(names, taken, confidence[worst], chances, strict=True)
    ]
    heads = ("actual", "predicted", "its probability", "of the actual")
    pictured = _pictures(title, rows, places[worst], cells)
    if pictured is not None:
        return [pictured]
    return [_table(title, heads, cells, rows, places[worst], frozenset({3, 4}))]


def _of_numbers(judged: Judged, rows: Rows, places: np.ndarray) -> content.Table:
    actual, said = judged.actual[:, 0], judged.predictions[:, 0]
    worst = np.argsort(-np.abs(said - actual), kind="stable")[:MOST]
    cells = [
        (number(float(actual[i]), 4), number(float(said[i]), 4), number(float(said[i] - actual[i])))
        for i in worst
    ]
    title = f"{judged.title}: the largest errors"
    heads = ("actual", "predicted", "error")
    return _table(title, heads, cells, rows, places[worst], frozenset({1, 2, 3}))


def _table(
    title: str,
    heads: tuple[str, ...],
    cells: Sequence[tuple[str, ...]],
    rows: Rows,
    places: np.ndarray,
    numbers: frozenset[int],
) -> content.Table:
    """The rows with their figures and the values of their first few columns."""
    table = rows.table
    targets = {target.name for target in rows.prepared.schema.targets}
    used = {name for given in rows.prepared.schema.inputs for name in given.columns}
    shown = [n for n in table.columns if n in used and n not in targets]
    narrow = [n for n in shown if table.columns[n].width == 1][:MOST_COLUMNS]
    first = 1 + len(heads)
    numbers |= {
        first + i for i, n in enumerate(narrow) if isinstance(table.columns[n], NumberColumn)
    }
    values = [table.columns[n].take(places).texts() for n in narrow]
    lines = [
        (table.row_name(int(place)), *figures, *((v[i] or "–")[:MOST_TEXT] for v in values))
        for i, (place, figures) in enumerate(zip(places, cells, strict=True))
    ]
    return content.Table(title, ("row", *heads, *narrow), lines, numbers)


def _pictures(
    title: str, rows: Rows, places: np.ndarray, cells: Sequence[tuple[str, ...]]
) -> content.Tiles | None:
    """Rows that are square pictures as such; None for others."""
    images = _images(rows, places)
    if images is None:
        return None
    low, high = float(images.min()), float(images.max())
    scaled = (images - low) / ((high - low) or 1.0) * 2 - 1
    zoom = max(1, round(TILE / images.shape[1]))
    size = (images.shape[2] * zoom, images.shape[1] * zoom)
    items = []
    for image, place, (name, other, sure, _) in zip(scaled, places, cells, strict=True):
        row = rows.table.row_name(int(place))
        told = f"{row}: a picture of {name}, taken for {other} with probability {sure}"
        address = data_address(png(coloured(image, 1.0)))
        items.append(content.Tile(f"{name}, taken for {other} ({sure})", address, told, size))
    ramp = content.Tile("", data_address(png(coloured(np.linspace(-1, 1, 64)[None], 1.0))), "",
                        (160, 10))  # fmt: skip
    ends = (number(low), number(high))
    caption = "Under each: what it is, what it was taken for, and with which probability."
    return content.Tiles(title, caption, tuple(items), ramp, ends)


def _images(rows: Rows, places: np.ndarray) -> np.ndarray | None:
    """The numbers of these rows as [rows, side, side], when they are so many."""
    names = [name for given in rows.prepared.schema.inputs for name in given.columns]
    columns = [rows.table.columns[name] for name in names]
    if len(columns) == 1 and isinstance(columns[0], ImageColumn):
        return np.asarray(columns[0].read(places).mean(axis=1))  # of colours, their brightness
    numbers = [c for c in columns if isinstance(c, NumberColumn) and not c.missing.any()]
    side = math.isqrt(sum(c.width for c in numbers))
    if len(numbers) < len(columns) or side < LEAST_SIDE or sum(c.width for c in numbers) != side**2:
        return None
    values = [c.values[places].reshape(len(places), -1).astype(np.float64) for c in numbers]
    return np.concatenate(values, axis=1).reshape(len(places), side, side)
