"""What a report is made from: a run folder, and the rows of its data where they are at hand."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nndsl import driver
from nndsl.data import (
    Prepared,
    Split,
    Table,
    apply_schema,
    prepare,
    read_table,
    schema_of,
    schema_to_json,
    split_rows,
)
from nndsl.diagnostics import NndslError, error
from nndsl.model.report.examples import images_of, maps_of
from nndsl.model.report.made import reconstructed, sampled
from nndsl.model.report.numbers import number
from nndsl.model.report.planes import plane_of
from nndsl.model.running import LoadedRun, load_run
from nndsl.records import dataclass
from nndsl.schema import TargetKind
from nndsl.train import folder as folders
from nndsl.train.scoring import judged as judged_arrays
from nndsl.vocab.pictures import Example, Judged, Plane

TRAINING, VALIDATION, TEST, GIVEN = "training", "validation", "test", "given"


@dataclass(frozen=True)
class Rows:
    """The rows of a run: the table, which of them are in which part, the arrays of all.

    Others than those that the run was trained on are one part.
    """

    table: Table
    prepared: Prepared
    parts: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Evidence:
    """A run as its report sees it; pictures look at it as `nndsl.vocab.pictures.Run`.

    `answers` are each output's on each part of the rows, `part` the one that is judged. Without
    rows `absent` says why.
    """

    loaded: LoadedRun
    history: Mapping[str, Sequence[float]]
    weights: Mapping[str, np.ndarray]
    rows: Rows | None
    answers: Mapping[str, tuple[Judged, ...]]
    part: str
    absent: str = ""

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept."""
        return self.loaded.run.record.best_epoch

    @property
    def judged(self) -> tuple[Judged, ...]:
        """The outputs on the rows that count."""
        return self.answers.get(self.part, ())

    def images(self, places: np.ndarray) -> np.ndarray | None:
        """These rows of the table as `images_of` gives them; None when they are no pictures."""
        assert self.rows is not None
        return images_of(self.rows.table, self.rows.prepared.schema, self.loaded.network, places)

    def reconstructed(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """The first rows of those that count beside the network's answers, as pictures."""
        if self.rows is None:
            return None
        chosen = self.rows.parts[self.part][:count]
        arrays = {n: np.asarray(a[chosen]) for n, a in self.rows.prepared.inputs.items()}
        return reconstructed(self.loaded, arrays)

    def sampled(self, net: str | None, count: int) -> tuple[str, np.ndarray] | None:
        """What a net makes of random numbers, as pictures."""
        return sampled(self.loaded, net, count)

    def plane(self, steps: int) -> Plane | None:
        """What the network says over the plane of its two columns."""
        if self.rows is None or not self.judged:
            return None
        table, chosen = self.rows.table, self.rows.parts[self.part]
        return plane_of(self.loaded, table, chosen, self.judged[0], steps)

    def example(self, row: int, place: str | None) -> Example | None:
        """What becomes of a row of those that count."""
        rows, loaded = self.rows, self.loaded
        if rows is None or row > len(rows.parts[self.part]):
            return None
        number = rows.parts[self.part][row - 1 : row]
        arrays = {n: np.asarray(a[number]) for n, a in rows.prepared.inputs.items()}
        inputs = list(driver.as_judged(loaded.recipe, arrays).values())
        images = self.images(number)
        maps = maps_of(loaded, inputs, place)
        name = rows.table.row_name(int(number[0]))
        plain = [judged for judged in self.judged if not judged.image]
        told = "; ".join(_told(judged, row - 1) for judged in plain)
        return Example(name, told, images[0] if images is not None else None, maps)


def _told(judged: Judged, row: int) -> str:
    """What a row is and what it was taken for."""
    if judged.classes:
        likely, share = judged.largest(row)[0]
        return f"{judged.classes[int(judged.actual[row])]}, taken for {likely} ({share:.2f})"
    actual, said = (number(float(n[row, 0]), 4) for n in (judged.actual, judged.predictions))
    return f"{judged.title} {actual}, predicted {said}"


def gather(path: Path, data: str | None) -> Evidence:
    """Read a run and, from `data` or where the run found them, its rows; judge them.

    Raises NN5xx for a run that cannot be read. Rows that are not there any more are no error
    unless `data` names them.
    """
    loaded = load_run(path)
    history = _history(folders.read_text(path, folders.HISTORY), path)
    named = {n: loaded.run.weights[n] for n in loaded.network.parameters}
    rows, absent = _rows(loaded, data)
    if rows is None:
        return Evidence(loaded, history, named, None, {}, TEST, absent)
    answers = {part: _answers(loaded, rows, part) for part in rows.parts}
    part = next(p for p in (TEST, VALIDATION, TRAINING, GIVEN) if p in answers)
    return Evidence(loaded, history, named, rows, answers, part)


def _history(text: str, path: Path) -> dict[str, list[float]]:
    """`history.csv` by column; NN502 when it is damaged."""
    lines = list(csv.reader(text.splitlines()))
    try:
        names = lines[0]
        numbers = [[float(cell) for cell in line] for line in lines[1:]]
        columns = list(zip(*numbers, strict=True)) if numbers else [() for _ in names]
        return {n: list(column) for n, column in zip(names, columns, strict=True)}
    except (ValueError, IndexError):
        raise error("NN502", f"`{path / folders.HISTORY}` is damaged: it is no table") from None


# --- rows -----------------------------------------------------------------------------------


def _rows(loaded: LoadedRun, data: str | None) -> tuple[Rows | None, str]:
    """The rows, or why there are none."""
    specification = loaded.specification
    known = loaded.run.record.data.get(specification.name)
    if data is None and known == driver.STANDARD_INPUT:
        return None, "The run read its rows from standard input."
    source = data or (known if specification.path is not None else None)
    try:
        table = read_table(specification, Path.cwd(), source)
    except NndslError as problem:
        if data is not None:
            return _other_rows(loaded, data), ""
        return None, f"{problem.diagnostics[0].title}."
    original = _original(loaded, table)
    if original is not None:
        return original, ""
    return _other_rows(loaded, source), ""


def _original(loaded: LoadedRun, table: Table) -> Rows | None:
    """The rows in their parts, when they are those of the run: then the same is learnt of them."""
    specification, recipe = loaded.specification, loaded.recipe
    try:
        schema = schema_of(table, specification)
        split = split_rows(table, schema, specification, recipe.seed)
        prepared = prepare(table, schema, specification, split.train, recipe.precision)
    except NndslError:
        return None
    if schema_to_json(prepared.schema) != loaded.run.schema:
        return None
    return Rows(table, prepared, _parts(split))


def _parts(split: Split) -> dict[str, np.ndarray]:
    parts = {TRAINING: split.train, VALIDATION: split.validation, TEST: split.test}
    return {name: rows for name, rows in parts.items() if len(rows)}


def _other_rows(loaded: LoadedRun, source: str | None) -> Rows:
    """Rows that are not those of the run: all of them, as `evaluate` takes them."""
    table = read_table(loaded.specification, Path.cwd(), source, expected=loaded.schema)
    prepared = apply_schema(table, loaded.schema, loaded.recipe.precision)
    if not prepared.targets and loaded.outputs:
        names = ", ".join(f"`{target.name}`" for target in loaded.schema.targets)
        raise error(
            "NN424",
            f"`{source}` has no column {names} to compare with",
            help="give a file that has it, or none: the report then says what it cannot show",
        )
    known = np.ones(table.rows, dtype=bool)
    for target in loaded.schema.targets if loaded.outputs else ():
        array = prepared.targets[target.name]
        if target.pictures or target.sequence:
            continue  # pictures have all their pixels, sequences all their places
        if target.kind is TargetKind.CLASSES:
            known &= array.reshape(-1) >= 0
        else:
            known &= np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    return Rows(table, prepared, {GIVEN: np.flatnonzero(known)})


def _answers(loaded: LoadedRun, rows: Rows, part: str) -> tuple[Judged, ...]:
    if not loaded.outputs:
        return ()
    chosen = rows.parts[part]
    wanted = loaded.executable.program.shapes
    inputs = {
        name: np.ascontiguousarray(array[chosen])
        for name, array in driver.as_judged(loaded.recipe, rows.prepared.inputs).items()
        if name in wanted
    }
    targets = driver.as_judged(
        loaded.recipe, {name: array[chosen] for name, array in rows.prepared.targets.items()}
    )
    results = loaded.evaluate(inputs)
    matched = [output.target for output in loaded.outputs]
    found = []
    for output in loaded.outputs:
        predictions, actual = judged_arrays(output, results[output.name], targets)
        image = () if output.independent else targets[output.target].shape[1:]
        found.append(Judged(output.name, output.target, part, output.classes, predictions, actual,
                            matched.count(output.target) > 1, loaded.recipe.answer,
                            image))  # fmt: skip
    return tuple(found)
