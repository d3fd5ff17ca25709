"""Padded sequences in batches of like lengths (`buckets = 4`), each cut to what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from nndsl import compilation, driver
from nndsl.codegen.program import Program
from nndsl.diagnostics import NndslError, error
from nndsl.ir.graph import Graph, Role
from nndsl.lower.result import Network, Recipe
from nndsl.records import dataclass
from nndsl.runtime.buckets import Bucket, Buckets
from nndsl.runtime.reference import evaluate
from nndsl.schema import Schema
from nndsl.train.initial import initial_parameters
from nndsl.vocab.preprocessing import padding_of

Arrays = Mapping[str, np.ndarray]
Lengths = dict[str, int]
"""The longest sequences of a batch, by input."""

ROWS_COMPARED = 2  # as many are enough to tell
TOLERANCE = 1e-9


@dataclass(frozen=True)
class CompiledBuckets:
    """The graph and the program for the longest sequences, and what does the steps."""

    graph: Graph
    program: Program
    executable: Buckets


def in_buckets(
    opened: driver.Opened, recipe: Recipe, rows: Arrays, threads: int
) -> tuple[CompiledBuckets, compilation.Compiled]:
    """The training step of a recipe for several lengths, and its evaluation.

    NN328 where weights, or what is minimised, depend on how far rows are filled up.
    """
    assert recipe.data is not None
    schema = opened.module.schemas[recipe.data]
    padding = {
        i.name: value
        for i in schema.inputs
        for steps in i.steps.values()
        if i.name in rows and (value := padding_of(steps)) is not None
    }
    lengths = {name: lengths_of(rows[name], value) for name, value in padding.items()}
    chosen = lengths_chosen(lengths, {n: rows[n].shape[1] for n in padding}, recipe.buckets)
    number = [known.span for known in opened.module.recipes].index(recipe.span)
    network = opened.module.networks[recipe.net]
    recipes = []
    for limits in chosen:
        module = opened.lowered({**opened.module.schemas, recipe.data: _cut(schema, limits)})
        recipes.append(replace(module.recipes[number], precision=recipe.precision))
        _require_same_weights(network, module.networks[recipe.net], recipe)
    _require_same_loss(network, recipe, recipes[0], _shortest(rows, lengths, chosen[0]), chosen[0])
    count = len(next(iter(rows.values())))
    evaluation = compilation.compile_evaluation(recipe, threads)
    compiled = compilation.compile_buckets(recipes, count, threads)
    buckets = [Bucket(c.executable, n) for c, n in zip(compiled, chosen, strict=True)]
    fitting = partial(_bucket_of_rows, padding, chosen)
    longest = compiled[-1]
    return CompiledBuckets(longest.graph, longest.program, Buckets(buckets, fitting)), evaluation


def lengths_of(ids: np.ndarray, padding: int) -> np.ndarray:
    """Places of each row [rows, T] before only padding follows; at least one."""
    there = ids != padding
    behind = np.argmax(there[:, ::-1], axis=1)
    return np.where(there.any(axis=1), ids.shape[1] - behind, 1)


def lengths_chosen(lengths: Arrays, most: Mapping[str, int], count: int) -> list[Lengths]:
    """For `count` equal shares of the rows the lengths that their longest need, each once.

    Of several inputs the one that needs the greatest part of its length says how long a row is.
    """
    parts = np.max([lengths[name] / most[name] for name in lengths], axis=0)
    shares = np.quantile(parts, np.arange(1, count + 1) / count, method="inverted_cdf")
    found = [{n: max(1, int(np.ceil(share * most[n] - 1e-9))) for n in lengths} for share in shares]
    return [limits for n, limits in enumerate(found) if limits not in found[:n]]


def _bucket_of_rows(
    padding: Mapping[str, int], chosen: Sequence[Lengths], rows: Arrays
) -> np.ndarray:
    """For each row the number of the first lengths that it fits."""
    found = [
        np.searchsorted([limits[name] for limits in chosen], lengths_of(rows[name], value))
        for name, value in padding.items()
    ]
    return np.asarray(np.max(found, axis=0))


def _cut(schema: Schema, lengths: Lengths) -> Schema:
    inputs = tuple(
        replace(i, shape=(lengths[i.name],)) if i.name in lengths else i for i in schema.inputs
    )
    return replace(schema, inputs=inputs)


def _shortest(rows: Arrays, lengths: Arrays, limits: Lengths) -> dict[str, np.ndarray]:
    """A few rows that fit into the shortest lengths."""
    fits = np.all([lengths[name] <= limits[name] for name in lengths], axis=0)
    return {name: array[np.flatnonzero(fits)[:ROWS_COMPARED]] for name, array in rows.items()}


def _require_same_weights(network: Network, shorter: Network, recipe: Recipe) -> None:
    for name, info in network.parameters.items():
        if shorter.parameters[name].shape != info.shape:
            title = f"`{name}` has a weight for each place, so batches cannot be cut shorter"
            raise error("NN328", title, recipe.span, help="leave out `buckets`")


def _require_same_loss(
    network: Network, recipe: Recipe, shorter: Recipe, rows: Arrays, lengths: Lengths
) -> None:
    """What fills up a row must say nothing: the loss of some rows is the same without it."""
    weights = initial_parameters(network, recipe.seed)
    cut = {n: a[:, : lengths[n]] if n in lengths else a for n, a in rows.items()}
    losses = []
    for one, arrays in ((recipe, rows), (shorter, cut)):
        graph = one.evaluation
        assert graph is not None
        starts = {i.value.name: np.full(_sizes(i.value.type.shape), i.start)
                  for i in graph.of_role(Role.STATE)}  # fmt: skip
        known = {**weights, **starts, **arrays}
        found, _ = evaluate(
            graph, {n: known[n] for n in graph.inputs if n in known}, precision="float64"
        )
        losses.append(float(found["data_loss"]))
    if not np.isclose(losses[0], losses[1], rtol=TOLERANCE, atol=TOLERANCE):
        raise _depends(recipe)


def _sizes(shape: Sequence[int | str]) -> tuple[int, ...]:
    return tuple(size for size in shape if isinstance(size, int))


def _depends(recipe: Recipe) -> NndslError:
    return error(
        "NN328",
        f"what fills up shorter rows counts in the loss of `{recipe.net}`: cut shorter, "
        "it would learn something else",
        recipe.span,
        help="a loss that leaves those places out: `cross_entropy(a, b, where=b != 0)`",
    )
