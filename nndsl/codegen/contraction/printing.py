"""The loop nest of a contraction, in our own notation, for people who read kernels.

C[N, 64] = sum of A[N, 20] * B[20, 64]   float32
strides: A 20, 1; B 64, 1; C 64, 1
with bias[n]
avx512: a number of A times registers of B
n in panels of 64 (16+16+16+16 lanes); m in tiles of 4, 2, 1
for n in 0:64 by 64
  for m in low:high by 4
    sum = 0
    for k in 0:20
      sum += A[m, k] * B[k, n]
    C[m, n] = where(sum + bias > 0, sum + bias, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nndsl.codegen.contraction.levels import Level, divided
from nndsl.codegen.contraction.problem import Form, Problem, normalise
from nndsl.codegen.contraction.tiles import Panel, Plan, choose
from nndsl.codegen.program import Axis, Contraction, Operand, Size
from nndsl.codegen.target import Target
from nndsl.scalar.text import to_text

GRID, REDUCED = "ghij", "opqr"
"""Names of the axes of the grid, and of reduced ones."""

_HOW = {
    Form.BROADCAST: "a number of {0} times registers of {1}",
    Form.PACKED: "a number of {0} times registers of a copied panel of {1}",
    Form.SUM: "registers of {1} added up",
    Form.DOT: "registers of {0} times registers of {1} along k, added up at the end",
}


def loop_nest(contraction: Contraction, target: Target) -> str:
    """What the kernel does, one loop a line."""
    problem = normalise(contraction, target)
    plan = choose(problem, target)
    lines = [*_head(contraction), *_tiles(problem, plan, target), *_loops(problem, plan)]
    return "\n".join(lines) + "\n"


def _head(c: Contraction) -> list[str]:
    rows, depth = _size(c.rows), _size(c.depth)
    axes = (*c.grid, *c.reduced)
    a, b, moved = (_prefix(axis.count for axis in axes if stride(axis)) for stride in (_a, _b, _c))
    product = f"{'' if c.ones else f'A[{a}{rows}, {depth}] * '}B[{b}{depth}, {c.columns}]"
    lines = [
        f"C[{moved}{rows}, {c.columns}] = sum of {product}   {c.element.value}",
        f"strides: A {_strides(axes, _a)}{c.a_row}, {c.a_depth}; "
        f"B {_strides(axes, _b)}{c.b_depth}, {c.b_column}{_panels(c.b_panel)}; "
        f"C {_strides(axes, _c)}{c.c_row}, {c.c_column}{_panels(c.c_panel)}",
    ]
    if c.operands:
        lines.append("with " + ", ".join(_operand(operand) for operand in c.operands))
    return lines


def _panels(width: int) -> str:
    return f" in panels of {width}" if width else ""


def _a(axis: Axis) -> int:
    return axis.a


def _b(axis: Axis) -> int:
    return axis.b


def _c(axis: Axis) -> int:
    return axis.c


def _prefix(counts: Iterable[Size]) -> str:
    return "".join(f"{_size(count)}, " for count in counts)


def _strides(axes: Sequence[Axis], stride: Callable[[Axis], int]) -> str:
    return "".join(f"{stride(axis)}, " for axis in axes if stride(axis))


def _operand(operand: Operand) -> str:
    index = {"columns": "[n]", "tile": "[m, n]", "rows": "[m]", "scalar": ""}[operand.kind]
    return operand.name + index


def _size(size: Size) -> str:
    if size.symbol == "one":
        return str(size.factor)
    return size.symbol if size.factor == 1 else f"{size.factor}*{size.symbol}"


def _tiles(problem: Problem, plan: Plan, target: Target) -> list[str]:
    sides = ("B", "A") if problem.swapped else ("A", "B")
    names = ("m", "n") if problem.swapped else ("n", "m")
    panels = " and ".join(_panel(panel) for panel in plan.panels)
    heights = ", ".join(map(str, plan.heights))
    return [
        f"{target.name}: {_HOW[problem.form].format(*sides)}",
        f"{names[0]} in panels of {panels}; {names[1]} in tiles of {heights}",
    ]


def _panel(panel: Panel) -> str:
    lanes = "+".join(str(part.lanes) for part in panel.parts)
    if panel.masked:
        return f"what is left, masked ({lanes} lanes)"
    times = f"{panel.count} x " if panel.count is not None and panel.count > 1 else ""
    return f"{times}{panel.width} ({lanes} lanes)"


def _loops(problem: Problem, plan: Plan) -> list[str]:
    c = problem.contraction
    panel, tile = ("m", "n") if problem.swapped else ("n", "m")
    bounds = {"m": f"0:{_size(c.rows)}", "n": f"0:{c.columns}"}
    if not c.grid:
        bounds["n" if c.split_columns else "m"] = "low:high"
    around, inside = divided(problem)
    heads = [
        *(_level(problem, level) for level in around),
        f"for {panel} in {bounds[panel]} by {plan.panels[0].width}",
        *(_level(problem, level) for level in inside),
        f"for {tile} in {bounds[tile]} by {plan.heights[0]}",
    ]
    return [
        *("  " * depth + head for depth, head in enumerate(heads)),
        *("  " * len(heads) + line for line in _tile(problem)),
    ]


def _level(problem: Problem, level: Level) -> str:
    """A loop around the panels, or around the rows of one."""
    counts = " x ".join(_size(axis.count) for axis in level.axes)
    if level.shared:
        return f"for {', '.join(GRID[: len(level.axes)])} in low:high of {counts}"
    return f"for {REDUCED[problem.reduced.index(level.axes[0])]} in 0:{counts}"


def _tile(problem: Problem) -> list[str]:
    """What is done for each tile."""
    c = problem.contraction
    axes = list(zip((*GRID[: len(c.grid)], *REDUCED), (*c.grid, *c.reduced), strict=False))
    a, b, moved = (
        "".join(f"{name}, " for name, axis in axes if stride(axis)) for stride in (_a, _b, _c)
    )
    inner = "".join(
        f"{name} in 0:{_size(axis.count)}, "
        for name, axis in list(zip(REDUCED, problem.reduced, strict=False))[len(problem.rounds) :]
    )
    results = [to_text(expression) for expression in c.epilogue] or ["sum"]
    names = [f"C{index}" for index in range(len(results))] if len(results) > 1 else ["C"]
    return [
        f"sum = {f'C[{moved}m, n]' if problem.accumulates else '0'}",
        f"for {inner}k in 0:{_size(c.depth)}",
        f"  sum += {'' if c.ones else f'A[{a}m, k] * '}B[{b}k, n]",
        *(f"{name}[{moved}m, n] = {text}" for name, text in zip(names, results, strict=True)),
    ]
