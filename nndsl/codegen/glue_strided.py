"""Glue for rows that stand apart: formulas over steps of sequences and columns of wider tensors."""

from __future__ import annotations

from functools import cache

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.printing import assignments
from nndsl.codegen.program import Element, Kernel
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression


@dataclass(frozen=True)
class RowOperand:
    """How a formula's operand (or result) is reached from row `i` and column `j`.

    `kind`: "tile" (a number for each row and column), "columns" (one a column), "rows" (one a
    row), "number" (one in all). Without a type it is no pointer but a run-time size. A result may
    stand `over` the operand of that number, and have no pointer of its own.
    """

    kind: str
    element: Element | None
    over: int | None = None

    @property
    def has_rows(self) -> bool:
        """Whether it takes a distance from row to row."""
        return self.kind in ("tile", "rows")


@cache
def rows_kernel(
    expressions: tuple[Expression, ...],
    operands: tuple[RowOperand, ...],
    results: tuple[RowOperand, ...],
    element: Element,
) -> Kernel:
    """Expressions over x0, x1, ... for every row and column.

    Arguments: operands and results in order, the number of columns, then the distance from row to
    row of each that has rows. The extent is rows.
    """
    used = (*operands, *(r for r in results if r.over is None))
    first = len(operands)
    names = [f"a{n}" for n in range(first)] + [f"b{n}" for n in range(len(used) - first)]
    strides = {n: f"s{n}" for n, o in enumerate(used) if o.has_rows}
    arguments = [*names, "columns", *strides.values()]
    signature = tuple("size" if o.element is None else f"pointer:{o.element.value}" for o in used)
    signature += ("size",) * (1 + len(strides))
    outer: list[str] = []
    inner: list[str] = []
    for number, operand in enumerate(operands):
        place = {"number": "0", "rows": f"i * s{number}", "columns": "j"}.get(
            operand.kind, f"i * s{number} + j"
        )
        read = names[number] if operand.element is None else f"{names[number]}[{place}]"
        if operand.element is not element:
            read = f"{element.value}({read})"
        (inner if operand.kind in ("tile", "columns") else outer).append(f"x{number} = {read}")
    fresh = iter(range(first, len(used)))
    targets = [next(fresh) if r.over is None else r.over for r in results]
    places = [f"{names[n]}[i * s{n} + j]" for n in targets]
    variables = {f"x{n}": f"x{n}" for n in range(len(operands))}
    inner += assignments(expressions, places, variables, element)
    lines = [
        "for i in range(low, high):",
        *block(outer),
        INDENT + "for j in range(columns):",
        *block(inner, 2),
    ]
    return glue_kernel("rows", function("rows", arguments, lines), signature, element)
