"""Copying a panel of the right matrix to the stack, with its columns side by side.

It costs one pass over the panel and saves a transposed copy of the matrix: the input gradient
reads the weights as they lie.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.assembly import Value, integer
from nndsl.codegen.contraction.frame import Frame, Stretch, load_strided, packed_axes
from nndsl.codegen.contraction.tiles import Panel, Part
from nndsl.codegen.program import Axis
from nndsl.codegen.transpose import transposed
from nndsl.records import dataclass


@dataclass(frozen=True)
class Run:
    """`steps` of the depth whose columns are `stride` numbers apart, and where they go."""

    source: Value
    target: Value
    steps: int
    stride: int


class Packing:
    """Writes the copy of a stretch of one panel; lanes without a column become 0."""

    def __init__(
        self, frame: Frame, panel: Panel, column: Value, scratch: Value, stretch: Stretch
    ) -> None:
        self.frame = frame
        self.writer = frame.writer
        self.panel = panel
        self.column = column
        self.scratch = scratch
        self.stretch = stretch
        self.width = sum(part.lanes for part in panel.parts)
        self.length = stretch.length or 0

    def write(self) -> None:
        """All of it: from panels along the depth, or row by row along the reduced axes."""
        problem = self.frame.problem
        if problem.right_panel:
            self._panels(problem.right_panel)
            return
        along = (self.column, problem.right_column), (self.stretch.start, problem.right_depth)
        base = self.frame.address(self.frame.right, *along)
        targets = packed_axes(problem.inner, self.width * self.length)
        self._reduced(problem.inner, targets, base, self.scratch)

    def _reduced(
        self, sources: Sequence[Axis], targets: Sequence[Axis], source: Value, target: Value
    ) -> None:
        """All steps along some reduced axes and the depth."""
        if not sources:
            self._run(Run(source, target, self.length, self.frame.problem.right_column))
            return

        def body(o: Value, _: list[Value]) -> list[Value]:
            here = self.frame.address(source, (o, sources[0].b))
            there = self.frame.address(target, (o, targets[0].b))
            self._reduced(sources[1:], targets[1:], here, there)
            return []

        self.writer.loop(integer(0), self.frame.count(sources[0]), 1, (), body)

    def _panels(self, width: int) -> None:
        """The whole panels of the stretch, then the narrower last one."""

        def panel(k: Value, steps: int) -> None:
            before = self.writer.add(self.stretch.start, k)
            columns = self.frame.problem.columns or 0
            along = (before, columns), (self.column, steps)
            source = self.frame.address(self.frame.right, *along)
            target = self.frame.address(self.scratch, (k, self.width))
            self._run(Run(source, target, steps, steps))

        def body(k: Value, _: list[Value]) -> list[Value]:
            panel(k, width)
            return []

        k, _ = self.writer.loop(integer(0), integer(self.length), width, (), body)
        if self.length % width:
            panel(k, self.length % width)

    def _run(self, run: Run) -> None:
        """All parts of the panel: a loop over the leading ones that are alike, then the rest."""
        whole = [part for part in self.panel.parts if part.valid == part.lanes]
        same = [part for part in whole if part.lanes == whole[0].lanes]
        if same:
            self._alike(same, run)
        for part in self.panel.parts[len(same) :]:
            self._part(part, run)

    def _alike(self, parts: list[Part], run: Run) -> None:
        lanes = parts[0].lanes

        def body(column: Value, _: list[Value]) -> list[Value]:
            source = self.frame.address(run.source, (column, run.stride))
            target = self.writer.offset(run.target, self.frame.scalar, column)
            self._part(parts[0], Run(source, target, run.steps, run.stride))
            return []

        self.writer.loop(integer(0), integer(lanes * len(parts)), lanes, (), body)

    def _part(self, part: Part, run: Run) -> None:
        """One register's width of the panel, over all steps."""
        steps = integer(run.steps)
        if self.frame.problem.right_depth != 1:
            self.writer.loop(integer(0), steps, 1, (), lambda k, _: self._gathered(part, run, k))
            return
        lanes = part.lanes
        self.writer.loop(
            integer(0), steps, lanes, (), lambda k, _: self._square(part, run, k, lanes)
        )
        rest = run.steps % lanes
        if rest:
            self._square(part, run, integer(run.steps - rest), rest)

    def _gathered(self, part: Part, run: Run, k: Value) -> list[Value]:
        """One step of the depth, read element by element."""
        shape = self.frame.shape(part)
        address = self.frame.address(run.source, (k, self.frame.problem.right_depth))
        address = self.writer.offset(address, self.frame.scalar, integer(part.offset * run.stride))
        value = load_strided(self.writer, shape, address, run.stride, part, None)
        self.writer.store(value, shape, self._target(run, part, k, 0))
        return []

    def _square(self, part: Part, run: Run, k: Value, steps: int) -> list[Value]:
        """As many steps of the depth as a register has lanes, transposed in registers."""
        shape = self.frame.shape(part)
        mask = None if steps == part.lanes else shape.mask(steps)
        start = self.writer.offset(run.source, self.frame.scalar, k)
        rows = []
        for lane in range(part.lanes):
            if lane < (part.valid or 0):
                offset = integer((part.offset + lane) * run.stride)
                address = self.writer.offset(start, self.frame.scalar, offset)
                rows.append(self.writer.load(shape, address, mask))
            else:
                rows.append(shape.constant(0))
        for step, value in enumerate(transposed(self.writer, rows)[:steps]):
            self.writer.store(value, shape, self._target(run, part, k, step))
        return []

    def _target(self, run: Run, part: Part, k: Value, step: int) -> Value:
        address = self.frame.address(run.target, (k, self.width))
        offset = integer(step * self.width + part.offset)
        return self.writer.offset(address, self.frame.scalar, offset)
