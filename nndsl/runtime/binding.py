"""From a program's calls to the numbers that the loop of `driver_loop` reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndsl.codegen.program import Buffer, Call, Program, Region, Size, Split
from nndsl.runtime.compiler import Library
from nndsl.runtime.driver_loop import RECORD

Place = tuple[Region, int]
"""A region and an offset in it: where a buffer begins."""

_SPLITS = {Split.ROWS: 0, Split.OWN: 1, Split.ONE: 2}


class Table:
    """One thread's calls, slots and run-time sizes, with addresses in them."""

    def __init__(
        self,
        program: Program,
        library: Library,
        bases: Mapping[Region, int],
        elsewhere: Mapping[Place, int] | None = None,
    ) -> None:
        self._elsewhere = elsewhere or {}  # addresses of buffers in the memory of others
        self.count = len(program.calls)
        self.sizes = np.zeros(len(program.symbols), dtype=np.int64)
        self.sizes[0] = 1
        self._symbols = {name: index for index, name in enumerate(program.symbols)}
        self._bases = bases
        self._slots: list[int] = []
        self._places: dict[str, list[tuple[int, int]]] = {}  # input -> (slot, bytes to add)
        starts = [self._fill(call) for call in program.calls]
        self._memory = np.array([*self._slots, 0], dtype=np.int64)
        self._table = np.zeros((max(self.count, 1), RECORD), dtype=np.int64)
        addresses = [library.address(kernel.name) for kernel in program.kernels]
        slots = self._memory.ctypes.data
        for number, (call, start) in enumerate(zip(program.calls, starts, strict=True)):
            self._table[number, :7] = (
                addresses[call.kernel],
                slots + 8 * start,
                call.extent.factor,
                self._symbols[call.extent.symbol],
                _SPLITS[call.split],
                call.align,
                call.barrier,
            )
        self.address = self._table.ctypes.data
        self.sizes_address = self.sizes.ctypes.data

    @property
    def data_inputs(self) -> frozenset[str]:
        """The inputs whose rows the calls read: without memory behind them a call would crash."""
        return frozenset(self._places)

    def bind(self, name: str, address: int) -> None:
        """Let every slot that points into input `name` point into memory at `address`."""
        for slot, offset in self._places.get(name, ()):
            self._memory[slot] = address + offset

    def slots_of(self, name: str) -> list[int]:
        """Addresses of the slots that point to input `name`."""
        assert not any(offset for _, offset in self._places.get(name, ()))
        return [self._memory.ctypes.data + 8 * slot for slot, _ in self._places.get(name, ())]

    def _fill(self, call: Call) -> int:
        start = len(self._slots)
        for slot in call.slots:
            if isinstance(slot, Size):
                self._slots += [slot.factor, self._symbols[slot.symbol]]
            elif isinstance(slot, int):
                self._slots.append(slot)
            else:
                self._pointer(*(slot if isinstance(slot, tuple) else (slot, 0)))
        return start

    def _pointer(self, buffer: Buffer, extra: int) -> None:
        if buffer.region is Region.DATA:
            self._places.setdefault(buffer.name, []).append((len(self._slots), extra))
            self._slots.append(0)
        else:
            base = self._bases[buffer.region] + buffer.offset
            place = buffer.region, buffer.offset
            self._slots.append(self._elsewhere.get(place, base) + extra)


def check_reach(program: Program) -> None:
    """Refuse a program whose calls could touch memory beyond their buffers or regions.

    Kernels have no bounds checks: this is the place that stands for them. ValueError is an error
    of the code generator, never of a user.
    """
    for buffer in program.buffers.values():
        _check_region(program, buffer)
    for call in program.calls:
        kernel = program.kernels[call.kernel]
        pointers = [s for s in call.slots if not isinstance(s, (Size, int))]
        if len(pointers) != len(call.reach):
            raise ValueError(f"{kernel.name} says nothing of the reach of its pointers")
        for slot, reach in zip(pointers, call.reach, strict=True):
            buffer, extra = slot if isinstance(slot, tuple) else (slot, 0)
            if (
                extra < 0
                or extra + reach * buffer.element.bytes > buffer.size * buffer.element.bytes
            ):
                raise ValueError(f"{kernel.name} ({call.label}) reaches beyond {buffer}")


def _check_region(program: Program, buffer: Buffer) -> None:
    end = buffer.offset + buffer.size * buffer.element.bytes
    limit = program.region_bytes.get(buffer.region, 0)
    if buffer.offset < 0 or (buffer.region is not Region.DATA and end > limit):
        raise ValueError(f"{buffer} lies outside its region")
