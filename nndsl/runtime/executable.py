"""A loaded program: memory, machine code, and the calls by which a run uses it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Protocol

import numpy as np

from nndsl.codegen.program import SIZES, Buffer, Element, Kernel, Program, Region
from nndsl.codegen.target import Target, host_target
from nndsl.ir.types import BATCH, Dimension
from nndsl.row_orders import stream_order
from nndsl.runtime import driver_loop, layout
from nndsl.runtime.binding import Place, Table, check_reach
from nndsl.runtime.cache import Cache
from nndsl.runtime.compiler import Compiler, Library
from nndsl.runtime.predicting import BRIEF, predictor
from nndsl.runtime.threads import Team

Array = np.ndarray
_DTYPES: dict[Element, np.dtype[np.generic]] = {
    Element.FLOAT32: np.dtype(np.float32),
    Element.FLOAT64: np.dtype(np.float64),
    Element.INT32: np.dtype(np.int32),
}
BATCHES_ON_DEMAND = 4
_CLOCK_ENTRIES = 4
_N, _STEP, _EPOCH, _FIRST_ROW, _DATA_ROWS, _SEED, _SHUFFLE, _TOTAL, _PER_EPOCH = range(1, 10)
_Pointer, _Integer = ctypes.c_void_p, ctypes.c_int64
_Run = ctypes.CFUNCTYPE(
    _Integer, _Pointer, _Integer, _Pointer, _Pointer, _Integer, _Integer, _Integer
)


class RowsOnDemand(Protocol):
    """Rows that are made when they are asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, rows: slice | Array, /) -> Array:
        """Some of them as an array of their own."""


class Holder(Protocol):
    """An executable, or several that share their weights."""

    def holder(self, name: str, /) -> Executable:
        """The executable whose memory a parameter or a state lies in."""


class Executable:
    """A program ready to run on this machine with `threads` threads; `load` makes it.

    Not safe for use from several threads at the same time.
    """

    def __init__(
        self,
        program: Program,
        threads: int,
        target: Target,
        store: Cache | None = None,
        also: Sequence[Kernel] = (),
        lent: Mapping[str, Executable] | None = None,
    ) -> None:
        check_reach(program)
        self.program = program
        self._parameters = frozenset(program.parameters)
        self._states = frozenset(program.states)
        self._lent = {_place_of(program, name): (e, name) for name, e in (lent or {}).items()}
        self._memory: dict[str, tuple[Array, Array]] = {}
        self.threads = threads
        compiler = Compiler(target, store)
        texts = [(driver_loop.NAME, driver_loop.llvm_text())]
        objects = compiler.objects(texts, program.kernels, also)
        self._library = Library(compiler.machine, objects)
        self.compiled = compiler.compiled
        self._run = _Run(self._library.address(driver_loop.NAME))
        self._regions = {r: aligned(n) for r, n in program.region_bytes.items()}
        self._clocks = [
            aligned(8 * (_CLOCK_ENTRIES + len(program.settings))).view(np.float64)
            for _ in range(threads)
        ]
        self._control = aligned(8 * driver_loop.CONTROL_SIZE).view(np.int64)
        self._control_address = self._control.ctypes.data
        self._tables = [
            Table(program, self._library, self._bases(t), self._addresses()) for t in range(threads)
        ]
        self._bound: dict[str, Array] = {}
        self._needed = self._tables[0].data_inputs
        self._team = Team(threads) if threads > 1 else None
        self._carries = any(BATCH in program.shapes[name] for name in program.states)
        self._seconds_per_step = 0.0
        self._prepare()

    def _bases(self, thread: int) -> dict[Region, int]:
        bases = {region: memory.ctypes.data for region, memory in self._regions.items()}
        bases[Region.CLOCK] = self._clocks[thread].ctypes.data
        return bases

    def _addresses(self) -> dict[Place, int]:
        """Where buffers lie that are in the memory of another executable."""
        return {
            place: lender._view(lender.program.inputs[name]).ctypes.data
            for place, (lender, name) in self._lent.items()
        }

    def _prepare(self) -> None:
        for buffer, numbers in self.program.constants:
            self._view(buffer)[:] = numbers
        for name, number in self.program.starts.items():
            self._input(name)[...] = number
        self.set_settings(self.program.defaults)
        self._control[driver_loop.BATCH] = self.program.batch
        for thread, clock in enumerate(self._clocks):
            self._control[driver_loop.CLOCKS + thread] = clock.ctypes.data
        if self.program.watch is not None:
            watched = self.program.outputs[self.program.watch]
            self._control[driver_loop.WATCH] = self._view(watched).ctypes.data
            self._control[driver_loop.WATCH_DOUBLE] = int(watched.element is Element.FLOAT64)

    # Data

    def bind(self, name: str, array: Array) -> None:
        """Use `array` as the data of input `name`: rows first, of the input's type, contiguous.

        The array is read where it lies: keep it unchanged while the program runs.
        Raises KeyError for an unknown name and ValueError for another type or shape.
        """
        buffer = self.program.inputs[name]
        if buffer.region is not Region.DATA:
            raise KeyError(name)
        expected = self.program.shapes[name][1:]
        dtype = _DTYPES[buffer.element]
        if array.dtype != dtype or array.shape[1:] != expected or array.ndim == 0:
            wanted = "x".join(map(str, ("rows", *expected)))
            raise ValueError(f"{name} takes {dtype} {wanted}, not {array.dtype} {array.shape}")
        if not array.flags.c_contiguous:
            raise ValueError(f"{name} must be contiguous")
        self._check_classes(name, array)
        self._bound[name] = array
        for table in self._tables:
            table.bind(name, array.ctypes.data)

    def _check_classes(self, name: str, array: Array) -> None:
        """Kernels use class numbers as places in memory."""
        limit = self.program.limits.get(name)
        if limit is None or not array.size:
            return
        if array.min() < 0 or array.max() >= limit:
            raise ValueError(f"{name} has class numbers beyond 0..{limit - 1}")

    def rows(self) -> int:
        """Rows of the bound data; 1 when the program has no data. ValueError when they differ."""
        counts = {len(array) for array in self._bound.values()}
        if len(counts) > 1:
            raise ValueError(f"the bound arrays have different numbers of rows: {sorted(counts)}")
        return counts.pop() if counts else 1

    # Parameters, states, settings

    def parameters(self) -> dict[str, Array]:
        """Copies of the parameters by name, in the graph's shapes."""
        return self.copies(self.program.parameters)

    def set_parameters(self, values: Mapping[str, Array]) -> None:
        """Write parameters. KeyError or ValueError for a name or shape that is not there."""
        self._write(self._parameters, values)

    def states(self) -> dict[str, Array]:
        """Copies of the states (optimizer's moments, running sums) by name."""
        return self.copies(self.program.states)

    def is_finite(self) -> bool:
        """Whether no parameter and no state holds NaN or infinity."""
        names = (*self.program.parameters, *self.program.states)
        return all(bool(np.isfinite(self._flat(name)).all()) for name in names)

    def set_states(self, values: Mapping[str, Array]) -> None:
        """Write states. KeyError or ValueError for a name or shape that is not there."""
        self._write(self._states, values)

    def set_settings(self, values: Mapping[str, float]) -> None:
        """Write settings (rates, betas, penalties) by name. KeyError for an unknown one."""
        for name, value in values.items():
            if name not in self.program.settings:
                raise KeyError(name)
            position = _CLOCK_ENTRIES + self.program.settings.index(name)
            for clock in self._clocks:
                clock[position] = value

    def memory(self, name: str) -> Array:
        """The memory of a parameter or a state itself, in the graph's shape, until `close`.

        Raises ValueError for large weights, which lie in another order (`program.panels`).
        """
        self._require(name)
        if name in self.program.panels:
            raise ValueError(f"{name} lies in panels")
        return self._input(name)

    def cell(self, name: str, index: tuple[int, ...]) -> Array:
        """The memory of one number of a parameter, as an array without axes, until `close`."""
        self._require(name)
        width = self.program.panels.get(name, 0)
        place = layout.place(index, self._shape(name), width)
        return self._flat(name)[place : place + 1].reshape(())

    def copies(self, names: Collection[str]) -> dict[str, Array]:
        """Copies of some parameters and states by name, in the graph's shapes."""
        for name in names:
            self._require(name)
        return {name: self._get(name) for name in names}

    def holder(self, name: str) -> Executable:
        """The executable whose memory a parameter or a state lies in."""
        return self

    def take(self, source: Holder, names: Iterable[str]) -> None:
        """Copy some parameters and states from another executable that has them too."""
        for name in names:
            other = source.holder(name)
            if self.program.panels.get(name) == other.program.panels.get(name):
                self._flat(name)[...] = other._flat(name)
            else:
                self._set(name, other._get(name))

    def _require(self, name: str) -> None:
        if name not in self._parameters and name not in self._states:
            raise KeyError(name)

    def _get(self, name: str) -> Array:
        """A copy of an input in the graph's shape."""
        width = self.program.panels.get(name)
        if width is None:
            return self._input(name).copy()
        return layout.to_rows(self._flat(name), self._shape(name), width)

    def _set(self, name: str, value: Array) -> None:
        width = self.program.panels.get(name)
        if width is None:
            self._input(name)[...] = value
        else:
            layout.to_panels(np.asarray(value), self._flat(name), width)

    def _write(self, known: Collection[str], values: Mapping[str, Array]) -> None:
        for name, value in values.items():
            if name not in known:
                raise KeyError(name)
            shape = self._shape(name)
            if np.shape(value) != shape:
                raise ValueError(f"{name} has the shape {shape}, not {np.shape(value)}")
            self._set(name, value)

    def _shape(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter or a state; one that is handed on has a row for each stream."""
        return tuple(
            d if isinstance(d, int) else self.program.batch for d in self.program.shapes[name]
        )

    def _flat(self, name: str) -> Array:
        """The memory of an input, number after number."""
        return self._views(name)[0]

    def _input(self, name: str) -> Array:
        """The memory of an input in the graph's shape."""
        return self._views(name)[1]

    def _views(self, name: str) -> tuple[Array, Array]:
        """Both, made once: an epoch of a small network takes no longer than making them."""
        if name not in self._memory:
            shape = self._shape(name)
            flat = self._view(self.program.inputs[name])[: prod(shape)]
            self._memory[name] = flat, flat.reshape(shape)
        return self._memory[name]

    def _view(self, buffer: Buffer) -> Array:
        """The buffer's memory as a flat array."""
        if (buffer.region, buffer.offset) in self._lent:
            lender, name = self._lent[buffer.region, buffer.offset]
            return lender._view(lender.program.inputs[name])
        memory = self._regions[buffer.region]
        part = memory[buffer.offset : buffer.offset + buffer.size * buffer.element.bytes]
        array: Array = part.view(_DTYPES[buffer.element])
        return array

    # Running

    def run(
        self,
        first_step: int,
        steps: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        rows: int | None = None,
        epoch_rows: int | None = None,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> int:
        """Do `steps` steps from number `first_step` on the first `rows` rows; the steps done.

        An epoch sees `epoch_rows` of them (None: all), the first ones of its order.
        `steps_per_epoch` is for rows that are whole batches in a row of a longer epoch, and for no
        more steps than these: the clock (schedules, random numbers) goes by it. Fewer steps are
        done only when the watched output was no longer finite: `stopped` is then true and the last
        step done is the one after which it was not.
        """
        if steps <= 0:
            return 0
        count = self.rows() if rows is None else rows
        if self._bound and not 0 < count <= self.rows():
            raise ValueError(f"{count} rows of {self.rows()}")
        total = total_steps or first_step + steps
        self._set_sizes(first_step, count, seed, shuffle, total, epoch_rows)
        if steps_per_epoch is not None:
            self._set_epoch(first_step, steps_per_epoch)
        self._control[driver_loop.STOP] = 0
        begin = time.perf_counter()
        done = self._go(steps)
        self._seconds_per_step = (time.perf_counter() - begin) / max(done, 1)
        return done

    @property
    def stopped(self) -> bool:
        """Whether the last `run` ended because the watched output was not finite."""
        return bool(self._control[driver_loop.STOP])

    def steps_within(self, seconds: float) -> int:
        """How many steps fit into that time, by the last `run`; 1 before the first."""
        if self._seconds_per_step <= 0.0:
            return 1
        return max(1, int(seconds / self._seconds_per_step))

    def output(self, name: str) -> Array:
        """A copy of an output as the last step left it, cut to the rows of its batch."""
        return self._output_view(name, int(self._tables[0].sizes[_N])).copy()

    def _result(self, name: str) -> tuple[Dimension, ...]:
        """The shape of an output."""
        results = self.program.results
        return results[name] if name in results else self.program.shapes[name]

    def _output_view(self, name: str, rows: int) -> Array:
        shape = tuple(d if isinstance(d, int) else rows for d in self._result(name))
        flat = self._view(self.program.outputs[name])
        return flat[: prod(shape)].reshape(shape)

    def _set_sizes(
        self,
        step: int,
        rows: int,
        seed: int,
        shuffle: bool,
        total: int,
        epoch_rows: int | None = None,
    ) -> None:
        seen = epoch_rows or rows
        self._control[driver_loop.EPOCH_ROWS] = seen
        per_epoch = -(-seen // self.program.batch)
        for table, clock in zip(self._tables, self._clocks, strict=True):
            sizes = table.sizes
            sizes[_STEP], sizes[_EPOCH] = step, step // per_epoch
            sizes[_FIRST_ROW] = step % per_epoch * self.program.batch
            sizes[_DATA_ROWS], sizes[_SEED], sizes[_SHUFFLE] = rows, seed, int(shuffle)
            sizes[_TOTAL], sizes[_PER_EPOCH] = total, per_epoch
            clock[2], clock[3] = total, per_epoch

    def _set_epoch(self, step: int, per_epoch: int) -> None:
        """Let the steps of a run be some of a longer epoch, beginning with the first rows bound."""
        for table, clock in zip(self._tables, self._clocks, strict=True):
            table.sizes[_EPOCH], table.sizes[_FIRST_ROW] = step // per_epoch, 0
            table.sizes[_PER_EPOCH] = clock[3] = per_epoch

    def _go(self, steps: int) -> int:
        if missing := self._needed - self._bound.keys():
            raise ValueError(f"no rows are bound for {', '.join(sorted(missing))}")
        if self._team is None:
            return self._drive(0, steps)
        done = [0] * self.threads

        def task(thread: int) -> None:
            done[thread] = self._drive(thread, steps)

        self._team.run(task)
        return done[0]

    def _drive(self, thread: int, steps: int) -> int:
        table = self._tables[thread]
        sizes, control = table.sizes_address, self._control_address
        result: int = self._run(
            table.address, table.count, sizes, control, thread, self.threads, steps
        )
        return result

    # Inference

    def evaluate(
        self, arrays: Mapping[str, Array | RowsOnDemand], without: int = 1
    ) -> dict[str, Array]:
        """Outputs for any number of rows, batch by batch; outputs without rows (losses) as the
        mean over batches weighted by their rows. The arrays are checked as by `bind`.

        Rows on demand are asked for a few batches at a time. Where nothing is read, noise alone,
        there are `without` rows. Where a batch goes on from the one before (states with a row for
        each of its rows), rows are taken in the order of `stream_order`.
        """
        given = {n: array for n, array in arrays.items() if isinstance(array, np.ndarray)}
        if len(given) == len(arrays) and not self._carries:
            return self._evaluate(given, without)
        rows = max((len(array) for array in arrays.values()), default=without)
        size = BATCHES_ON_DEMAND * self.program.batch
        order = stream_order(rows, min(self.program.batch, rows)) if self._carries else None
        results: dict[str, Array] = {}
        for first in range(0, rows, size):
            chosen = slice(first, first + size) if order is None else order[first : first + size]
            piece = {n: np.ascontiguousarray(a[chosen]) for n, a in arrays.items()}
            count = min(size, rows - first)
            for name, part in self._evaluate(piece, count, first).items():
                self._join(results, name, part, (first, count, rows))
        return results if order is None else self._in_order(results, order)

    def go_on(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs for the rows of one batch that goes on from the states as they are."""
        return self._evaluate(arrays, before=self.program.batch)

    def _in_order(self, results: dict[str, Array], order: Array) -> dict[str, Array]:
        """The results of rows where these stood before they were taken in another order."""
        places = np.argsort(order)
        by_row = {n for n in results if self._result(n)[:1] == (BATCH,)}
        return {n: found[places] if n in by_row else found for n, found in results.items()}

    def _evaluate(
        self, arrays: Mapping[str, Array], without: int = 1, before: int = 0
    ) -> dict[str, Array]:
        """Outputs for rows that are there; `before` of them, whole batches, have gone before."""
        for name, array in arrays.items():
            self.bind(name, array)
        rows = self.rows() if self._bound else without
        start = 0 if self.program.gathers else before  # rows are gathered from those bound
        results: dict[str, Array] = {}
        for first in range(0, rows, self.program.batch):
            count = min(self.program.batch, rows - first)
            self._set_sizes((start + first) // self.program.batch, start + rows, 0, False, 1)
            for table in self._tables:
                table.sizes[_STEP] = (before + first) // self.program.batch
            if first:
                self._point(first)
            self._go(1)
            for name in self.program.outputs:
                self._join(results, name, self._output_view(name, count), (first, count, rows))
        if rows > self.program.batch:
            self._point(0)
        return results

    def predictor(self, rows: int) -> Callable[[Array], Array]:
        """A function from `rows` rows of the only input to the first output, as fast as can be.

        The rows are read where they lie when they are of the input's type and contiguous, else
        copied. The result is the output's own memory, which the next call overwrites. It runs on
        one thread and must not be mixed with other uses of this executable. Raises ValueError when
        the program has several inputs, gathers rows, goes on from batch to batch, or takes fewer
        rows at a time, and for class numbers, which must be checked.
        """
        names = [n for n, b in self.program.inputs.items() if b.region is Region.DATA]
        if (
            len(names) != 1
            or self.program.gathers
            or self._carries
            or not 0 < rows <= self.program.batch
        ):
            raise ValueError(f"no prediction of {rows} rows at a time with inputs {names}")
        if names[0] in self.program.limits:
            raise ValueError(f"{names[0]} has class numbers")
        inner = self.program.shapes[names[0]][1:]
        sizes = tuple(d for d in inner if isinstance(d, int))
        given = np.zeros((rows, *sizes), _DTYPES[self.program.inputs[names[0]].element])
        self.bind(names[0], given)
        self._set_sizes(0, rows, 0, False, 1)
        result = self._output_view(next(iter(self.program.outputs)), rows)
        table = self._tables[0]
        start = (table.address, table.count, table.sizes_address, self._control.ctypes.data)
        operations = sum(call.flops for call in self.program.calls) * rows / self.program.batch
        return predictor(
            self._library.address(driver_loop.PREDICT),
            start,
            table.slots_of(names[0]),
            given,
            result,
            partial(self._go, 1),
            brief=operations < BRIEF,
        )

    def _join(
        self, results: dict[str, Array], name: str, part: Array, place: tuple[int, int, int]
    ) -> None:
        """Put what `count` rows from `first` on gave to that of all `rows`."""
        first, count, rows = place
        if self._result(name)[:1] == (BATCH,):
            if count == rows:
                results[name] = part.copy()
                return
            whole = results.setdefault(name, np.empty((rows, *part.shape[1:]), part.dtype))
            whole[first : first + count] = part
        else:
            total = results.setdefault(name, np.zeros(part.shape, np.float64))
            total += part.astype(np.float64) * (count / rows)

    def _point(self, first: int) -> None:
        """Let a program that reads rows in place begin at row `first`."""
        if not self.program.gathers:
            for name, array in self._bound.items():
                for table in self._tables:
                    table.bind(name, array.ctypes.data + first * array.strides[0])

    def poison(self) -> None:
        """Fill the workspace with NaN, for tests: no kernel may read what none has written."""
        kept = [(b, self._view(b).copy()) for b, _ in self.program.constants]
        memory = self._regions[Region.WORKSPACE]
        memory.view(np.float32)[...] = np.nan
        for buffer, numbers in kept:
            self._view(buffer)[:] = numbers

    def close(self) -> None:
        """End the threads. The executable cannot run afterwards."""
        if self._team is not None:
            self._team.close()


def aligned(size: int) -> Array:
    """Zeroed bytes that start at a multiple of 64."""
    memory = np.zeros(size + 64, dtype=np.uint8)
    skip = -memory.ctypes.data % 64
    return memory[skip : skip + size]


def load(
    program: Program,
    threads: int = 1,
    *,
    target: Target | None = None,
    store: Cache | None = None,
    also: Sequence[Kernel] = (),
    lent: Mapping[str, Executable] | None = None,
) -> Executable:
    """Compile (or take from the cache), allocate, and make ready to run.

    Kernels in `also`, of a program that is loaded next, are compiled too and go to the cache.
    `lent` names parameters and states that lie in the memory of another executable, which has them
    in the same shape and order.
    """
    if not 1 <= threads <= driver_loop.MAXIMUM_THREADS:
        raise ValueError(f"{threads} threads")
    return Executable(program, threads, target or host_target(), store, also, lent)


def _place_of(program: Program, name: str) -> Place:
    buffer = program.inputs[name]
    return buffer.region, buffer.offset


__all__ = ["SIZES", "Executable", "aligned", "load"]
