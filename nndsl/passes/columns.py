"""Columns: what a formula makes of learnt numbers alone is computed once, not for every row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.ops.map import Map, operand
from nndsl.ops.shapes import broadcast
from nndsl.passes.optimizing import hoist
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass
from nndsl.scalar.affine import collapsed
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import substitute, variables


@dataclass(frozen=True)
class FoldColumns:
    """Take the parts out of formulas over rows in which no row is read, only columns.

    Between them ((x + a) * b - c) * d becomes x * s + t, with s and t computed once a column: so
    batch normalisation at inference goes into the bias and a factor of the product before it.
    Rounding differs by the 4 ulp of what is added.
    """

    name = "fold_columns"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with small formulas for columns and shorter ones for rows."""
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            operation = node.operation
            columns = {f"x{i}": v for i, v in enumerate(node.inputs) if _is_column(v)}
            if isinstance(operation, Map) and columns and node.outputs[0].type.rank > 1:
                node = _folded(rewriter, node, operation, columns)
            rewriter.keep(node)
        return rewriter.finish()


def _is_column(value: Value) -> bool:
    type = value.type
    return type.element is ElementType.REAL and BATCH not in type.shape and type.rank > 0


def _folded(rewriter: Rewriter, node: Node, operation: Map, columns: dict[str, Value]) -> Node:
    """The node with what depends on columns alone read from small formulas before it."""
    rows = {f"x{i}" for i, v in enumerate(node.inputs) if BATCH in v.type.shape}
    if not rows or operation.element is not ElementType.REAL:
        return node
    formulas, wanted = _taken_out(
        operation.expressions, len(node.inputs), frozenset(rows), frozenset(columns)
    )
    if not wanted:
        return node
    made = _computed(rewriter, node, wanted)
    names = {name: operand(len(node.inputs) + i) for i, name in enumerate(made)}
    inputs = [*node.inputs, *made.values()]
    return _with_operands(node, [substitute(f, names) for f in formulas], inputs)


@lru_cache(1 << 12)
def _taken_out(
    expressions: tuple[Expression, ...], count: int, rows: frozenset[str], columns: frozenset[str]
) -> tuple[list[Expression], Mapping[str, Expression]]:
    """Formulas of `count` operands without what columns alone give, and that by its new name.

    Blocks of a network have the same formulas: the answers are kept.
    """
    fixed = {f"x{i}" for i in range(count)} - rows
    formulas, found = hoist(collapsed(expressions, fixed), rows)
    alone = {n: e for n, e in found.items() if not columns & set(variables(e))}
    formulas = [substitute(formula, alone) for formula in formulas]
    return formulas, {n: e for n, e in found.items() if n not in alone}


def _computed(
    rewriter: Rewriter, node: Node, formulas: Mapping[str, Expression]
) -> dict[str, Value]:
    """Formulas of columns by name, those of one shape in one node."""
    by_shape: dict[object, dict[str, Expression]] = {}
    for name, formula in formulas.items():
        shapes = [node.inputs[int(v[1:])].type.shape for v in variables(formula)]
        by_shape.setdefault(broadcast(shapes), {})[name] = formula
    made: dict[str, Value] = {}
    for group in by_shape.values():
        used = variables(*group.values())
        places = {name: operand(i) for i, name in enumerate(used)}
        mapped = Map(tuple(substitute(formula, places) for formula in group.values()))
        values = [node.inputs[int(name[1:])] for name in used]
        results = rewriter.build.add_all(mapped, *values, name="columns")
        made |= dict(zip(group, results, strict=True))
    return made


def _with_operands(node: Node, formulas: list[Expression], inputs: list[Value]) -> Node:
    """The node with other formulas, of those of its new operands that they read."""
    read = [i for i in range(len(inputs)) if f"x{i}" in set(variables(*formulas))]
    places = {f"x{i}": operand(n) for n, i in enumerate(read)}
    operation = Map(tuple(substitute(formula, places) for formula in formulas))
    new = Node(operation, tuple(inputs[i] for i in read), node.outputs, node.span, node.label)
    for value in new.outputs:
        value.node = new
    return new
