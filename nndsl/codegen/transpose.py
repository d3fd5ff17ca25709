"""Transposing a matrix: square blocks shuffled in registers, masked at the edges.

The calling convention is that of every kernel. Slots: source, destination, then four sizes (two
slots each): rows and columns of the source, elements from row to row of the source and of the
destination. The extent is the rows of the source.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.assembly import LOOP_METADATA, SCALARS, Shape, Value, Writer, integer
from nndsl.codegen.program import Element
from nndsl.codegen.target import Target


def transposed(writer: Writer, rows: Sequence[Value]) -> list[Value]:
    """The columns of a square block of registers, by log2(n) rounds of exchanging halves."""
    block = list(rows)
    size = len(block)
    distance = 1
    while distance < size:
        lanes = range(size)
        first = [lane if not lane & distance else size + lane - distance for lane in lanes]
        second = [lane + distance if not lane & distance else size + lane for lane in lanes]
        following = list(block)
        for index in range(size):
            if not index & distance:
                pair = block[index], block[index + distance]
                following[index] = writer.shuffle(*pair, first)
                following[index + distance] = writer.shuffle(*pair, second)
        block = following
        distance *= 2
    return block


def transpose_text(element: Element, name: str, target: Target) -> str:
    """A module that defines `name`: destination[c, r] = source[r, c] for its share of rows."""
    writer = Writer()
    shape = Shape(SCALARS[element], min(8, target.lanes_of(element)))
    source, destination = slot_pointer(writer, 0), slot_pointer(writer, 1)
    columns, source_row, destination_row = (slot_size(writer, place) for place in (4, 6, 8))
    block = _Block(writer, shape, source, destination, source_row, destination_row)
    low, high = Value("i64", "%low"), Value("i64", "%high")

    def band(row: Value, height: int) -> None:
        column, _ = writer.loop(
            integer(0), columns, shape.lanes, (), lambda c, _: block.square(row, c, height)
        )
        writer.loop(column, columns, 1, (), lambda c, _: block.single(row, c, height))

    def full(row: Value, _: list[Value]) -> list[Value]:
        band(row, shape.lanes)
        return []

    def one(row: Value, _: list[Value]) -> list[Value]:
        band(row, 1)
        return []

    row, _ = writer.loop(low, high, shape.lanes, (), full)
    writer.loop(row, high, 1, (), one)
    return module_text(writer, name)


class _Block:
    """Writes one square of the matrix."""

    def __init__(
        self,
        writer: Writer,
        shape: Shape,
        source: Value,
        destination: Value,
        source_row: Value,
        destination_row: Value,
    ) -> None:
        self.writer = writer
        self.shape = shape
        self.source = source
        self.destination = destination
        self.source_row = source_row
        self.destination_row = destination_row

    def square(self, row: Value, column: Value, height: int) -> list[Value]:
        """`height` rows (all lanes, or one) and as many columns as a register has lanes."""
        rows = [self._load(row, column, index) for index in range(height)]
        if height == 1:
            for lane in range(self.shape.lanes):
                self._store_one(self.writer.extract(rows[0], lane), row, column, lane)
            return []
        for index, value in enumerate(transposed(self.writer, rows)):
            address = self._address(self.destination, self.destination_row, column, row, index)
            self.writer.store(value, self.shape, address)
        return []

    def single(self, row: Value, column: Value, height: int) -> list[Value]:
        """`height` rows of one column."""
        one = Shape(self.shape.scalar)
        for index in range(height):
            source = self._address(self.source, self.source_row, row, column, index)
            value = self.writer.load(one, source)
            target = self._address(self.destination, self.destination_row, column, row, 0)
            target = self.writer.offset(target, self.shape.scalar, integer(index))
            self.writer.store(value, one, target)
        return []

    def _load(self, row: Value, column: Value, index: int) -> Value:
        address = self._address(self.source, self.source_row, row, column, index)
        return self.writer.load(self.shape, address)

    def _store_one(self, value: Value, row: Value, column: Value, lane: int) -> None:
        address = self._address(self.destination, self.destination_row, column, row, lane)
        self.writer.store(value, Shape(self.shape.scalar), address)

    def _address(self, base: Value, stride: Value, row: Value, column: Value, index: int) -> Value:
        """Element [row + index, column] of the matrix at `base`."""
        line = self.writer.multiply(self.writer.add(row, integer(index)), stride)
        return self.writer.offset(base, self.shape.scalar, self.writer.add(line, column))


def slot_pointer(writer: Writer, slot: int) -> Value:
    """The pointer in a slot of the call."""
    address = writer.offset(Value("ptr", "%slots"), "i64", integer(slot))
    return writer.define("ptr", f"load ptr, {address}, align 8")


def slot_size(writer: Writer, slot: int) -> Value:
    """The size in two slots: factor * sizes[index]."""
    factor_address = writer.offset(Value("ptr", "%slots"), "i64", integer(slot))
    index_address = writer.offset(Value("ptr", "%slots"), "i64", integer(slot + 1))
    factor = writer.define("i64", f"load i64, {factor_address}, align 8")
    index = writer.define("i64", f"load i64, {index_address}, align 8")
    size_address = writer.offset(Value("ptr", "%sizes"), "i64", index)
    size = writer.define("i64", f"load i64, {size_address}, align 8")
    return writer.multiply(factor, size)


def module_text(writer: Writer, name: str) -> str:
    """The whole module: the kernel `name`, what it declares, what loops refer to."""
    arguments = "ptr %slots, ptr %sizes, i64 %low, i64 %high"
    head = f'define void @{name}({arguments}) nounwind "no-stack-arg-probe" {{'
    lines = [head, "entry:", *writer.lines, "  ret void", "}", ""]
    return "\n".join([*lines, *writer.declarations.values(), "", LOOP_METADATA])
