"""What other margins or thresholds would give, and what the members of an ensemble give alone."""

from __future__ import annotations

import csv
import math

import numpy as np

from nndsl.diagnostics import error
from nndsl.model.report.evidence import Evidence
from nndsl.model.report.numbers import number, share
from nndsl.render.diagram_picture import count_text
from nndsl.render.report import content
from nndsl.render.report.figures import blocks_of
from nndsl.train import folder as folders
from nndsl.train.limits import LIMITS, Limits, at_limits
from nndsl.vocab.figures import Line, Lines
from nndsl.vocab.pictures import Judged, spoken

POINTS = 100
REFUSED = "refused"


def decisions(evidence: Evidence) -> list[content.Block]:
    """For each output of classes curve and table over the limit of the answer, if it has one."""
    answer = evidence.loaded.recipe.answer
    found: list[content.Block] = []
    for judged in evidence.judged:
        if judged.classes:
            grid = [*LIMITS, *(i / POINTS for i in range(POINTS))]
            limits = at_limits(answer, judged.predictions, judged.actual, grid)
            found += _of_output(judged, limits) if limits is not None else []
    return found


def _of_output(judged: Judged, limits: Limits) -> list[content.Block]:
    rows = []
    for limit, figures in zip(limits.limits, limits.figures.tolist(), strict=True):
        if limit in (*LIMITS, limits.own):
            name = f"{limit:g} (this run)" if limit == limits.own else f"{limit:g}"
            rows.append((name, *(share(one) if math.isfinite(one) else "–" for one in figures)))
    title = f"{judged.title}: what another {limits.name} would give on the {judged.part} rows"
    heads = (limits.name, *map(spoken, limits.metrics))
    table = content.Table(title, heads, rows, frozenset(range(1, len(heads))))
    picture = _mistakes if REFUSED in limits.metrics else _curve
    return [*blocks_of([picture(judged, limits)]), table]


def _mistakes(judged: Judged, limits: Limits) -> Lines:
    """The mistakes among the answers over the share refused.

    On one axis with the accuracy of a good network neither could be seen.
    """
    figures = dict(zip(limits.metrics, limits.figures.T, strict=True))
    refused, wrong = figures[REFUSED], 1 - figures["accuracy"]
    known = np.isfinite(wrong)
    name = f"of the {judged.part} rows, for each {limits.name} from 0 to {max(limits.limits):g}"
    line = Line(name, refused[known].tolist(), wrong[known].tolist())
    own = limits.limits.index(limits.own)
    now = (float(refused[own]), float(wrong[own]))
    marks = ((*now, f"{limits.name} {limits.own:g}"),) if known[own] else ()
    told = f", {share(now[1])} of the answers are wrong" if known[own] else ""
    title = f"{judged.title}: mistakes among the answers over the share refused"
    alternative = f"at {limits.own:g}, that of the run: refused {share(now[0])}{told}"
    return Lines(title, alternative, (line,), "share refused", "share wrong", marks)


def _curve(judged: Judged, limits: Limits) -> Lines:
    x = np.array(limits.limits)
    lines = []
    for name, figures in zip(limits.metrics, limits.figures.T, strict=True):
        known = np.isfinite(figures)
        lines.append(Line(spoken(name), x[known].tolist(), figures[known].tolist()))
    now = limits.figures[limits.limits.index(limits.own)].tolist()
    told = ", ".join(f"{spoken(n)} {share(v)}" for n, v in zip(limits.metrics, now, strict=True))
    marks = ((limits.own, now[0], "this run"),) if math.isfinite(now[0]) else ()
    title = f"{judged.title}: figures over the {limits.name}"
    alternative = f"at {limits.own:g}, that of the run: {told}"
    return Lines(title, alternative, tuple(lines), limits.name, "share", marks)


# --- ensembles ------------------------------------------------------------------------------


def members(evidence: Evidence) -> list[content.Block]:
    """A table of the members of an ensemble; nothing for a single network."""
    loaded = evidence.loaded
    if loaded.recipe.ensemble is None:
        return []
    text = folders.read_text(loaded.run.path, folders.MEMBERS)
    try:
        heads, *lines = csv.reader(text.splitlines())
        part = next((p for p in ("test_", "val_") if any(n.startswith(p) for n in heads)), "")
        shown = [i for i, name in enumerate(heads) if name.startswith(part) or i < 4]
        rows = [tuple(_cell(line[i], is_figure=i > 3) for i in shown) for line in lines]
    except (ValueError, IndexError):
        place = loaded.run.path / folders.MEMBERS
        raise error("NN502", f"`{place}` is damaged: it is no table of members") from None
    names = tuple(spoken(heads[i]) for i in shown)
    title = f"The {count_text(len(rows), 'member')} alone"
    return [content.Table(title, names, rows, frozenset(range(1, len(names))))]


def _cell(text: str, *, is_figure: bool) -> str:
    return number(float(text)) if is_figure else text or "–"
