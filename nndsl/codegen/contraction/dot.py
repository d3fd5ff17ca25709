"""The tile with registers along the depth: for two matrices that are both contiguous in it.

Each element of C is a register of partial sums, one a lane, added up in a fixed tree at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.assembly import Shape, Value, integer
from nndsl.codegen.contraction.frame import Frame, Place, lane_mask
from nndsl.codegen.contraction.tiles import Panel
from nndsl.codegen.program import Axis
from nndsl.codegen.transpose import transposed


class DotTile:
    """One tile: `height` rows and the columns of a panel, four of them to a part."""

    def __init__(self, frame: Frame, panel: Panel, height: int, place: Place) -> None:
        self.frame = frame
        self.writer = frame.writer
        self.panel = panel
        self.height = height
        self.place = place
        self.columns = panel.width
        self.shape = Shape(frame.scalar, self._lanes())

    def _lanes(self) -> int:
        """Full registers (but four lanes at least), or the narrowest that hold a short depth."""
        lanes = max(4, self.frame.target.lanes_of(self.frame.problem.element))
        depth = self.frame.problem.depth
        while depth is not None and lanes > 4 and lanes >= 2 * depth:
            lanes //= 2
        return lanes

    def write(self) -> None:
        """The whole tile: partial sums, their totals, epilogue, stores."""
        problem, place = self.frame.problem, self.place
        left = self.frame.address(self.frame.left, (place.row, problem.left_row))
        right = self.frame.address(self.frame.right, (place.column, problem.right_column))
        partial = [self.shape.constant(0)] * (self.height * self.columns)

        partial = self._reduced(problem.inner, left, right, partial)
        self.frame.finish(self._totals(partial), self.panel.parts, place)

    def _reduced(
        self, axes: Sequence[Axis], left: Value, right: Value, partial: list[Value]
    ) -> list[Value]:
        """Adds the products over some reduced axes and the depth."""
        if not axes:
            return self._inner(left, right, partial)
        axis, *others = axes

        def body(o: Value, carried: list[Value]) -> list[Value]:
            a = self.frame.address(left, (o, axis.a))
            b = self.frame.address(right, (o, axis.b))
            return self._reduced(others, a, b, carried)

        return self.writer.loop(integer(0), self.frame.count(axis), 1, partial, body)[1]

    def _inner(self, left: Value, right: Value, partial: list[Value]) -> list[Value]:
        """A register of the depth at a time, the last one masked."""
        lanes, depth = self.shape.lanes, self.frame.depth
        k, partial = self.writer.loop(
            integer(0),
            depth,
            lanes,
            partial,
            lambda k, carried: self._step(left, right, k, carried),
        )
        known = self.frame.problem.depth
        if known is None:
            remaining = self.writer.define("i64", f"sub i64 {depth.name}, {k.name}")
            mask = lane_mask(self.writer, lanes, remaining)
            return self._step(left, right, k, partial, mask)
        rest = known % lanes
        if rest == 0:
            return partial
        return self._step(left, right, integer(known - rest), partial, self.shape.mask(rest))

    def _step(
        self,
        left: Value,
        right: Value,
        k: Value,
        partial: Sequence[Value],
        mask: Value | None = None,
    ) -> list[Value]:
        problem = self.frame.problem
        rows = [self._register(left, k, row * problem.left_row, mask) for row in range(self.height)]
        following = list(partial)
        name = "llvm.fma" if self.frame.target.fma else "llvm.fmuladd"
        for column in range(self.columns):
            register = self._register(right, k, column * problem.right_column, mask)
            for row in range(self.height):
                place = row * self.columns + column
                following[place] = self.writer.call(
                    self.shape.text,
                    f"{name}.{self.shape.suffix}",
                    rows[row],
                    register,
                    following[place],
                )
        return following

    def _register(self, base: Value, k: Value, offset: int, mask: Value | None) -> Value:
        scalar = self.frame.scalar
        address = self.writer.offset(self.writer.offset(base, scalar, k), scalar, integer(offset))
        return self.writer.load(self.shape, address, mask)

    def _totals(self, partial: Sequence[Value]) -> list[list[Value]]:
        """The sums, four columns to a register, plus what they start from."""
        start = self.frame.load_sums(self.height, self.panel.parts, self.place)
        totals = []
        for row in range(self.height):
            values = []
            for index, part in enumerate(self.panel.parts):
                first = row * self.columns + part.offset
                four = list(partial[first : first + (part.valid or part.lanes)])
                total = self._added(four)
                if self.frame.problem.accumulates:
                    begin = start[row * len(self.panel.parts) + index]
                    total = self.writer.define(total.type, f"fadd {begin}, {total.name}")
                values.append(total)
            totals.append(values)
        return totals

    def _added(self, registers: list[Value]) -> Value:
        """The totals of up to four registers, in one register.

        Halves are added until four lanes are left; then the four are transposed and added.
        """
        narrow = []
        for register in registers:
            lanes = self.shape.lanes
            while lanes > 4:
                lanes //= 2
                low = self.writer.shuffle(register, register, range(lanes))
                high = self.writer.shuffle(register, register, range(lanes, 2 * lanes))
                register = self.writer.define(low.type, f"fadd {low}, {high.name}")
            narrow.append(register)
        while len(narrow) < 4:
            narrow.append(Shape(self.frame.scalar, 4).constant(0))
        a, b, c, d = transposed(self.writer, narrow)
        left = self.writer.define(a.type, f"fadd {a}, {b.name}")
        right = self.writer.define(a.type, f"fadd {c}, {d.name}")
        return self.writer.define(a.type, f"fadd {left}, {right.name}")
