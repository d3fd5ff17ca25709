"""What every part of a contraction kernel's writer shares: pointers, sizes, masks, epilogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from nndsl.codegen.assembly import SCALARS, Shape, Value, Writer, integer
from nndsl.codegen.contraction.problem import Problem, number
from nndsl.codegen.contraction.tiles import Part, Plan
from nndsl.codegen.program import Axis, Element, Operand
from nndsl.codegen.target import Target
from nndsl.codegen.vector import VectorCode, converted
from nndsl.records import dataclass


@dataclass(frozen=True)
class Place:
    """Where a tile stands: its first row, first column, and the columns left (at run time).

    `width` counts the columns of its panel.
    """

    row: Value
    column: Value
    width: int
    remaining: Value | None = None


@dataclass(frozen=True)
class Stretch:
    """A part of the depth: from `start` on, `length` steps (None: up to the run-time depth).

    Sums of a stretch that is not the `first` go on from what the output holds; only the `last`
    one applies the epilogue. `coming` is the address of what will be copied next.
    """

    start: Value
    length: int | None
    first: bool = True
    last: bool = True
    coming: Value | None = None


@dataclass
class Frame:
    """One kernel under construction; the pointers are those of the present place of the grid."""

    writer: Writer
    problem: Problem
    plan: Plan
    target: Target
    left: Value
    right: Value
    operands: tuple[Value, ...]
    outputs: tuple[Value, ...]
    rows: tuple[Value, Value]
    columns: tuple[Value, Value]
    depth: Value
    share: tuple[Value, Value]
    counts: dict[Axis, Value]
    scratch: Value | None = None
    scalars: dict[str, Value] = field(default_factory=dict)

    def count(self, axis: Axis) -> Value:
        """The places along a reduced axis."""
        known = number(axis.count)
        return self.counts[axis] if known is None else integer(known)

    @property
    def scalar(self) -> str:
        """LLVM's name of the element type."""
        return SCALARS[self.problem.element]

    def shape(self, part: Part) -> Shape:
        """The register of a part."""
        return Shape(self.scalar, part.lanes)

    def mask(self, part: Part, place: Place) -> Value | None:
        """The valid lanes of a part; None where all are."""
        if part.valid == part.lanes:
            return None
        shape = self.shape(part)
        if part.valid is not None:
            return shape.mask(part.valid)
        assert place.remaining is not None  # a part of unknown width stands in a masked panel
        return lane_mask(self.writer, part.lanes, place.remaining)

    def address(self, base: Value, *terms: tuple[Value, int]) -> Value:
        """The address of the element at the sum of index * stride."""
        total = integer(0)
        for index, stride in terms:
            total = self.writer.add(total, self.writer.multiply(index, integer(stride)))
        return self.writer.offset(base, self.scalar, total)

    def out_row(self, place: Place) -> int:
        """Elements from row to row of the outputs."""
        return place.width if self.problem.out_panel else self.problem.out_row

    def output_address(self, output: int, place: Place) -> Value:
        """Where a tile's first element is stored."""
        return self.address(
            self.outputs[output],
            (place.row, self.out_row(place)),
            (place.column, self.problem.out_start),
        )

    def keep(self, sums: Sequence[Sequence[Value]], parts: Sequence[Part], place: Place) -> None:
        """Stores a tile of sums as they are, in the first output, for a later stretch."""
        base = self.output_address(0, place)
        for row, values in enumerate(sums):
            for part, total in zip(parts, values, strict=True):
                self.store(total, base, row, part, place)

    def finish(self, sums: Sequence[Sequence[Value]], parts: Sequence[Part], place: Place) -> None:
        """The epilogue on a tile of sums (by row, then part), and the stores.

        All that an element needs is read before it is written, so that an output may be the
        buffer of an operand that is read at the same elements.
        """
        expressions = self.problem.expressions
        reader = OperandReader(self, place)
        outputs = [self.output_address(index, place) for index in range(len(self.outputs))]
        masks = [self.mask(part, place) for part in parts]
        for row, values in enumerate(sums):
            for part, mask, total in zip(parts, masks, values, strict=True):
                variables = reader.variables(row, part, mask)
                variables["sum"] = total
                code = VectorCode(self.writer, self.shape(part), self.target, variables)
                results = [code.number(expression) for expression in expressions]
                for base, result in zip(outputs, results, strict=True):
                    self.store(result, base, row, part, place, mask)

    def store(
        self,
        value: Value,
        base: Value,
        row: int,
        part: Part,
        place: Place,
        mask: Value | None = None,
    ) -> None:
        """Stores one register of a tile whose first element belongs at `base`."""
        offset = row * self.out_row(place) + part.offset * self.problem.out_column
        address = self.writer.offset(base, self.scalar, integer(offset))
        shape, stride, masks = self.shape(part), self.problem.out_column, self.target.has_masks
        mask = mask or self.mask(part, place)
        store_strided(self.writer, value, shape, address, stride, part, mask, masks)

    def load_sums(
        self, height: int, parts: Sequence[Part], place: Place, *, first: bool = True
    ) -> list[Value]:
        """What a tile's sums start from: zeros, or what the output holds (with `accumulate`, and
        after the first stretch of the depth).
        """
        if first and not self.problem.accumulates:
            return [self.shape(part).constant(0) for _ in range(height) for part in parts]
        problem, base = self.problem, self.output_address(0, place)
        sums = []
        for row in range(height):
            for part in parts:
                offset = row * self.out_row(place) + part.offset * problem.out_column
                address = self.writer.offset(base, self.scalar, integer(offset))
                mask = self.mask(part, place)
                shape, stride = self.shape(part), problem.out_column
                sums.append(load_strided(self.writer, shape, address, stride, part, mask))
        return sums


class OperandReader:
    """Reads the epilogue's operands for the elements of one tile."""

    def __init__(self, frame: Frame, place: Place) -> None:
        self.frame = frame
        self.place = place
        self._columns: dict[tuple[str, Part], Value] = {}

    def variables(self, row: int, part: Part, mask: Value | None) -> dict[str, Value]:
        """The operands of one register of the tile, by name."""
        operands = self.frame.problem.contraction.operands
        return {operand.name: self._read(operand, row, part, mask) for operand in operands}

    def _read(self, operand: Operand, row: int, part: Part, mask: Value | None) -> Value:
        writer = self.frame.writer
        if operand.kind == "scalar":
            return writer.splat(self.frame.scalars[operand.name], part.lanes)
        row_stride, column_stride = self._strides(operand)
        key = (operand.name, part)
        if row_stride == 0 and key in self._columns:
            return self._columns[key]
        address = self._address(operand, row, part)
        scalar = SCALARS[operand.element or self.frame.problem.element]
        if column_stride == 0:
            single = Shape(scalar)
            value = converted(writer, writer.load(single, address), 1, self.frame.scalar)
            return writer.splat(value, part.lanes)
        shape = Shape(scalar, part.lanes)
        value = load_strided(writer, shape, address, column_stride, part, mask)
        value = converted(writer, value, part.lanes, self.frame.scalar)
        if row_stride == 0:
            self._columns[key] = value
        return value

    def _strides(self, operand: Operand) -> tuple[int, int]:
        """From row to row and column to column of the problem."""
        if operand.kind == "tile" and self.frame.problem.out_panel:
            return self.place.width, 1
        strides = {
            "columns": (0, 1),
            "tile": (operand.row_stride, 1),
            "rows": (operand.row_stride, 0),
        }[operand.kind]
        return (strides[1], strides[0]) if self.frame.problem.swapped else strides

    def _address(self, operand: Operand, row: int, part: Part) -> Value:
        writer, place = self.frame.writer, self.place
        position = self.frame.problem.contraction.operands.index(operand)
        row_stride, column_stride = self._strides(operand)
        scalar = SCALARS[operand.element or self.frame.problem.element]
        panels = operand.kind == "tile" and self.frame.problem.out_panel
        per_column = self.frame.problem.out_start if panels else column_stride
        start = writer.add(
            writer.multiply(place.row, integer(row_stride)),
            writer.multiply(place.column, integer(per_column)),
        )
        base = writer.offset(self.frame.operands[position], scalar, start)
        return writer.offset(base, scalar, integer(row * row_stride + part.offset * column_stride))


def operand_element(operand: Operand, element: Element) -> Element:
    """The type an operand's memory holds."""
    return Element.FLOAT64 if operand.kind == "scalar" else operand.element or element


def packed_axes(axes: Sequence[Axis], block: int) -> tuple[Axis, ...]:
    """The axes over a copy of the right matrix whose steps of the depth take `block` numbers."""
    packed: list[Axis] = []
    for axis in reversed(axes):
        packed.insert(0, replace(axis, b=block))
        block *= axis.count.factor
    return tuple(packed)


def lane_mask(writer: Writer, lanes: int, remaining: Value) -> Value:
    """True in the lanes below `remaining`."""
    numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))
    limit = writer.splat(remaining, lanes)
    return writer.define(f"<{lanes} x i1>", f"icmp slt <{lanes} x i64> <{numbers}>, {limit.name}")


def load_strided(
    writer: Writer, shape: Shape, address: Value, stride: int, part: Part, mask: Value | None
) -> Value:
    """A register whose lanes are `stride` elements apart in memory; invalid lanes are 0."""
    if stride == 1 or shape.lanes == 1:
        return writer.load(shape, address, mask)
    if part.valid is None:
        assert mask is not None  # unknown widths always come with a mask
        addresses = _lane_addresses(writer, shape, address, stride)
        align = Value("i32", str(8 if shape.scalar == "double" else 4))
        name = f"llvm.masked.gather.{shape.suffix}.v{shape.lanes}p0"
        return writer.call(shape.text, name, addresses, align, mask, shape.constant(0))
    value = shape.constant(0)
    single = Shape(shape.scalar)
    for lane in range(part.valid):
        element = writer.load(single, writer.offset(address, shape.scalar, integer(lane * stride)))
        value = writer.define(shape.text, f"insertelement {value}, {element}, i64 {lane}")
    return value


def store_strided(
    writer: Writer,
    value: Value,
    shape: Shape,
    address: Value,
    stride: int,
    part: Part,
    mask: Value | None,
    masks: bool,
) -> None:
    """Stores a register's valid lanes `stride` elements apart; `masks`: masked stores are fast."""
    if stride == 1 and (mask is None or part.valid is None or masks):
        writer.store(value, shape, address, mask)
        return
    if part.valid is None:
        assert mask is not None  # unknown widths always come with a mask
        addresses = _lane_addresses(writer, shape, address, stride)
        align = Value("i32", str(8 if shape.scalar == "double" else 4))
        name = f"llvm.masked.scatter.{shape.suffix}.v{shape.lanes}p0"
        writer.call("void", name, value, addresses, align, mask)
        return
    single = Shape(shape.scalar)
    for lane in range(part.valid):
        place = writer.offset(address, shape.scalar, integer(lane * stride))
        writer.store(writer.extract(value, lane), single, place)


def _lane_addresses(writer: Writer, shape: Shape, address: Value, stride: int) -> Value:
    numbers = ", ".join(f"i64 {lane * stride}" for lane in range(shape.lanes))
    return writer.define(
        f"<{shape.lanes} x ptr>",
        f"getelementptr {shape.scalar}, {address}, <{shape.lanes} x i64> <{numbers}>",
    )
