"""From characters to a tree, data, networks and recipes: a `.nn` file opened.

Each function stops after a stage and returns what the stage made, so that every stage can be
looked at. Nothing here prints, trains, or knows the command line.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.data import Split, Table, prepare, raw_arrays, read_table, schema_of
from nndsl.data.images.distorter import Levels
from nndsl.data.images.lazy import middle, taken
from nndsl.data.table import NumberColumn
from nndsl.diagnostics import Diagnostic, NndslError, Source, error
from nndsl.ir.graph import Input, Role
from nndsl.lower import Session, data_specifications, lower
from nndsl.lower.problems import MOST_ERRORS, in_order
from nndsl.lower.result import Module, Recipe
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema, Setting
from nndsl.syntax import tree
from nndsl.syntax.parser import decode_source, parse, parse_expression, read_source

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Opened:
    """A `.nn` file that has been read and lowered, with the tables it names.

    `tables` lacks the data sections whose file is not there (only where data was optional).
    `imports` holds the other files read, by the name of the importing source and the path written
    there; `matrices` the files of `csv("weights.csv")` by the path written.
    """

    source: Source
    folder: Path
    file: tree.File
    specifications: Mapping[str, DataSpecification]
    tables: Mapping[str, Table]
    module: Module
    lowered: Callable[[Mapping[str, Schema]], Module]  # the file again, on other schemas
    settings: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[tuple[str, str], tree.File] = field(default_factory=dict)
    matrices: Mapping[str, Path] = field(default_factory=dict)

    def specification_of(self, recipe: Recipe) -> DataSpecification:
        """The data section that a recipe trains on; NN302 when it has none."""
        if recipe.data is None or recipe.data not in self.specifications:
            raise error(
                "NN302",
                f"`train {recipe.net}` has no data to train on",
                recipe.span,
                help=f"write `net {recipe.net} on d {{ ... }}` below `data d = csv(...)`",
            )
        return self.specifications[recipe.data]


# --- from characters to graphs -------------------------------------------------------------


def read_settings(settings: Iterable[str]) -> dict[str, str]:
    """`key=value` texts of `--set` by key; NN011 for anything else."""
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise error("NN011", f"`--set {setting}` is not of the form key=value")
        found[key.strip()] = value.strip()
    return found


def parse_settings(settings: Mapping[str, Any]) -> dict[str, tree.Expression]:
    """The values of settings as expressions of the language; from Python also numbers and lists."""
    return {
        key: parse_expression(Source(f"--set {key}", _written(value)))
        for key, value in settings.items()
    }


def _written(value: Any) -> str:
    """A value as the language writes it; a text is taken as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)


def read_input(path: Path) -> Source:
    """A source file, or standard input for `-`."""
    if str(path) == STANDARD_INPUT:
        return decode_source("standard input", sys.stdin.buffer.read())
    return read_source(path)


def open_file(
    path: Path,
    data: str | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    data_needed: bool = True,
) -> Opened:
    """Read, parse and lower a file. `data` is a file (or `name=file`) to read instead."""
    return open_source(read_input(path), path.parent, data, settings or {}, data_needed=data_needed)


Loader = Callable[[str, str], tree.File]
"""The tree of an imported file, for the path written and the name of the importing source."""


def open_source(
    source: Source,
    folder: Path,
    data: str | Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    data_needed: bool = True,
    load_import: Loader | None = None,
    matrices: Mapping[str, str] | None = None,
) -> Opened:
    """Parse and lower a text whose relative paths start at `folder`.

    `data` gives a file to read instead, or one for each of some data sections. Without
    `data_needed`, a data file that is not there leaves its sizes open instead of being an error.
    `load_import` and `matrices` say where other files of the source are if not in `folder`.
    """
    file = parse(source)
    overrides = parse_settings(settings or {})
    specifications = data_specifications(file, overrides)
    replaced = _replaced(specifications, data)
    tables, schemas, problems = _tables(specifications, folder, replaced, data_needed=data_needed)
    imports: dict[tuple[str, str], tree.File] = {}
    found: dict[str, Path] = {}
    load = load_import or importer(folder)

    def remembered(path: str, importing: str) -> tree.File:
        imports[importing, path] = load(path, importing)
        return imports[importing, path]

    def matrix(written: str) -> np.ndarray:
        table = _numbers(written, folder, (matrices or {}).get(written))
        if table.origin.path is not None:
            found[written] = table.origin.path
        columns = [c for c in table.columns.values() if isinstance(c, NumberColumn)]
        if len(columns) < len(table.columns):
            raise error("NN405", f"{written} holds texts, and weights are numbers")
        return np.stack([np.asarray(c.values, np.float64) for c in columns], axis=1)

    def lowered(schemas: Mapping[str, Schema]) -> Module:
        session = Session(arrays=arrays_reader(tables, specifications), matrix=matrix)
        return lower(file, schemas, overrides, remembered, session)

    try:
        module = lowered(schemas)
    except NndslError as problem:
        problems += problem.diagnostics
    if problems:
        from nndsl.lower.spelling import together  # only where something is wrong

        raise NndslError(together(in_order(problems))[:MOST_ERRORS])
    texts = {key: value.span.text for key, value in overrides.items()}
    return Opened(
        source, folder, file, specifications, tables, module, lowered, texts, imports, found
    )


def _tables(
    specifications: Mapping[str, DataSpecification],
    folder: Path,
    replaced: Mapping[str, str],
    *,
    data_needed: bool,
) -> tuple[dict[str, Table], dict[str, Schema], list[Diagnostic]]:
    """The data that can be read, its schemas, and what is wrong with the rest."""
    tables: dict[str, Table] = {}
    schemas: dict[str, Schema] = {}
    problems: list[Diagnostic] = []
    for name, specification in specifications.items():
        try:
            table = read_table(specification, folder, replaced.get(name))
            schemas[name] = schema_of(table, specification)
        except NndslError as problem:
            absent = problem.diagnostics[0].code == "NN401"
            if data_needed or not absent or name in replaced:
                problems += problem.diagnostics
            continue
        tables[name] = table
    return tables, schemas, problems


def importer(folder: Path) -> Loader:
    """What reads imported files: paths are relative to the file that imports them.

    A file that is not there is an OSError, which `lower` tells at the place of the import.
    """

    def load_import(path: str, importing: str) -> tree.File:
        beside = Path(importing).parent if Path(importing).is_file() else folder
        try:
            return parse(read_source(beside / path))
        except NndslError as problem:
            found = problem.diagnostics[0]
            if found.code not in ("NN020", "NN021"):
                raise
            raise OSError(errno.ENOENT, "; ".join((found.title, *found.help))) from None

    return load_import


def arrays_reader(
    tables: Mapping[str, Table], specifications: Mapping[str, DataSpecification]
) -> Callable[[str, bool], Mapping[str, np.ndarray]]:
    """What gives the arrays of a data section: as in the file, or as a network sees them."""

    def arrays(name: str, prepared: bool) -> Mapping[str, np.ndarray]:
        table, specification = tables[name], specifications[name]
        schema = schema_of(table, specification)
        if not prepared:
            return raw_arrays(table, schema)
        done = prepare(table, schema, specification, np.arange(table.rows), "float64")
        return {**{name: rows[:] for name, rows in done.inputs.items()}, **done.targets}

    return arrays


def _numbers(written: str, folder: Path, instead: str | None) -> Table:
    """A CSV file without header, for its numbers [lines, columns]."""
    request = DataSpecification("weights", "csv", written, options={"header": Setting(False)})
    return read_table(request, folder, instead)


def _replaced(
    specifications: Mapping[str, DataSpecification], data: str | Mapping[str, str] | None
) -> dict[str, str]:
    """The data sections that a file on the command line stands for."""
    if data is None or not isinstance(data, str):
        return dict(data or {})
    name, equals, path = data.partition("=")
    if equals and name in specifications:
        return {name: path}
    if len({s.path for s in specifications.values()}) > 1:
        names = ", ".join(specifications)
        raise error(
            "NN012",
            f"the file has several data sections ({names}), and one data file was given",
            help=f"say which one it replaces: {next(iter(specifications))}={data}",
        )
    if not specifications:
        raise error("NN012", "the file has no data section that a data file could replace")
    return dict.fromkeys(specifications, data)


def check_text(text: str, name: str = "model.nn", folder: Path | None = None) -> list[Diagnostic]:
    """All that `check` has to say of a text."""
    try:
        opened = open_source(Source(name, text), folder or Path.cwd(), data_needed=False)
    except NndslError as problem:
        return list(problem.diagnostics)
    return list(opened.module.lints)


# --- rows ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """The arrays of a recipe's data by part, under the names of the graph's inputs.

    What stands in for an array may be `LazyRows`, where pictures would take much memory.
    """

    schema: Schema
    train: dict[str, np.ndarray]
    validation: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    levels: Mapping[str, Levels] = field(default_factory=dict)  # of inputs that are pictures
    notes: tuple[Diagnostic, ...] = ()


def rows_of(opened: Opened, recipe: Recipe, split: Split) -> Rows:
    """Prepare a recipe's data: everything learnt from the training rows of `split` only."""
    specification = opened.specification_of(recipe)
    table = opened.tables[specification.name]
    schema = opened.module.schemas[specification.name]
    prepared = prepare(table, schema, specification, split.train, recipe.precision)
    arrays = {**prepared.inputs, **prepared.targets}
    used = {i.value.name: arrays[i.value.name] for i in columns_of(recipe, Role.DATA, Role.TARGET)}

    def part(rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: taken(array, rows) for name, array in used.items()}

    return Rows(
        prepared.schema,
        part(split.train),
        as_judged(recipe, part(split.validation)) if len(split.validation) else {},
        as_judged(recipe, part(split.test)) if len(split.test) else {},
        prepared.levels,
        (*table.notes, *prepared.notes),
    )


def columns_of(recipe: Recipe, *roles: Role) -> list[Input]:
    """The inputs of a training that are columns of its data, of all its updates."""
    graphs = [turn.recipe.graph for turn in recipe.turns] or [recipe.graph]
    found = {i.value.name: i for graph in graphs for i in graph.of_role(*roles)}
    return list(found.values())


def as_judged(recipe: Recipe, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows that do not train: the middle of pictures where `augment` cuts those that do."""
    size = recipe.augment.size
    if size is None:
        return dict(rows)
    return {n: middle(a, size) if len(a.shape) == 4 else a for n, a in rows.items()}
