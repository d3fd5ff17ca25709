"""A run, or a file's network with the weights it starts from, as text of other systems."""

from __future__ import annotations

from pathlib import Path

from nndsl import compilation
from nndsl.data.cells import MISSING
from nndsl.data.options import csv_options, missing_texts
from nndsl.data.series import window_of
from nndsl.diagnostics import error
from nndsl.export.numpy_file import numpy_file
from nndsl.ir.graph import Graph
from nndsl.model.api import load
from nndsl.model.given_rows import Preparation
from nndsl.ops.source import Random
from nndsl.passes import pipeline


def exported(path: Path, name: str) -> str:
    """The NumPy file of a run folder or a `.nn` file; `name` is what the file will be called.

    Of a text or a series it is the network alone, for arrays of windows: a table has rows only.
    """
    model = load(path)
    origin = model.origin
    graph = compilation.prediction_graph(origin.network, origin.recipe, pipeline.CLEANING)
    _require_certainty(graph)
    known = origin.preparation
    if known is None or (_of_windows(known) and not model.members):
        return numpy_file(graph, [model.arrays()], name, model.precision)
    texts = {text.lower() for text in (*MISSING, *missing_texts(known.specification))}
    members = [member.arrays() for member in model.members or (model,)]
    return numpy_file(
        graph, members, name, model.precision, known.schema, texts,
        form=csv_options(known.specification),
        answer=origin.recipe.answer if origin.recipe is not None else None,
        joins=list(model.joins.values()),
        size=origin.recipe.augment.size if origin.recipe is not None else None,
    )  # fmt: skip


def _of_windows(known: Preparation) -> bool:
    return known.specification.kind == "text" or window_of(known.schema) > 0


def _require_certainty(graph: Graph) -> None:
    """NN077 for a network that draws random numbers when it answers."""
    drawn = next((node for node in graph.nodes if isinstance(node.operation, Random)), None)
    if drawn is not None:
        raise error(
            "NN077",
            "a network that draws noise for its answers has no form in NumPy",
            drawn.span,
            "new numbers at each answer",
            help="export a net without it, such as the decoder, trained for itself",
        )
