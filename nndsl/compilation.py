"""From recipes and networks to programs that run: passes, kernels, memory, machine code.

Each function stops after a stage and returns what the stage made, so that every stage can be
looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nndsl.diagnostics import error
from nndsl.ir.graph import Graph, Role, Value
from nndsl.lower.hiding import as_answered
from nndsl.lower.result import JOINT, Network, Recipe
from nndsl.ops.binding import bound_copy, sizes_of
from nndsl.passes import pipeline
from nndsl.passes.pipeline import Pass
from nndsl.records import dataclass

if TYPE_CHECKING:
    from nndsl.codegen.footprint import Footprint
    from nndsl.codegen.program import Kernel, Program
    from nndsl.codegen.target import Target
    from nndsl.runtime.executable import Executable
    from nndsl.runtime.rounds import Rounds

WORTH_ASKING = 100_000_000
"""Bytes below which nobody asks how much memory is free."""
SHARE_OF_FREE = 0.8


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


def compile_buckets(recipes: Sequence[Recipe], rows: int, threads: int = 1) -> list[Compiled]:
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
    longest = load(made[-1], threads, also=[k for one in made for k in one.kernels])
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
