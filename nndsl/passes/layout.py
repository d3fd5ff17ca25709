"""Layout: images stay channels last between operations; people see channels first at the ends.

Layers turn their input to height x width x channels and their result back. Both turns cost a copy.
A turn back is therefore put off until it meets the next turn, and both go: what lies between
(formulas, norms, sums, joined tensors) is computed on the turned tensor.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ir.types import BATCH
from nndsl.ops.base import Op, operation_of
from nndsl.ops.movement import Transpose
from nndsl.ops.reduction import Reshape
from nndsl.ops.shapes import Shape
from nndsl.passes.dce import DeadCode
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass

Axes = tuple[int, ...]


@dataclass(frozen=True)
class ChannelsLast:
    """Move transpositions that leave the batch where it is past the operations that read them.

    A transposition that exchanges nothing but axes of size 1 becomes a change of shape.
    """

    name = "channels_last"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with fewer transpositions; only sums may be taken in another order."""
        if not any(isinstance(node.operation, Transpose) for node in graph.nodes):
            return graph
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            if isinstance(node.operation, Transpose):
                _turn(rewriter, node, node.operation)
            else:
                _put_off(rewriter, node)
        return DeadCode()(rewriter.finish())


def _turn(rewriter: Rewriter, node: Node, operation: Transpose) -> None:
    """Keep a transposition, joined with the one before it; nothing is left of one and its undoing.

    Where it exchanges axes of size 1 only, it is a change of shape.
    """
    axes, source = operation.axes, node.inputs[0]
    earlier = _turned(rewriter, source)
    if earlier is not None:
        source, inner = earlier
        axes = tuple(inner[a] for a in axes)
    replacement = source if axes == tuple(sorted(axes)) else None
    if replacement is None and _keeps_order(source.type.shape, axes):
        shape = node.outputs[0].type.shape
        replacement = rewriter.build.add(Reshape(shape), source, name=node.outputs[0].name)
    elif replacement is None and source is not node.inputs[0]:
        name = node.outputs[0].name
        replacement = rewriter.build.add(Transpose(axes), source, name=name)
    if replacement is None:
        rewriter.keep(node)
    else:
        rewriter.replace(node.outputs, [replacement])


def _keeps_order(shape: Shape, axes: Axes) -> bool:
    """Whether the axes of more than one element stay in their order."""
    long = [a for a in axes if shape[a] != 1]
    return long == sorted(long)


def _turned(rewriter: Rewriter, value: Value) -> tuple[Value, Axes] | None:
    """What a value is the transposition of, and its axes; None for any other value."""
    maker = rewriter.producers.get(value)
    if maker is None or not isinstance(maker.operation, Transpose):
        return None
    axes = maker.operation.axes
    is_batched = value.type.shape[:1] == (BATCH,) and axes[0] == 0
    return (maker.inputs[0], axes) if is_batched else None


def _put_off(rewriter: Rewriter, node: Node) -> None:
    """Keep a node, or compute it on what its operands are the transpositions of."""
    found = [_turned(rewriter, value) for value in node.inputs]
    axes = next((turned[1] for turned in found if turned is not None), None)
    changed = operation_of(node).reordered(axes) if axes is not None else None
    if axes is None or changed is None or not _pays(node, found, axes):
        rewriter.keep(node)
        return
    operands = [
        turned[0] if turned is not None and turned[1] == axes else _aligned(rewriter, value, axes)
        for value, turned in zip(node.inputs, found, strict=True)
    ]
    _compute(rewriter, node, changed, operands)


def _pays(node: Node, found: Sequence[tuple[Value, Axes] | None], axes: Axes) -> bool:
    """Whether no more operands have to be turned than are turned back now."""
    if any(v.type.rank > len(axes) for v in node.inputs):
        return False
    undone = [turned is not None and turned[1] == axes for turned in found]
    others = [v for v, gone in zip(node.inputs, undone, strict=True) if not gone]
    copied = [v for v in others if not _keeps_order(_padded(v, len(axes)), _inverse(axes))]
    return len(copied) <= sum(undone)


def _padded(value: Value, rank: int) -> Shape:
    """The shape with as many axes as the others have, as NumPy does."""
    shape = value.type.shape
    return (1,) * (rank - len(shape)) + shape


def _inverse(axes: Axes) -> Axes:
    return tuple(axes.index(a) for a in range(len(axes)))


def _aligned(rewriter: Rewriter, value: Value, axes: Axes) -> Value:
    """An operand that is no transposition, turned to go with those that were."""
    if not value.type.shape:
        return value
    shape = _padded(value, len(axes))
    inverse = _inverse(axes)
    if not _keeps_order(shape, inverse):
        return rewriter.build.add(Transpose(inverse), value, name=value.name)
    turned = tuple(shape[a] for a in inverse)
    while turned and turned[0] == 1:
        turned = turned[1:]
    if turned == value.type.shape:
        return value
    return rewriter.build.add(Reshape(turned), value, name=value.name)


def _compute(
    rewriter: Rewriter, node: Node, changed: tuple[Op, Axes], operands: Sequence[Value]
) -> None:
    """The node on turned operands; its results are turned back for whoever needs them so."""
    operation, back = changed
    results = rewriter.build.add_all(operation, *operands, name=node.outputs[0].name)
    turned_back = []
    for old, new in zip(node.outputs, results, strict=True):
        restored = new
        if back != tuple(range(len(back))):
            restored = rewriter.build.add(Transpose(back), new, name=old.name)
            new.name, restored.name = old.name, new.name
        turned_back.append(restored)
    rewriter.replace(node.outputs, turned_back)
