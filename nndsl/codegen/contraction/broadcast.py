"""The tile that spreads numbers of the left matrix over registers of the right one.

Each element of C is one chain of multiply-adds over the reduced axes and k in ascending order,
whatever tile it falls into: so results do not depend on how a call is shared among threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from nndsl.codegen.assembly import Shape, Value, integer
from nndsl.codegen.contraction.frame import Frame, Place, Stretch, load_strided, packed_axes
from nndsl.codegen.contraction.problem import number
from nndsl.codegen.contraction.tiles import Panel, Part
from nndsl.codegen.program import Axis

FULLY_UNROLLED = 128
"""Up to so many multiply-adds the main tile is written without a loop."""

LINE = 64
"""Bytes of a line of the cache."""

REST_UNROLLED = 32
"""The same for the lower tiles, which run once: short code compiles sooner."""


class BroadcastTile:
    """One tile: `height` rows of a panel, over a stretch of the depth."""

    def __init__(
        self, frame: Frame, panel: Panel, height: int, place: Place, stretch: Stretch
    ) -> None:
        self.frame = frame
        self.stretch = stretch
        self.writer = frame.writer
        self.parts: Sequence[Part] = panel.parts
        self.height = height
        self.place = place
        self.packed = frame.scratch is not None
        self.ahead: Value | None = None
        self.masks = [None if self.packed else frame.mask(part, place) for part in panel.parts]
        problem = frame.problem
        lanes = sum(part.lanes for part in panel.parts)
        self.right_depth = place.width if problem.right_panel else problem.right_depth
        self.right_column = problem.right_column
        self.axes = problem.inner
        if self.packed:
            self.right_depth, self.right_column = lanes, 1
            self.axes = packed_axes(problem.inner, lanes * (stretch.length or 0))

    def write(self) -> None:
        """The whole tile: sums, epilogue, stores."""
        problem, place = self.frame.problem, self.place
        along = (place.row, problem.left_row), (self.stretch.start, problem.left_depth)
        left = self.frame.address(self.frame.left, *along)
        if self.frame.scratch is not None:
            right = self.frame.scratch
        else:
            right = self.frame.address(self.frame.right, (place.column, problem.right_start))
        if self.frame.problem.far_outputs:
            self._fetch_outputs()
        if self.frame.problem.far_right:
            self.ahead = self._ahead(right)
        sums = self.frame.load_sums(self.height, self.parts, place, first=self.stretch.first)
        sums = self._reduced(self.axes, left, right, sums)
        width = len(self.parts)
        rows = [sums[row * width : (row + 1) * width] for row in range(self.height)]
        if self.stretch.last:
            self.frame.finish(rows, self.parts, place)
        else:
            self.frame.keep(rows, self.parts, place)

    def _fetch_outputs(self) -> None:
        """Asks for the memory of the results, which arrives while the sums are computed."""
        for index in range(len(self.frame.outputs)):
            base = self.frame.output_address(index, self.place)
            for row in range(self.height):
                for part in self.parts:
                    offset = integer(row * self.frame.out_row(self.place) + part.offset)
                    self.writer.prefetch(self.writer.offset(base, self.frame.scalar, offset), 1)

    def _ahead(self, right: Value) -> Value:
        """One of the next panel's registers, another for each tile in turn."""
        width = sum(part.lanes for part in self.parts)
        count = 1 << (len(self.parts).bit_length() - 1)
        tile = self.writer.define("i64", f"sdiv i64 {self.place.row.name}, {self.height}")
        turn = self.writer.define("i64", f"and i64 {tile.name}, {count - 1}")
        offset = self.writer.add(
            self.writer.multiply(turn, integer(self.parts[0].lanes)), integer(width)
        )
        return self.writer.offset(right, self.frame.scalar, offset)

    def _fetch_left(self, left: Value, steps: int) -> None:
        """Asks for the numbers of the left matrix that a tile further down reads."""
        problem, writer = self.frame.problem, self.writer
        for step in range(steps):
            offset = integer(step * problem.left_depth + LINE // problem.element.bytes)
            writer.prefetch(writer.offset(left, self.frame.scalar, offset), 0)

    def _fetch_coming(self, coming: Value, k: Value, steps: int) -> None:
        """Asks for a line of what is copied next; the first tiles together ask for all of it."""
        problem, writer = self.frame.problem, self.writer
        lanes = sum(part.lanes for part in self.parts)
        size = problem.element.bytes
        tiles = steps * -(-lanes * size // LINE)
        tile = writer.define("i64", f"udiv i64 {self.place.row.name}, {self.height}")
        turn = writer.define("i64", f"urem i64 {tile.name}, {tiles}")
        step = writer.define("i64", f"udiv i64 {k.name}, {steps}")
        rounds = integer((self.stretch.length or 0) // steps)
        line = writer.add(writer.multiply(turn, rounds), step)
        in_panel = lanes * problem.right_panel * size // LINE
        panel = writer.define("i64", f"udiv i64 {line.name}, {in_panel}")
        inside = writer.define("i64", f"urem i64 {line.name}, {in_panel}")
        between = problem.right_panel * (problem.columns or 0)
        along = (panel, between), (inside, LINE // size)
        writer.prefetch(self.frame.address(coming, *along), 0)

    def _fetch_ahead(self, k: Value, steps: int) -> None:
        """Asks for a register of the next panel at each step of the depth."""
        if self.ahead is None:
            return
        line = self._moved(self.ahead, k, self.right_depth)
        for step in range(steps):
            offset = integer(step * self.right_depth)
            self.writer.prefetch(self.writer.offset(line, self.frame.scalar, offset), 0)

    def _reduced(
        self, axes: Sequence[Axis], left: Value, right: Value, sums: list[Value]
    ) -> list[Value]:
        """Adds the products over some reduced axes and the depth."""
        if not axes:
            return self._inner(left, right, sums)
        axis, *others = axes

        def body(o: Value, carried: list[Value]) -> list[Value]:
            a, b = self._moved(left, o, axis.a), self._moved(right, o, axis.b)
            return self._reduced(others, a, b, carried)

        if self._is_small(axes):
            for o in range(axis.count.factor):
                sums = body(integer(o), sums)
            return sums
        return self.writer.loop(integer(0), self.frame.count(axis), 1, sums, body)[1]

    def _is_small(self, axes: Sequence[Axis]) -> bool:
        """Whether the sum over these axes and the depth is written out."""
        length = self.stretch.length
        counts = [number(axis.count) for axis in axes]
        if length is None or None in counts:
            return False
        rounds = prod(count for count in counts if count is not None)
        steps = length * rounds * self.height * len(self.parts)
        main = self.height == self.frame.plan.heights[0]
        return steps <= (FULLY_UNROLLED if main else REST_UNROLLED)

    def _inner(self, left: Value, right: Value, sums: list[Value]) -> list[Value]:
        """Adds the products of all k: a loop of several steps a round, then the rest."""
        problem, unroll = self.frame.problem, self.frame.plan.unroll
        length = self.stretch.length
        if length is not None and self._is_small(()):
            return self._steps(left, right, length, sums)
        depth = self.frame.depth if length is None else integer(length)

        def body(steps: int, k: Value, carried: list[Value]) -> list[Value]:
            a = self._moved(left, k, problem.left_depth)
            b = self._moved(right, k, self.right_depth)
            if problem.far_left:
                self._fetch_left(a, steps)
            if self.stretch.coming is not None and steps > 1:
                self._fetch_coming(self.stretch.coming, k, steps)
            self._fetch_ahead(k, steps)
            return self._steps(a, b, steps, carried)

        k, sums = self.writer.loop(integer(0), depth, unroll, sums, lambda k, s: body(unroll, k, s))
        if unroll == 1:
            return sums
        if length is not None:
            rest = length % unroll
            return body(rest, integer(length - rest), sums) if rest else sums
        return self.writer.loop(k, depth, 1, sums, lambda k, s: body(1, k, s))[1]

    def _steps(self, left: Value, right: Value, count: int, sums: list[Value]) -> list[Value]:
        """`count` steps of the depth, written out."""
        for step in range(count):
            registers = [self._right(right, step, index) for index in range(len(self.parts))]
            following: list[Value] = []
            for row in range(self.height):
                offset = row * self.frame.problem.left_row + step * self.frame.problem.left_depth
                address = self.writer.offset(left, self.frame.scalar, integer(offset))
                single = self.writer.load(Shape(self.frame.scalar), address)
                for index, part in enumerate(self.parts):
                    total = sums[row * len(self.parts) + index]
                    following.append(self._fma(single, registers[index], total, part))
            sums = following
        return sums

    def _right(self, right: Value, step: int, index: int) -> Value:
        part = self.parts[index]
        offset = step * self.right_depth + part.offset * self.right_column
        address = self.writer.offset(right, self.frame.scalar, integer(offset))
        shape = self.frame.shape(part)
        if self.packed:
            return self.writer.load(shape, address)
        return load_strided(self.writer, shape, address, self.right_column, part, self.masks[index])

    def _fma(self, single: Value, register: Value, total: Value, part: Part) -> Value:
        shape = self.frame.shape(part)
        name = "llvm.fma" if self.frame.target.fma else "llvm.fmuladd"
        spread = self.writer.splat(single, part.lanes)
        return self.writer.call(shape.text, f"{name}.{shape.suffix}", spread, register, total)

    def _moved(self, base: Value, index: Value, stride: int) -> Value:
        return self.frame.address(base, (index, stride))
