"""The figures of the answers: the verdict in a sentence, all metrics, each class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from nndsl.model.report.evidence import GIVEN, TEST, TRAINING, VALIDATION, Evidence
from nndsl.model.report.judgement import (
    Judgement,
    all_metrics,
    figure,
    higher_is_better,
    judge,
    kind_of,
)
from nndsl.model.report.numbers import number, percent, share
from nndsl.render.charts import Ranged, range_chart
from nndsl.render.report import content
from nndsl.schema import TargetKind
from nndsl.train.figures import wilson_interval
from nndsl.vocab.arguments import call
from nndsl.vocab.pictures import Judged, confusion_of, spoken
from nndsl.vocab.registry import WordCall, words

GAP = 0.05
"""Difference of a share between training and other rows from which it is worth a word."""


def judgement_of(evidence: Evidence) -> Judgement | None:
    """What the first output's figure is worth; None without rows, or where no target judges."""
    return judged_at(evidence, 0) if evidence.judged else None


def judged_at(evidence: Evidence, position: int) -> Judgement:
    """What the figure of an output is worth; there must be rows."""
    assert evidence.rows is not None
    given = evidence.answers.get(TRAINING)
    train = given[position] if given is not None else None
    recipe = evidence.loaded.recipe
    return judge(recipe, evidence.judged[position], evidence.rows, train, recipe.seed)


def named(metric: WordCall) -> str:
    """A metric as it stands in a sentence or a table, with the numbers it was given."""
    given = [str(value) for value in metric.arguments.values() if not isinstance(value, str)]
    return f"{spoken(metric.name)} ({', '.join(given)})" if given else spoken(metric.name)


def verdict(evidence: Evidence, judgement: Judgement | None) -> str:
    """One sentence: the figure, its interval, and what the simplest predictions reach."""
    if judgement is None:
        return _verdict_of_record(evidence)
    return _sentence(evidence, 0, judgement)


def _sentence(evidence: Evidence, position: int, judgement: Judgement) -> str:
    judged = evidence.judged[position]
    if judgement.refused and not judgement.rows:
        return f"It gives no answer for `{judged.target}` on any of the {_rows(evidence.part)}."
    shown = _written(judgement.metric)
    low, high = map(shown, judgement.interval)
    output = f"Output `{judged.output}`" if judged.shares_target else ""
    rows = f"{judgement.rows:,} {_rows(evidence.part)}"
    if judged.image:
        count = len(judged.actual) // judged.pixels
        rows = f"the {judgement.rows:,} {judged.unit} of {count:,} {_rows(evidence.part)}"
    rows += " that it answers" if judgement.refused else ""
    if shown is percent and judgement.right is not None:
        told = f"{output or 'It'} names the right `{judged.target}` for "
        told += f"{judgement.right:,} of {rows}: "
    else:
        whose = f"{output}: its" if output else "Its"
        told = f"{whose} {named(judgement.metric)} for `{judged.target}` on {rows} is "
    told += f"{shown(judgement.value)}, with a 95 % interval of {low} to {high}"
    return f"{told}{_beside(judgement, shown)}."


def _written(metric: WordCall) -> Callable[[float], str]:
    """How the figures of a metric stand in a sentence."""
    if metric.name == "accuracy":
        return percent
    return share if is_share(metric) else number


def _rows(part: str) -> str:
    return {TEST: "test rows", VALIDATION: "validation rows", TRAINING: "training rows",
            GIVEN: "rows of the given file"}[part]  # fmt: skip


def _beside(judgement: Judgement, shown: Callable[[float], str]) -> str:
    simple = []
    if math.isfinite(judgement.constant):
        what = "the most frequent class" if judgement.right is not None else "the mean"
        same = "saying that nothing changes" if judgement.naive else f"always answering {what}"
        simple.append(f"{same} gives {shown(judgement.constant)}")
    if math.isfinite(judgement.linear):
        simple.append(f"a linear model {shown(judgement.linear)}")
    return f"; {', '.join(simple)}" if simple else ""


def _verdict_of_record(evidence: Evidence) -> str:
    """What the run itself has noted, where its rows are gone or no target judges its answers."""
    record = evidence.loaded.run.record
    if not evidence.loaded.outputs:
        return _verdict_of_losses(evidence)
    for name, value in record.metrics.items():
        part, _, metric = name.partition("_")
        if part != "test" or metric == "loss":
            continue
        rows = int(record.rows.get("test", 0))
        told = f"At the end of the training its {spoken(metric)} on {rows} test rows was "
        if metric == "accuracy" and rows:
            low, high = wilson_interval(round(value * rows), rows)
            between = f"{percent(low)} to {percent(high)}"
            return f"{told}{percent(value)}, with a 95 % interval of {between}."
        return f"{told}{number(value)}."
    return "The run has no figure of rows that it was not trained on."


def _verdict_of_losses(evidence: Evidence) -> str:
    """What the objectives came to, on rows that did not train where there are some."""
    loaded = evidence.loaded
    metrics = loaded.run.record.metrics
    for part, rows in (("test", TEST), ("val", VALIDATION), ("train", TRAINING)):
        if f"{part}_loss" not in metrics:
            continue
        where = f"at the end of the training, on the {_rows(rows)}"
        if not loaded.recipe.turns:
            return f"What it minimises is {number(metrics[f'{part}_loss'])} {where}."
        each = [f"{number(metrics[f'{part}_{turn.figure}'])} for `{turn.name}`"
                for turn in loaded.recipe.turns]  # fmt: skip
        return f"The losses are {', '.join(each)} {where}."
    return "The run has no figure of rows that it was not trained on."


def remarks(evidence: Evidence, judgement: Judgement | None) -> Iterator[str]:
    """What qualifies the verdict."""
    if judgement is None and evidence.rows is not None:
        return
    if judgement is None:
        command = f"nndsl report {evidence.loaded.run.path} DATA"
        absent = evidence.absent[:1].upper() + evidence.absent[1:]
        yield f"{absent} Parts that need the rows are left out: `{command}` shows them."
        return
    if judgement.refused:
        every = judgement.rows + judgement.refused
        yield (
            f"It gives no answer for {judgement.refused:,} of {every:,} {_rows(evidence.part)} "
            f"({percent(judgement.refused / every)}): their two likeliest classes are too close."
        )
    if evidence.part == GIVEN:
        yield (
            "These rows are not those that the run was trained on, or they have changed since; "
            "all of them are judged, and nothing is known of baselines."
        )
        return
    if evidence.part == TRAINING:
        yield "There are no other rows: this says how well it fits, not what it is worth on new."
    if not math.isnan(judgement.constant) and not judgement.beats_constant:
        yield (
            "The interval does not lie clear of the constant answer: "
            "on these rows the network cannot be told from it."
        )
    yield from _gap(evidence, judgement)
    for position in range(1, len(evidence.judged)):
        yield _sentence(evidence, position, judged_at(evidence, position))


def _gap(evidence: Evidence, judgement: Judgement) -> Iterator[str]:
    """A word on what does not carry over from the training rows."""
    given = evidence.answers.get(TRAINING)
    if given is None or evidence.part == TRAINING or not is_share(judgement.metric):
        return
    known = figure(judgement.metric, given[0])
    shown = _written(judgement.metric)(known)
    low, high = judgement.interval
    if known - judgement.value > GAP and known > high:
        yield (
            f"On the training rows the same figure is {shown}: part of what it learnt "
            "holds only there (overfitting)."
        )
    elif low <= known <= high:
        yield f"On the training rows the same figure is {shown}, which is no different."


NO_SHARES = ("log_loss", "mcc")


def is_share(metric: WordCall) -> bool:
    """Whether 1 is the best that a figure can be."""
    of_classes = getattr(metric.word, "targets", "") == "classes"
    return metric.name == "r2" or (of_classes and metric.name not in NO_SHARES)


def comparison(evidence: Evidence, judgement: Judgement | None) -> content.Picture | None:
    """The figure beside the simple predictions."""
    if judgement is None or not math.isfinite(judgement.value):
        return None
    from markupsafe import Markup

    constant = "most frequent class" if judgement.right is not None else "always the mean"
    constant = "naive forecast" if judgement.naive else constant
    shown = share if is_share(judgement.metric) else number
    items = [
        Ranged("this network", judgement.value, judgement.interval, shown(judgement.value)),
        Ranged("linear model", judgement.linear, None, shown(judgement.linear)),
        Ranged(constant, judgement.constant, None, shown(judgement.constant)),
    ]
    known = [item for item in items if math.isfinite(item.value)]
    bounded = is_share(judgement.metric) and judgement.metric.name != "r2"
    bounds = (0.0, 1.0) if bounded else None
    told = "; ".join(f"{item.name} {item.shown}" for item in known)
    name = named(judgement.metric)
    drawing = range_chart(items, f"{name}: {told}", bounds=bounds)
    better = "more" if higher_is_better(judgement.metric) else "less"
    caption = f"On the {_rows(evidence.part)}; {better} is better. The line is the 95 % interval."
    return content.Picture(f"{name[:1].upper()}{name[1:]} beside simple predictions",
                           Markup(drawing), caption)  # fmt: skip


# --- tables ---------------------------------------------------------------------------------


def metric_tables(evidence: Evidence) -> list[content.Block]:
    """All fitting metrics of each output on each part, and the figures of each class."""
    found: list[content.Block] = []
    for position, judged in enumerate(evidence.judged):
        parts = {part: given[position] for part, given in evidence.answers.items()}
        rows = [(judged.unit, *(f"{len(given.actual):,}" for given in parts.values()), "")]
        for metric in all_metrics(evidence.loaded.recipe, judged):
            shown = share if kind_of(judged) is TargetKind.CLASSES or is_share(metric) else number
            figures = (shown(figure(metric, given)) for given in parts.values())
            rows.append((named(metric), *figures, metric.word.doc.replace("`", "")))
        numbers = frozenset(range(1, len(parts) + 1))
        title = f"{judged.title}: figures"
        found.append(content.Table(title, ("figure", *parts, "meaning"), rows, numbers))
        if judged.classes:
            found.append(class_table(judged))
    return found


MOST_CLASSES = 40


def class_table(judged: Judged) -> content.Table:
    """Precision, recall, F1 and the area under the ROC curve of each class."""
    counts = confusion_of(judged)
    right, said, there = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    rows = []
    for i, name in enumerate(judged.classes):
        precision = right[i] / said[i] if said[i] else math.nan
        recall = right[i] / there[i] if there[i] else math.nan
        both = said[i] + there[i]
        f1 = 2 * right[i] / both if both else math.nan
        figures = (float(precision), float(recall), float(f1), _area(judged, i))
        rows.append((name, f"{there[i]:,}", *map(share, figures)))
    title = f"{judged.title}: each class on the {judged.part} {judged.unit}"
    heads = ("class", judged.unit, "precision", "recall", "F1", "AUC")
    return content.Table(title, heads, rows[:MOST_CLASSES], frozenset(range(1, 6)),
                         rows[MOST_CLASSES:])  # fmt: skip


def _area(judged: Judged, position: int) -> float:
    """The area under the ROC curve of one class against all others."""
    is_class = (judged.actual == position).astype(np.int64)
    if not 0 < is_class.sum() < len(is_class):
        return math.nan
    share = judged.predictions[:, position]
    one = Judged(judged.output, judged.target, judged.part, ("rest", "class"),
                 np.stack((1 - share, share), axis=1), is_class)  # fmt: skip
    return figure(call(words("metric")["auc"]), one)
