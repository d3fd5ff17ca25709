"""The rows that the network is most wrong about, as they stand in the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndsl.data.table import NumberColumn
from nndsl.model.report.evidence import Evidence, Rows
from nndsl.model.report.numbers import number
from nndsl.render.report import content
from nndsl.render.report.tiles import photographs
from nndsl.vocab.pictures import Judged

MOST = 12
MOST_COLUMNS = 5
MOST_TEXT = 40
TILE = 96


def mistakes(evidence: Evidence) -> list[content.Block]:
    """For each output, the most confident mistakes or the largest errors."""
    rows = evidence.rows
    found: list[content.Block] = []
    for judged in evidence.judged if rows is not None else ():
        assert rows is not None
        if judged.image:
            continue
        if judged.classes:
            found += _of_classes(judged, evidence, rows)
        else:
            found.append(_of_numbers(judged, evidence, rows))
    return found


def _of_classes(judged: Judged, evidence: Evidence, rows: Rows) -> list[content.Block]:
    places = rows.parts[judged.part]
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
    images = evidence.images(places[worst])
    if images is None:
        return [_table(title, heads, cells, rows, places[worst], frozenset({3, 4}))]
    largest = [judged.largest(int(i)) for i in worst]
    shares = ["\n".join(f"{name} ({share:.2f})" for name, share in two) for two in largest]
    caption = "Under each: what it is, then the two largest outputs."
    return [_tiles(title, caption, rows, places[worst], images, names, shares)]


def _of_numbers(judged: Judged, evidence: Evidence, rows: Rows) -> content.Block:
    places = rows.parts[judged.part]
    actual, said = judged.actual[:, 0], judged.predictions[:, 0]
    worst = np.argsort(-np.abs(said - actual), kind="stable")[:MOST]
    cells = [
        (number(float(actual[i]), 4), number(float(said[i]), 4), number(float(said[i] - actual[i])))
        for i in worst
    ]
    title = f"{judged.title}: the largest errors"
    heads = ("actual", "predicted", "error")
    images = evidence.images(places[worst])
    if images is not None:
        names = [f"{actual}" for actual, _, _ in cells]
        taken = [f"predicted {predicted}" for _, predicted, _ in cells]
        caption = f"Under each: its {judged.target}, then what was predicted."
        return _tiles(title, caption, rows, places[worst], images, names, taken)
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


def _tiles(
    title: str,
    caption: str,
    rows: Rows,
    places: np.ndarray,
    images: np.ndarray,
    names: Sequence[str],
    notes: Sequence[str],
) -> content.Tiles:
    """Rows that are pictures, with what each is and what was said of it."""
    called = [rows.table.row_name(int(place)) for place in places]
    told = [
        f"{row}: {name}; {', '.join(note.splitlines())}"
        for row, name, note in zip(called, names, notes, strict=True)
    ]
    items = photographs(images, told, TILE)
    named = tuple(
        replace(item, name=name, note=note)
        for item, name, note in zip(items, names, notes, strict=True)
    )
    return content.Tiles(title, caption, named)
