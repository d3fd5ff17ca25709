"""Rows that are made, not read: `data road = roads(2000)`."""

from __future__ import annotations

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.images.pixels import ArrayPixels
from nndsl.data.memory import require_memory
from nndsl.data.table import NumberColumn, Origin, Table, TableColumn
from nndsl.schema import DataSpecification
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Generator
from nndsl.vocab.registry import words


def read_generated(specification: DataSpecification) -> Table:
    """The table that a generator makes; NN620 where it would not fit into memory."""
    word = words("generator")[specification.kind]
    assert isinstance(word, Generator) and word.make is not None and word.size is not None
    given = {n: s.value for n, s in specification.options.items() if n in word.parameters}
    arguments = bind_arguments(word, (), given)
    name = f"{word.name} `{specification.name}`"
    require_memory(name, 2.0 * word.size(arguments), "its rows")
    made = word.make(arguments)
    rows = len(next(iter(made.values())))
    numbers = np.arange(rows, dtype=np.int64)
    columns: dict[str, TableColumn] = {
        key: ImageColumn(key, ArrayPixels(array), numbers)
        if array.ndim == 4
        else NumberColumn(key, array)
        for key, array in made.items()
    }
    return Table(Origin(name, "images"), columns, rows, numbers)
