"""Calls for matrix products, with what follows them in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from nndsl.codegen.context import Context, draft
from nndsl.codegen.contraction import align, extents, flops, loop_nest
from nndsl.codegen.draft import Draft, Pointer, Share, contraction_kernel
from nndsl.codegen.loops import size_of
from nndsl.codegen.program import Contraction, Kernel, Operand, Size, Split
from nndsl.codegen.target import Target
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.ops.base import Op
from nndsl.ops.fused import Fused, FusedMatMul, read_in_registers
from nndsl.ops.matmul import MatMul
from nndsl.scalar.expression import variable
from nndsl.scalar.inspection import substitute


def emit_matmul(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction."""
    assert isinstance(operation, MatMul)
    return [contraction_call(context, node, _product(context, operation, node))]


def emit_fused_matmul(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction with an epilogue."""
    assert isinstance(operation, FusedMatMul)
    plain = _product(context, operation.product, node)
    return [contraction_call(context, node, with_formulas(context, node, operation, plain))]


def with_formulas(
    context: Context, node: Node, operation: Fused, plain: Contraction
) -> Contraction:
    """A product's contraction with the formulas of its sums; operands move along its grid."""
    names = {"x0": variable("sum")}
    operands = []
    for number, value in enumerate(node.inputs[2:], 1):
        operands.append(_operand(context, f"x{number}", value, node.outputs[0], plain))
    epilogue = tuple(substitute(e, names) for e in operation.expressions)
    return replace(plain, epilogue=epilogue, operands=tuple(operands))


def _operand(
    context: Context, name: str, value: Value, result: Value, plain: Contraction
) -> Operand:
    kind = read_in_registers(value, result)
    if kind is None:
        raise ValueError(f"{value} cannot be read after the product {result}")
    width = _columns(result.type.shape)
    strides = {"tile": context.row(value, width), "rows": context.row(value, 1)}
    if plain.grid:  # else, in panels, c_row is the width of one
        strides = {"tile": plain.c_row, "rows": plain.c_row // width}
    stride = strides.get(kind, 0)
    moves = {
        "tile": tuple(axis.c for axis in plain.grid),
        "rows": tuple(axis.c // width for axis in plain.grid),
        "columns": tuple(axis.c % width for axis in plain.grid),
    }.get(kind, ())
    element = context.element(value.type.element)
    return Operand(name, kind, stride, None if element is context.precision else element, moves)


def _columns(shape: tuple[Dimension, ...]) -> int:
    last = shape[-1]
    if not isinstance(last, int):
        raise ValueError(f"the size {last} is not known")
    return last


def _product(context: Context, operation: MatMul, node: Node) -> Contraction:
    """Strides of A, B and C in elements."""
    a, b = (v.type.shape for v in node.inputs[:2])
    a_last, b_last = _columns(a), _columns(b)
    columns = _columns(node.outputs[0].type.shape)
    if operation.transpose_a:
        rows, depth = Size(a_last), size_of(a[:-1])
        a_strides = (1, a_last)
    else:
        rows, depth = size_of(a[:-1]), Size(a_last)
        a_strides = (context.row(node.inputs[0], a_last), 1)
    b_panel, c_panel = (context.panels.get(v, 0) for v in (node.inputs[1], node.outputs[0]))
    b_row = b_panel or b_last
    b_strides = (1, b_row) if operation.transpose_b else (b_row, 1)
    return Contraction(
        element=context.precision,
        columns=columns,
        rows=rows,
        depth=depth,
        a_row=a_strides[0],
        a_depth=a_strides[1],
        b_depth=b_strides[0],
        b_column=b_strides[1],
        c_row=c_panel or context.row(node.outputs[0], columns),
        b_panel=b_panel,
        c_panel=c_panel,
    )


def contraction_call(
    context: Context, node: Node, contraction: Contraction, skips: Sequence[int] = ()
) -> Draft:
    """The call of a node's contraction, split by rows of the batch where these are its extent.

    `skips` says how many numbers of each operand and result stand before those it works on.
    """
    kernel, tile = _kernel(contraction, context.target)
    by_rows = contraction.extent.symbol == BATCH
    share = Share.PART if by_rows else Share.WHOLE
    kinds = [o.kind for o in contraction.operands]
    alike = by_rows and any(axis.b for axis in contraction.grid[:1])  # B moves with the batch too
    shares = [
        share,
        share if alike else Share.WHOLE,
        *(_share(k) for k in kinds),
        *[Share.PART] * len(node.outputs),
    ]
    if contraction.c_panel or (contraction.grid and not by_rows):
        shares = [Share.WHOLE] * len(shares)  # a share is not one stretch of memory
    sizes = {BATCH: context.batch}
    pointers = []
    values = [*node.inputs, *node.outputs]
    for number, (value, part, reach) in enumerate(
        zip(values, shares, extents(contraction, sizes), strict=True)
    ):
        elements = reach // context.buffers[value].element.bytes
        writes, skip = number >= len(node.inputs), skips[number] if skips else 0
        if part is Share.PART and value not in context.strides:
            whole = context.count(value)  # a thread's rows of it are its own, whatever is read
            assert skip + elements <= whole
            pointers.append(Pointer(context.buffers[value], whole, writes, part, inside=skip))
        else:
            pointer = context.pointer(value, elements, part, writes=writes)
            pointers.append(replace(pointer, skip=skip) if skip else pointer)
    split = Split.ROWS if by_rows else Split.OWN
    return draft(
        node,
        kernel,
        (*pointers, *contraction.sizes),
        contraction.extent,
        split,
        tile,
        flops(contraction, sizes),
    )


def _share(kind: str) -> Share:
    return Share.PART if kind in ("tile", "rows") else Share.WHOLE


@cache
def _kernel(contraction: Contraction, target: Target) -> tuple[Kernel, int]:
    """The kernel of a contraction, and what shares of its extent should be multiples of."""
    kernel = contraction_kernel(contraction, loop_nest(contraction, target))
    return kernel, align(contraction, target)
