"""The one place that strings the stages together: characters to tree, graphs, program, executable.

Each function stops after a stage and returns what the stage made, so that every stage can be
looked at. Nothing here prints, trains, or knows the command line.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nndsl.data import Split, Table, prepare, raw_arrays, read_table, schema_of
from nndsl.data.images.distorter import Levels
from nndsl.data.images.lazy import middle, taken
from nndsl.data.table import NumberColumn
from nndsl.diagnostics import Diagnostic, NndslError, Source, error
from nndsl.ir.graph import Graph, Input, Role, Value
from nndsl.lower import Session, data_specifications, lower
from nndsl.lower.hiding import as_answered
from nndsl.lower.problems import MOST_ERRORS, in_order
from nndsl.lower.result import JOINT, Module, Network, Recipe
from nndsl.ops.binding import bound_copy, sizes_of
from nndsl.passes import pipeline
from nndsl.passes.pipeline import Pass
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema, Setting
from nndsl.syntax import tree
from nndsl.syntax.parser import decode_source, parse, parse_expression, read_source

if TYPE_CHECKING:
    from nndsl.codegen.footprint import Footprint
    from nndsl.codegen.program import Kernel, Program
    from nndsl.codegen.target import Target
    from nndsl.runtime.executable import Executable
    from nndsl.runtime.rounds import Rounds

STANDARD_INPUT = "-"
WORTH_ASKING = 100_000_000
"""Bytes below which nobody asks how much memory is free."""
SHARE_OF_FREE = 0.8


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


# --- from graphs to something that runs ----------------------------------------------------


@dataclass(frozen=True)
class Compiled:
    """A graph after all passes, the program made of it, and the loaded executable."""

    graph: Graph
    program: Program
    executable: Executable


@dataclass(frozen=True)
class CompiledRounds:
    """The updates of a training as one executable; graph and program are those of the first."""

    graph: Graph
    program: Program
    executable: Rounds


def training_passes(recipe: Recipe) -> tuple[Pass, ...]:
    """The straight list from a recipe's forward pass to one training step."""
    clip = recipe.clip.arguments if recipe.clip is not None else {}
    return pipeline.training(
        recipe.optimizers,
        clip.get("norm"),
        gradient_norm=any(stop.word == "gradient_below" for stop in recipe.stop),
        clip_value=clip.get("value"),
        restraints=recipe.restraints,
        small=recipe.memory == "small",
    )


def training_graph(recipe: Recipe, observe: pipeline.Observe | None = None) -> Graph:
    """One training step, ready for kernels."""
    return pipeline.run(recipe.graph, training_passes(recipe), observe)


def evaluation_graph(recipe: Recipe) -> Graph:
    """Outputs and loss in inference mode, ready for kernels."""
    assert recipe.evaluation is not None
    graph = recipe.evaluation.copy()
    graph.outputs.pop("loss", None)
    return pipeline.run(graph, pipeline.INFERENCE)


def prediction_graph(
    network: Network,
    recipe: Recipe | None = None,
    passes: Sequence[Pass] = pipeline.INFERENCE,
) -> Graph:
    """What people are shown for new rows: outputs only, no targets needed."""
    alone = recipe is not None and JOINT not in network.name
    source = recipe.evaluation if recipe is not None and alone else None
    graph = as_answered(source or network.graph).copy()
    told = [turn.figure for turn in recipe.turns] if recipe is not None else []
    told += [guess.places for guess in recipe.guesses] if recipe is not None else []
    for name in ("loss", "data_loss", *told):
        graph.outputs.pop(name, None)
    for target in graph.of_role(Role.TARGET):
        del graph.inputs[target.value.name]
    return pipeline.run(_without_unused(graph), passes)


def _without_unused(graph: Graph) -> Graph:
    from nndsl.passes.dce import DeadCode

    return DeadCode()(graph)


def batch_of(recipe: Recipe, rows: int) -> int:
    """Rows of one training step."""
    return min(recipe.batch or rows, rows)


def program_of(graph: Graph, recipe: Recipe, rows: int, target: Target | None = None) -> Program:
    """The program of a training graph for so many training rows."""
    from nndsl.codegen.generate import generate  # checking a file does not wait for this

    batch = batch_of(recipe, rows)
    tight = recipe.memory == "small"
    return generate(graph, recipe.precision, batch, target, watch="data_loss", tight=tight)


def _inference_program(graph: Graph, precision: str, recipe: Recipe | None = None) -> Program:
    from nndsl.codegen import footprint
    from nndsl.codegen.generate import generate
    from nndsl.codegen.program import Region

    if recipe is not None and recipe.carry:
        return generate(graph, precision, recipe.batch or 1, watch=None)
    program = generate(graph, precision, footprint.EVALUATION_BATCH, watch=None)
    rows = footprint.rows_within(program.region_bytes.get(Region.WORKSPACE, 0))
    return program if rows == program.batch else generate(graph, precision, rows, watch=None)


def _loaded(
    graph: Graph, program: Program, threads: int = 1, also: Sequence[Kernel] = ()
) -> Compiled:
    from nndsl.runtime.executable import load  # nor for this, which loads LLVM

    return Compiled(graph, program, load(program, threads, also=also))


def compile_training(recipe: Recipe, rows: int, threads: int = 1) -> Compiled:
    """The training step of a recipe for so many training rows, loaded."""
    graph = training_graph(recipe)
    require_room(graph, recipe, batch_of(recipe, rows))
    return _loaded(graph, program_of(graph, recipe, rows), threads)


def compile_rounds(
    recipe: Recipe, rows: int, threads: int = 1, *, also: Sequence[Kernel] = ()
) -> CompiledRounds:
    """The updates of a recipe with several objectives, loaded on common weights."""
    from nndsl.codegen.generate import generate
    from nndsl.runtime.executable import load
    from nndsl.runtime.rounds import Rounds

    batch = batch_of(recipe, rows)
    graphs = [training_graph(turn.recipe) for turn in recipe.turns]
    for turn, graph in zip(recipe.turns, graphs, strict=True):
        require_room(graph, turn.recipe, batch)

    made = [generate(graph, recipe.precision, batch, watch="data_loss", shared=True)
            for graph in graphs]  # fmt: skip
    common = {given.value.name for graph in graphs for given in graph.of_role(Role.STATE)
              if given.value.name in _running(recipe)}  # fmt: skip
    holders: dict[str, Executable] = {}
    loaded: list[Executable] = []
    for program in made:
        names = [n for n in (*program.parameters, *program.states) if n in holders]
        lent = {name: holders[name] for name in names}
        loaded.append(load(program, threads, also=also, lent=lent))
        for name in (*program.parameters, *(s for s in program.states if s in common)):
            holders.setdefault(name, loaded[-1])
    return CompiledRounds(graphs[0], made[0], Rounds(recipe.turns, loaded, common))


def compile_buckets(
    recipes: Sequence[Recipe], rows: int, threads: int = 1, *, also: Sequence[Kernel] = ()
) -> list[Compiled]:
    """The training step of recipes that differ in the length of their sequences, short to long,
    loaded: weights and states lie in the memory of the last.
    """
    from nndsl.codegen.generate import generate
    from nndsl.runtime.executable import load

    batch = batch_of(recipes[-1], rows)
    graphs = [training_graph(recipe) for recipe in recipes]
    require_room(graphs[-1], recipes[-1], batch)
    precision, tight = recipes[-1].precision, recipes[-1].memory == "small"
    made = [generate(graph, precision, batch, watch="data_loss", tight=tight, shared=True)
            for graph in graphs]  # fmt: skip
    longest = load(made[-1], threads, also=[*also, *(k for one in made for k in one.kernels)])
    shared = (*made[-1].parameters, *made[-1].states)
    lent = dict.fromkeys(shared, longest)
    loaded = [*(load(one, threads, lent=lent) for one in made[:-1]), longest]
    return [Compiled(*one) for one in zip(graphs, made, loaded, strict=True)]


def _running(recipe: Recipe) -> set[str]:
    """The running statistics of the nets that a recipe trains."""
    assert recipe.evaluation is not None
    return {given.value.name for given in recipe.evaluation.of_role(Role.STATE)}


def footprint_of(recipe: Recipe, rows: int, others: int = 0) -> Footprint:
    """What training on `rows` rows, with `others` to validate and test on, takes of memory."""
    return _footprint(training_graph(recipe), recipe, batch_of(recipe, rows), rows + others)


def _footprint(
    graph: Graph, recipe: Recipe, batch: int, rows: int = 0, evaluation: Graph | None = None
) -> Footprint:
    from nndsl.codegen.footprint import footprint

    return footprint(
        graph, evaluation or evaluation_graph(recipe), recipe.precision, batch,
        keeps=recipe.keep is not None, tight=recipe.memory == "small", rows=rows,
    )  # fmt: skip


def require_room(graph: Graph, recipe: Recipe, batch: int, evaluation: Graph | None = None) -> None:
    """NN601 when training would take more than most of the free memory, before any is taken.

    The data are there already.
    """
    values = {v for node in graph.nodes for v in (*node.inputs, *node.outputs)}
    if sum(8 * _numbers_in(value, batch) for value in values) < WORTH_ASKING:
        return
    from nndsl.data.memory import available_bytes

    found = _footprint(graph, recipe, batch, evaluation=evaluation)
    needed, free = found.total, available_bytes()
    if needed <= SHARE_OF_FREE * free:
        return
    purposes = sorted(found.shares, key=lambda share: -share.bytes)[:4]
    shares = [f"{share.bytes / 1e9:,.1f} GB {share.purpose}" for share in purposes]
    largest = [f"{size / 1e9:,.1f} GB {name}" for name, size in found.plan.largest(5)
               if size > needed / 100]  # fmt: skip
    stages = [n for n in recipe.graph.nodes if n.span is not None and n.span != recipe.span]
    widest = max(stages, key=lambda n: sum(_numbers_in(v, batch) for v in n.inputs), default=None)
    raise error(
        "NN601",
        f"training `{recipe.net}` needs about {needed / 1e9:,.1f} GB of memory, "
        f"{free / 1e9:,.1f} GB are free",
        widest.span if widest is not None else recipe.span,
        "needs the most",
        notes=["the largest: " + ", ".join(largest), "for what: " + ", ".join(shares)],
        help="fewer units here need less; so does a smaller `batch`, or `memory = small`",
    )


def _numbers_in(value: Value, batch: int) -> int:
    return prod(d if isinstance(d, int) else batch for d in value.type.shape)


def compile_both(
    recipe: Recipe, rows: int, threads: int = 1
) -> tuple[Compiled | CompiledRounds, Compiled]:
    """The training step of a recipe for so many training rows and its evaluation, loaded.

    Kernels of both are compiled in one go, so that LLVM is never waited for in between. The code of
    the evaluation is loaded first: code reaches 2 GB at most, and a training's memory between two
    parts of it may be more.
    """
    graph = evaluation_graph(recipe)
    program = _inference_program(graph, recipe.precision, recipe)
    if recipe.turns:
        training = compile_rounds(recipe, rows, threads, also=program.kernels)
        return training, _loaded(graph, program, threads)
    step = training_graph(recipe)
    require_room(step, recipe, batch_of(recipe, rows), graph)
    stepping = program_of(step, recipe, rows)
    evaluation = _loaded(graph, program, threads, also=stepping.kernels)
    return _loaded(step, stepping, threads), evaluation


def compile_evaluation(recipe: Recipe, threads: int = 1) -> Compiled:
    """The evaluation of a recipe alone, loaded: outputs and `data_loss` in inference mode."""
    graph = evaluation_graph(recipe)
    return _loaded(graph, _inference_program(graph, recipe.precision, recipe), threads)


def compile_prediction(
    network: Network, recipe: Recipe | None = None, precision: str = "float32"
) -> Compiled:
    """The outputs of a network for new rows, loaded."""
    chosen = recipe.precision if recipe is not None else precision
    graph = prediction_graph(network, recipe)
    return _loaded(graph, _inference_program(graph, chosen, recipe))


def answer(
    network: Network, weights: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The first output of a network for some rows, in float64, through the compiled kernels.

    Lengths that are names are those of the rows.
    """
    sizes = sizes_of(network.graph, {name: array.shape for name, array in arrays.items()})
    if sizes:
        network = replace(network, graph=bound_copy(network.graph, sizes))
    compiled = compile_prediction(network, precision="float64")
    states = compiled.program.states
    compiled.executable.set_parameters({n: a for n, a in weights.items() if n not in states})
    compiled.executable.set_states({n: a for n, a in weights.items() if n in states})
    shapes = compiled.program.shapes
    elements = {n: compiled.program.inputs[n].element.value for n in arrays if n in shapes}
    inputs = {n: np.ascontiguousarray(arrays[n], element) for n, element in elements.items()}
    return compiled.executable.evaluate(inputs)[next(iter(network.graph.outputs))]


def smoke_test() -> None:
    """Compile and run a small network; any exception says what is wrong with this machine."""
    text = "net Probe {\n  input x: [3]\n  dense(2, weights=1, bias=0) -> tanh\n}\n"
    opened = open_source(Source("probe.nn", text), Path.cwd())
    network = opened.module.networks["Probe"]
    compiled = compile_prediction(network)
    values = {name: np.broadcast_to(info.values, info.shape)
              for name, info in network.parameters.items() if info.values is not None}  # fmt: skip
    compiled.executable.set_parameters(values)
    name = next(iter(network.inputs))
    result = compiled.executable.evaluate({name: np.full((5, 3), 0.1, np.float32)})
    found = next(iter(result.values()))
    if not np.allclose(found, np.tanh(0.3), atol=1e-6):
        raise RuntimeError(f"a kernel gave {found[0, 0]} where {np.tanh(0.3):.6f} is right")
