"""What the emitters of calls share: buffers of values, machine types, the largest batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from nndsl.codegen.draft import Draft, Pointer, Share, Slot
from nndsl.codegen.loops import count, size_of
from nndsl.codegen.program import Buffer, Element, Kernel, Size, Split
from nndsl.codegen.target import Target
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.records import dataclass

OWN_ALIGN = 16
"""Elements: shares of flat memory start on cache lines."""


@dataclass(frozen=True)
class Stride:
    """Rows of a value that stand apart in its buffer: `row` elements from one row of the batch to
    the next, the first one `inside` elements from the buffer's start.
    """

    row: int
    inside: int = 0


@dataclass(frozen=True)
class Context:
    """Where values live, and how they are computed."""

    buffers: Mapping[Value, Buffer]
    precision: Element
    batch: int
    target: Target
    sizes: Mapping[Value, Size] = field(default_factory=dict)  # values that are run-time sizes
    panels: Mapping[Value, int] = field(default_factory=dict)  # width, of those kept in panels
    strides: Mapping[Value, Stride] = field(default_factory=dict)  # of values in parts of buffers

    def element(self, element: ElementType) -> Element:
        """The machine type of an element type."""
        if element is ElementType.REAL:
            return self.precision
        return Element.FLOAT64 if element is ElementType.DOUBLE else Element.INT32

    def count(self, value: Value) -> int:
        """Elements of a value with the largest batch."""
        return count(value.type.shape, self.batch)

    def row(self, value: Value, width: int) -> int:
        """Elements from one row of a value to the next; `width` where rows stand side by side."""
        stride = self.strides.get(value)
        return width if stride is None else stride.row

    def read(self, value: Value, share: Share | None = None) -> Pointer:
        """A pointer to the whole value, read; by default in parts where it has rows."""
        return self._pointer(value, share, writes=False)

    def write(self, value: Value, share: Share | None = None) -> Pointer:
        """A pointer to the whole value, written."""
        return self._pointer(value, share, writes=True)

    def pointer(self, value: Value, reach: int, share: Share, *, writes: bool) -> Pointer:
        """A pointer to the first `reach` elements of a value, or to rows that stand apart."""
        buffer, stride = self.buffers[value], self.strides.get(value)
        if stride is None:
            return Pointer(buffer, reach, writes, share)
        return Pointer(buffer, buffer.size, writes, share, inside=stride.inside)

    def _pointer(self, value: Value, share: Share | None, *, writes: bool) -> Pointer:
        part = Share.PART if batched(value) else Share.WHOLE
        return self.pointer(value, self.count(value), share or part, writes=writes)


def batched(value: Value) -> bool:
    """Whether the value's first axis is the rows of the batch."""
    return value.type.shape[:1] == (BATCH,)


def draft(
    node: Node,
    kernel: Kernel,
    slots: Sequence[Slot],
    extent: Size,
    split: Split,
    align: int = 1,
    flops: int = 0,
) -> Draft:
    """A call that does (part of) a node."""
    spans = (node.span,) if node.span is not None else ()
    name = node.outputs[0].name if node.outputs else ""
    label = f"{node.label}: {name}" if node.label else name
    return Draft(kernel, tuple(slots), extent, split, align, label, spans, flops)


def row_loop(value: Value) -> tuple[int, Size, Split]:
    """Unit, extent and split of a call over all axes of `value` but the last."""
    outer = value.type.shape[:-1]
    if outer[:1] == (BATCH,):
        return size_of(outer[1:]).factor, Size(1, BATCH), Split.ROWS
    return 1, size_of(outer), Split.OWN
