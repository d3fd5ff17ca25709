"""Copying a panel of the right matrix to the stack, with its columns side by side.

It costs one pass over the panel and saves a transposed copy of the matrix: the input gradient
reads the weights as they lie.
"""

from __future__ import annotations

from nndsl.codegen.assembly import Value, integer
from nndsl.codegen.contraction.frame import Frame, load_strided
from nndsl.codegen.contraction.tiles import Panel, Part
from nndsl.codegen.transpose import transposed


class Packing:
    """Writes the copy of one panel; lanes without a column become 0."""

    def __init__(self, frame: Frame, panel: Panel, column: Value, scratch: Value) -> None:
        self.frame = frame
        self.writer = frame.writer
        self.panel = panel
        self.column = column
        self.scratch = scratch
        self.width = sum(part.lanes for part in panel.parts)
        self.depth = frame.problem.depth or 0

    def write(self) -> None:
        """All o, all parts."""
        problem = self.frame.problem
        base = self.frame.address(self.frame.right, (self.column, problem.right_column))

        def body(o: Value, _: list[Value]) -> list[Value]:
            source = self.frame.address(base, (o, problem.right_outer))
            target = self.frame.address(self.scratch, (o, self.width * self.depth))
            whole = [part for part in self.panel.parts if part.valid == part.lanes]
            same = [part for part in whole if part.lanes == whole[0].lanes]
            if same:
                self._alike(same, source, target)
            for part in self.panel.parts[len(same) :]:
                self._part(part, source, target)
            return []

        self.writer.loop(integer(0), integer(problem.outer), 1, (), body)

    def _alike(self, parts: list[Part], source: Value, target: Value) -> None:
        """The leading parts that are all alike: a loop over them."""
        stride, scalar = self.frame.problem.right_column, self.frame.scalar
        lanes = parts[0].lanes

        def body(column: Value, _: list[Value]) -> list[Value]:
            here = self.frame.address(source, (column, stride))
            self._part(parts[0], here, self.writer.offset(target, scalar, column))
            return []

        self.writer.loop(integer(0), integer(lanes * len(parts)), lanes, (), body)

    def _part(self, part: Part, source: Value, target: Value) -> None:
        """One register's width of the panel, over the whole depth."""
        if self.frame.problem.right_depth != 1:
            self.writer.loop(
                integer(0),
                integer(self.depth),
                1,
                (),
                lambda k, _: self._gathered(part, source, target, k),
            )
            return
        lanes = part.lanes
        self.writer.loop(
            integer(0),
            integer(self.depth),
            lanes,
            (),
            lambda k, _: self._square(part, source, target, k, lanes),
        )
        rest = self.depth % lanes
        if rest:
            self._square(part, source, target, integer(self.depth - rest), rest)

    def _gathered(self, part: Part, source: Value, target: Value, k: Value) -> list[Value]:
        """One step of the depth, read element by element."""
        problem, shape = self.frame.problem, self.frame.shape(part)
        address = self.frame.address(source, (k, problem.right_depth))
        offset = integer(part.offset * problem.right_column)
        address = self.writer.offset(address, self.frame.scalar, offset)
        value = load_strided(self.writer, shape, address, problem.right_column, part, None)
        self.writer.store(value, shape, self._target(target, part, k, 0))
        return []

    def _square(
        self, part: Part, source: Value, target: Value, k: Value, steps: int
    ) -> list[Value]:
        """As many steps of the depth as a register has lanes, transposed in registers."""
        shape, stride = self.frame.shape(part), self.frame.problem.right_column
        mask = None if steps == part.lanes else shape.mask(steps)
        start = self.writer.offset(source, self.frame.scalar, k)
        rows = []
        for lane in range(part.lanes):
            if lane < (part.valid or 0):
                offset = integer((part.offset + lane) * stride)
                address = self.writer.offset(start, self.frame.scalar, offset)
                rows.append(self.writer.load(shape, address, mask))
            else:
                rows.append(shape.constant(0))
        for step, value in enumerate(transposed(self.writer, rows)[:steps]):
            self.writer.store(value, shape, self._target(target, part, k, step))
        return []

    def _target(self, target: Value, part: Part, k: Value, step: int) -> Value:
        address = self.frame.address(target, (k, self.width))
        offset = integer(step * self.width + part.offset)
        return self.writer.offset(address, self.frame.scalar, offset)
