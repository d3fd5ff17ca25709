"""What other margins or thresholds would give, and what the members of an ensemble give alone."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndsl.lower.recipe_answers import metrics_beside
from nndsl.model.report.evidence import Evidence
from nndsl.model.report.judgement import figure
from nndsl.model.report.numbers import counted, number, share
from nndsl.render.report import content
from nndsl.render.report.figures import blocks_of
from nndsl.train import folder as folders
from nndsl.vocab.arguments import call
from nndsl.vocab.figures import Line, Lines
from nndsl.vocab.pictures import Judged, spoken
from nndsl.vocab.registry import WordCall, words

LIMITS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Margins and thresholds of the table, beside the run's own."""
POINTS = 100


def decisions(evidence: Evidence) -> list[content.Block]:
    """For each output of classes curve and table over the limit of the answer, if it has one."""
    answer = evidence.loaded.recipe.answer
    found: list[content.Block] = []
    for judged in evidence.judged if answer is not None else ():
        assert answer is not None
        if judged.classes:
            found += _of_output(judged, answer)
    return found


def _of_output(judged: Judged, answer: WordCall) -> list[content.Block]:
    (limit, own), *_ = answer.arguments.items()
    metrics = [call(words("metric")["accuracy"]), *metrics_beside(answer)]
    rows = []
    for value in sorted({*_legal(answer, LIMITS), float(own)}):
        figures = _figures(judged, answer, limit, value, metrics)
        name = f"{value:g} (this run)" if value == own else f"{value:g}"
        rows.append((name, *(share(one) if math.isfinite(one) else "–" for one in figures)))
    names = [spoken(metric.name) for metric in metrics]
    title = f"{judged.title}: what another {limit} would give on the {judged.part} rows"
    heads = (f"{limit}", *names)
    table = content.Table(title, heads, rows, frozenset(range(1, len(heads))))
    return [*blocks_of([_curve(judged, answer, limit, metrics, names)]), table]


def _curve(
    judged: Judged, answer: WordCall, limit: str, metrics: Sequence[WordCall], names: Sequence[str]
) -> Lines:
    grid = _legal(answer, [i / POINTS for i in range(POINTS)])
    at = np.array([_figures(judged, answer, limit, value, metrics) for value in grid])
    own = float(answer.arguments[limit])
    now = _figures(judged, answer, limit, own, metrics)
    known = np.isfinite(at)
    lines = tuple(
        Line(name, np.array(grid)[known[:, i]].tolist(), at[known[:, i], i].tolist())
        for i, name in enumerate(names)
    )
    told = ", ".join(f"{name} {share(value)}" for name, value in zip(names, now, strict=True))
    marks = ((own, now[0], "this run"),) if math.isfinite(now[0]) else ()
    title = f"{judged.title}: figures over the {limit}"
    alternative = f"at {own:g}, that of the run: {told}"
    return Lines(title, alternative, lines, limit, "share", marks)


def _legal(answer: WordCall, values: Sequence[float]) -> list[float]:
    """Those that the limit of the answer may be."""
    return [value for value in values if value > 0 or answer.name == "refuse"]


def _figures(
    judged: Judged, answer: WordCall, limit: str, value: float, metrics: Sequence[WordCall]
) -> list[float]:
    other = replace(judged, answer=replace(answer, arguments={limit: value}))
    return [figure(metric, other) for metric in metrics]


# --- ensembles ------------------------------------------------------------------------------


def members(evidence: Evidence) -> list[content.Block]:
    """A table of the members of an ensemble; nothing for a single network."""
    loaded = evidence.loaded
    if loaded.recipe.ensemble is None:
        return []
    text = folders.read_text(loaded.run.path, folders.MEMBERS)
    heads, *lines = csv.reader(text.splitlines())
    part = next((p for p in ("test_", "val_") if any(n.startswith(p) for n in heads)), "")
    shown = [i for i, name in enumerate(heads) if name.startswith(part) or i < 4]
    rows = [tuple(_cell(line[i], is_figure=i > 3) for i in shown) for line in lines]
    names = tuple(spoken(heads[i]) for i in shown)
    title = f"The {counted(len(rows), 'member')} alone"
    return [content.Table(title, names, rows, frozenset(range(1, len(names))))]


def _cell(text: str, *, is_figure: bool) -> str:
    return number(float(text)) if is_figure else text or "–"
