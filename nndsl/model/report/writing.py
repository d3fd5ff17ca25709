"""The report put together, section by section, and written to a file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from markupsafe import Markup

from nndsl.data import fingerprint
from nndsl.ir.types import format_shape
from nndsl.lower.result import Inferred
from nndsl.model.report import answers, machine
from nndsl.model.report.columns import columns_table
from nndsl.model.report.decisions import decisions, members
from nndsl.model.report.evidence import TRAINING, Evidence, gather
from nndsl.model.report.mistakes import mistakes
from nndsl.model.report.numbers import duration, number, size
from nndsl.model.report.segmentation import answered_pictures
from nndsl.render.charts import Life, memory_map, share_bar
from nndsl.render.diagram_picture import count_text
from nndsl.render.formulas import formulas
from nndsl.render.report import content
from nndsl.render.report.content import Block, Fact, Section
from nndsl.render.report.figures import blocks_of, diagram, formula_blocks
from nndsl.render.report.page import page
from nndsl.report_text import visible
from nndsl.runtime.durable import write_file
from nndsl.vocab.arguments import call
from nndsl.vocab.pictures import MOST_HISTOGRAMS, Picture
from nndsl.vocab.registry import WordCall, words

NAME = "report.html"
SHOWN = 20
MOST_LIVES, FIRST_LIVES = 400, 8
"""Temporary values in the map of the memory, and in the table below it before it is unfolded."""


def write_report(run: Path, data: str | None = None, output: Path | None = None) -> Path:
    """Write the report of the run in folder `run`; where it was written.

    `data` is a file to judge it on instead of the run's own. Raises NN5xx for a run that cannot
    be read, NN4xx for a data file that was named and does not fit.
    """
    path = output or run / NAME
    write_file(path, page(report_of(gather(run, data))).encode("utf-8"))
    return path


def report_of(evidence: Evidence) -> content.Report:
    """All of the report as data."""
    loaded = evidence.loaded
    judgement = answers.judgement_of(evidence)
    data = evidence.rows.table.origin.name if evidence.rows is not None else loaded.schema.name
    sections = (
        _learning(evidence),
        _answers(evidence),
        _mistakes(evidence),
        _network(evidence),
        _weights(evidence),
        _more_pictures(evidence),
        _formulas(evidence),
        _data(evidence),
        _machine(evidence),
        _source(evidence),
    )
    return content.Report(
        f"{loaded.network.name} on {Path(data).name.replace('`', '')}",
        answers.verdict(evidence, judgement),
        tuple(answers.remarks(evidence, judgement)),
        answers.comparison(evidence, judgement),
        tuple(_facts(evidence)),
        tuple(section for section in sections if section.blocks),
        f"Written by nndsl {loaded.run.record.versions.get('nndsl', '')}.",
    )


def _facts(evidence: Evidence) -> Iterable[Fact]:
    record, network = evidence.loaded.run.record, evidence.loaded.network
    several = len(evidence.loaded.members)
    kept = f"kept epoch {record.best_epoch}" if record.best_epoch is not None else "kept the last"
    kept = f"of {several} members together" if several > 1 else kept
    arrays = count_text(len(network.parameters), "array")
    arrays += f" in each of {several} members" if several > 1 else ""
    yield Fact("parameters", f"{network.parameter_count:,}", arrays)
    yield Fact("epochs", f"{record.epochs:,}", kept)
    yield Fact("training", duration(record.seconds), count_text(record.steps, "step"))
    rows = {name: int(count) for name, count in record.rows.items()}
    others = f"{rows.get('validation', 0):,} validation, {rows.get('test', 0):,} test"
    yield Fact("training rows", f"{rows.get('train', 0):,}", others)
    for part, name in (("test", "test"), ("val", "validation"), ("train", "training")):
        if f"{part}_loss" in record.metrics:
            loss = " and ".join(evidence.loaded.recipe.loss)
            yield Fact(f"{name} loss", number(record.metrics[f"{part}_loss"]), loss)
            break


# --- pictures -------------------------------------------------------------------------------


def _pictures(evidence: Evidence, section: str) -> list[Block]:
    """The pictures of a section: those asked for in the file, then the standard ones."""
    here = [w for w in words("picture").values() if isinstance(w, Picture) and w.section == section]
    asked = [picture for picture in evidence.loaded.recipe.report if picture.word in here]
    standard = [call(w) for w in here if w.standard and w not in [a.word for a in asked]]
    found: list[Block] = []
    for picture in (*asked, *standard):
        found += _drawn(evidence, picture, picture in asked)
    return found


def _drawn(evidence: Evidence, picture: WordCall, is_asked: bool) -> list[Block]:
    word = picture.word
    assert isinstance(word, Picture) and word.draw is not None
    blocks = blocks_of(word.draw(evidence, picture.arguments))
    if blocks or not is_asked:
        return blocks
    if word.needs_rows and evidence.rows is None:
        return [content.Notice(f"`{word.name}` needs the rows of the run.")]
    return [content.Notice(f"`{word.name}` has nothing to show of this run.")]


def _learning(evidence: Evidence) -> Section:
    record = evidence.loaded.run.record
    lead = f"{count_text(record.epochs, 'epoch')} in {duration(record.seconds)}"
    lead += f": {record.stopped}." if record.stopped else "."
    lead += " The curves are means over them." if len(evidence.loaded.members) > 1 else ""
    return Section("learning", "Learning", lead, tuple(_pictures(evidence, "learning")))


def _answers(evidence: Evidence) -> Section:
    blocks = [
        *_answered_pictures(evidence),
        *_pictures(evidence, "answers"),
        *decisions(evidence),
        *answers.metric_tables(evidence),
        *members(evidence),
    ]
    part = f"On the {evidence.part} rows." if evidence.rows is not None else ""
    return Section("answers", "Answers", part, tuple(blocks))


def _answered_pictures(evidence: Evidence) -> list[Block]:
    rows = evidence.rows
    judged = [one for one in evidence.judged if len(one.image) == 3 and rows is not None]
    return [b for one in judged if rows for b in answered_pictures(one, evidence, rows)]


def _mistakes(evidence: Evidence) -> Section:
    lead = "The rows to look at first: either the network is wrong, or they are."
    return Section("mistakes", "Mistakes", lead, tuple(mistakes(evidence)))


def _weights(evidence: Evidence) -> Section:
    several = len(evidence.loaded.members)
    lead = "What was learnt, by layer"
    lead += f", by the first of {several} members." if several > 1 else "."
    if len(evidence.weights) > MOST_HISTOGRAMS:
        lead = (
            f"What was learnt, by layer: the first {MOST_HISTOGRAMS} of "
            f"{len(evidence.weights)} arrays."
        )
    return Section("weights", "Weights", lead, tuple(_pictures(evidence, "weights")))


def _more_pictures(evidence: Evidence) -> Section:
    several = len(evidence.loaded.members)
    lead = "What the network looks for, and what it makes of rows that did not train"
    lead += f": the first of {several} members." if several > 1 else "."
    return Section("pictures", "Pictures", lead, tuple(_pictures(evidence, "pictures")))


# --- the network ----------------------------------------------------------------------------


def _network(evidence: Evidence) -> Section:
    network = evidence.loaded.network
    rows = []
    for part in network.parts:
        if not part.is_block:
            count = sum(network.parameters[name].size for name in part.parameters)
            shape = format_shape(part.output.type.shape)
            rows.append((part.path, part.shown or part.text, shape, f"{count:,}" if count else "–"))
    heads = ("part", "stage", "output", "parameters")
    table = content.Table("Parts", heads, rows[:SHOWN], frozenset({3}), rows[SHOWN:])
    inputs = ", ".join(f"`{n}` of {format_shape(s)}" for n, s in network.inputs.items())
    lead = f"{network.parameter_count:,} numbers are learnt; its input is {inputs}."
    return Section("network", "Network", lead, (diagram(network), table))


def _formulas(evidence: Evidence) -> Section:
    found = formulas(evidence.loaded.network, evidence.loaded.recipe)
    lead = "What is computed, with the sizes and numbers of this network."
    return Section("formulas", "Formulas", lead, tuple(formula_blocks(found)))


def _data(evidence: Evidence) -> Section:
    lead = "What preprocessing learns comes from the training rows alone."
    return Section("data", "Data", lead, (columns_table(evidence),))


# --- the machine ----------------------------------------------------------------------------


def _machine(evidence: Evidence) -> Section:
    recipe = evidence.loaded.recipe
    rows = int(evidence.loaded.run.record.rows.get("train", 0)) or 1
    found = machine.measure(recipe, rows, _arrays(evidence))
    times = found.times
    what = f"A step of `update {recipe.turns[0].name}`" if recipe.turns else "A training step"
    total = sum(one.seconds for one in times.calls) or 1.0
    flops = sum(one.flops for one in times.calls)
    lead = (
        f"{what} of {count_text(times.batch, 'row')} takes {duration(times.step)} on one "
        f"thread of this machine ({machine.described()}): {number(times.batch / times.step)} rows "
        f"a second. Its kernels, measured one by one, each over and over, take {duration(total)}"
        f"{f', {flops / total / 1e9:.3g} GFLOP/s' if flops else ''}."
    )
    lives = _lives(found)
    blocks = (_times_table(times), _memory_picture(found, lives), _lives_table(lives),
              _memory_table(found))  # fmt: skip
    return Section("machine", "Machine", lead, blocks)


def _arrays(evidence: Evidence) -> dict[str, np.ndarray]:
    """The training rows where they are at hand."""
    rows = evidence.rows
    if rows is None or TRAINING not in rows.parts:
        return {}
    chosen = rows.parts[TRAINING]
    arrays = {**rows.prepared.inputs, **rows.prepared.targets}
    return {name: array[chosen] for name, array in arrays.items()}


def _times_table(times: machine.StepTimes) -> content.Table:
    total = sum(one.seconds for one in times.calls) or 1.0
    rows = []
    for one in times.calls:
        share = one.seconds / total
        bar = Markup(share_bar(share, f"{100 * share:.1f} percent of the step"))
        speed = f"{one.flops / one.seconds / 1e9:.3g}" if one.flops and one.seconds else "–"
        lines = ", ".join(map(str, one.lines)) or "–"
        rows.append((str(one.number), one.label or "–", one.kernel, lines,
                     duration(one.seconds), bar, speed))  # fmt: skip
    title = "Kernels of a step, in their order"
    if times.left_out:
        title += f" (the last {times.left_out} are not timed)"
    heads = ("call", "what it does", "kernel", "lines", "time", "share", "GFLOP/s")
    return content.Table(title, heads, rows[:SHOWN], frozenset({4, 6}), rows[SHOWN:])


def _lives(found: machine.Machine) -> list[Life]:
    """The temporary values of a step, the largest first."""
    plan = found.plan
    lives = [
        Life(value.name, plan.places[value].offset, plan.places[value].bytes, first, last)
        for value, (first, last) in plan.lives.items()
        if value in plan.places
    ]
    return sorted(lives, key=lambda life: -life.size)[:MOST_LIVES]


def _lives_table(lives: list[Life]) -> content.Table:
    rows = [
        (life.name, size(life.size), f"{life.offset:,}", str(max(life.first, 0)), str(life.last))
        for life in lives
    ]
    heads = ("value", "size", "first byte", "from call", "to call")
    return content.Table("Temporary values, the largest first", heads, rows[:FIRST_LIVES],
                         frozenset({1, 2, 3, 4}), rows[FIRST_LIVES:])  # fmt: skip


def _memory_picture(found: machine.Machine, lives: list[Life]) -> Block:
    top = max((life.offset + life.size for life in lives), default=0)
    told = f"{len(lives)} values of a step share {size(top)}"
    drawing = memory_map(lives, len(found.graph.nodes), told)
    caption = (
        "Temporary values of a training step: from left to right when each is needed, upwards "
        "where it lies. Values that are not needed at the same time share their bytes."
    )
    return content.Picture("Memory over a step", Markup(drawing), caption, wide=True)


def _memory_table(found: machine.Machine) -> content.Table:
    what = {
        "parameters": "what is learnt",
        "state": "what the optimizer remembers",
        "workspace": "temporary values of a step",
        "clock": "rates and counters",
        "data": "rows",
    }
    areas = [
        (area.value, size(count), what[area.value]) for area, count in found.plan.areas.items()
    ]
    total = ("together", size(found.plan.total), "")
    return content.Table("Memory of a training", ("area", "size", "what lies there"),
                         [*areas, total], frozenset({1}))  # fmt: skip


# --- how to get it again --------------------------------------------------------------------


def _source(evidence: Evidence) -> Section:
    loaded = evidence.loaded
    record = loaded.run.record
    command = " ".join(shlex.quote(word) for word in _command(record.command))
    facts: list[tuple[content.Cell, ...]] = [
        ("command", Markup("<code>{}</code>").format(visible(command)) if command else "–"),
        ("settings", ", ".join(f"{k}={v}" for k, v in record.settings.items()) or "none"),
        ("seed", str(loaded.recipe.seed)),
        ("precision", loaded.recipe.precision),
        ("threads", f"{record.threads} (results do not depend on it)"),
        *((f"data {name}", file) for name, file in record.data.items()),
        *((_VERSIONS.get(name, name), version) for name, version in record.versions.items()),
    ]
    if evidence.rows is not None:
        facts.append(("digest of the data", fingerprint(evidence.rows.table)))
    files = [file for name, file in record.data.items() if not name.startswith('"')]
    named = files if len(files) == 1 else []
    words_ = ["nndsl", "train", str(loaded.run.path / "model.nn"), *named]
    again = " ".join(map(shlex.quote, words_))
    lead = "The source below is as it ran; so called, it gives the same numbers to the bit."
    return Section(
        "source",
        "Source and surroundings",
        lead,
        (
            content.Listing("Command that repeats the run", again),
            content.Listing("model.nn", loaded.run.source.rstrip("\n"), numbered=True),
            _inferred(f"What net {loaded.network.name} leaves out", loaded.network.inferred),
            _inferred("What its training leaves out", loaded.recipe.inferred),
            content.Table("The run", ("what", "value"), facts),
        ),
    )


_VERSIONS = {"python": "Python", "numpy": "NumPy", "numba": "Numba", "machine": "processor"}


def _command(words_: tuple[str, ...]) -> tuple[str, ...]:
    """The command without the folder of the program."""
    return (Path(words_[0]).name, *words_[1:]) if words_ else ()


def _inferred(title: str, inferred: Iterable[Inferred]) -> Block:
    rows = [
        (
            one.what,
            one.taken,
            one.why.replace("`", "") or "–",
            str(one.span.line) if one.span is not None else "–",
        )
        for one in inferred
    ]
    if not rows:
        return content.Paragraph(f"{title}: nothing.")
    heads = ("what", "taken", "why", "line")
    return content.Table(title, heads, rows[:SHOWN], frozenset({3}), rows[SHOWN:])
