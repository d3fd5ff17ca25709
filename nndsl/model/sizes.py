"""Networks that take pictures of any size: `input image: 1xHxW`, one program for each size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nndsl.data import read_table
from nndsl.data.images.column import ImageColumn
from nndsl.diagnostics import error
from nndsl.lower.result import Network
from nndsl.schema import DataSpecification, Schema
from nndsl.train.saved import SavedRun

Size = tuple[int, int]


def size_of_pictures(specification: DataSpecification, data: str) -> Size | None:
    """Height and width of the pictures in a file or folder, as its first one is."""
    options = {n: s for n, s in specification.options.items() if n in ("size", "channels")}
    plain = replace(
        specification, options=options, settings={}, chains=(), columns={}, pictures=None
    )
    table = read_table(plain, Path.cwd(), data)
    found = (c.shape for c in table.columns.values() if isinstance(c, ImageColumn))
    return next((shape[1:] for shape in found), None)


def sized(schema: Schema, size: Size) -> Schema:
    """The schema for pictures of another size; a target is as much smaller as it was."""
    before = next(i.shape[1:] for i in schema.inputs if len(i.shape) == 3)
    inputs = tuple(
        replace(i, shape=(i.shape[0], *size)) if len(i.shape) == 3 else i for i in schema.inputs
    )
    targets = tuple(
        replace(t, shape=(t.shape[0], *_moved(t.shape[1:], before, size))) if t.pictures else t
        for t in schema.targets
    )
    return replace(schema, inputs=inputs, targets=targets)


def require_same_weights(network: Network, run: SavedRun, size: Size) -> None:
    """NN426 when the size decides how many weights there are: a dense layer sees each pixel."""
    for name, info in network.parameters.items():
        if name in run.weights and run.weights[name].size != info.size:
            raise error(
                "NN426",
                f"the network would need other weights for pictures of {size[0]}x{size[1]}: "
                f"`{name}` depends on their size",
                help="give pictures as large as those that trained; `global_avg_pool` before "
                "`dense` makes a network that takes any size",
            )


def _moved(target: Sequence[int], before: Sequence[int], size: Size) -> tuple[int, ...]:
    return tuple(t + new - old for t, old, new in zip(target, before, size, strict=True))
