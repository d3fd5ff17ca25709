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

from nndsl.codegen.contraction.problem import Form, Problem, normalise
from nndsl.codegen.contraction.tiles import Panel, Plan, choose
from nndsl.codegen.program import Contraction, Operand, Size
from nndsl.codegen.target import Target
from nndsl.scalar.text import to_text

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
    o = f"{c.outer}, " if c.outer > 1 else ""
    product = f"{'' if c.ones else f'A[{o}{rows}, {depth}] * '}B[{o}{depth}, {c.columns}]"
    lines = [
        f"C[{rows}, {c.columns}] = sum of {product}   {c.element.value}",
        f"strides: A {_strides(c.a_outer, c.outer)}{c.a_row}, {c.a_depth}; "
        f"B {_strides(c.b_outer, c.outer)}{c.b_depth}, {c.b_column}{_panels(c.b_panel)}; "
        f"C {c.c_row}, {c.c_column}{_panels(c.c_panel)}",
    ]
    if c.operands:
        lines.append("with " + ", ".join(_operand(operand) for operand in c.operands))
    return lines


def _panels(width: int) -> str:
    return f" in panels of {width}" if width else ""


def _strides(stride: int, count: int) -> str:
    return f"{stride}, " if count > 1 else ""


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
    bounds["n" if c.split_columns else "m"] = "low:high"
    o, outer = ("o, ", f"o in 0:{c.outer}, ") if c.outer > 1 else ("", "")
    results = [to_text(expression) for expression in c.epilogue] or ["sum"]
    names = [f"C{index}" for index in range(len(results))] if len(results) > 1 else ["C"]
    return [
        f"for {panel} in {bounds[panel]} by {plan.panels[0].width}",
        f"  for {tile} in {bounds[tile]} by {plan.heights[0]}",
        f"    sum = {'C[m, n]' if c.accumulate else '0'}",
        f"    for {outer}k in 0:{_size(c.depth)}",
        f"      sum += {'' if c.ones else f'A[{o}m, k] * '}B[{o}k, n]",
        *(f"    {name}[m, n] = {text}" for name, text in zip(names, results, strict=True)),
    ]
