from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.program import Element
from nndsl.codegen.target import target
from nndsl.codegen.transpose import transpose_text
from tests.codegen.machine import compile_kernel
from tests.codegen.processors import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("element", [Element.FLOAT32, Element.FLOAT64, Element.INT32])
def test_transpose(element, name, rng):
    processor = target(name)
    kernel = compile_kernel(transpose_text(element, "kernel", processor), "kernel", processor)
    kind = element.value
    for rows, columns in ((1, 1), (3, 5), (8, 16), (17, 33), (64, 20), (5, 70)):
        source = np.full((rows, columns + 3), 77, kind)
        source[:, :columns] = rng.uniform(-99, 99, (rows, columns))
        sizes = np.array([1, rows], np.int64)
        for shares in ([(0, rows)], [(rows // 3, rows), (0, rows // 3)]):
            destination = np.full((columns + 2, rows + 5), -5, kind)
            slots = np.array(
                [source.ctypes.data, destination.ctypes.data, 1, 1, columns, 0, columns + 3, 0,
                 rows + 5, 0], np.int64,
            )  # fmt: skip
            for low, high in shares:
                kernel(slots, sizes, low, high)
            np.testing.assert_array_equal(destination[:columns, :rows], source[:, :columns].T)
            assert (destination[columns:] == -5).all()
            assert (destination[:, rows:] == -5).all()
