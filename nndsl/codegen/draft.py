"""A call before it stands in the table: what it reads and writes, and how threads share it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from enum import Enum
from math import gcd

from nndsl.codegen.program import Buffer, Call, Contraction, Element, Kernel, Size, Split
from nndsl.diagnostics import Span
from nndsl.records import computed_once, dataclass

ROW_ALIGN = 8
"""Shares of the batch start at multiples of so many rows, the same for every call."""


LINE = 64
"""Bytes of a cache line: buffers start at multiples of it."""


class Share(Enum):
    """Which part of a buffer a thread's share of the call touches."""

    PART = "part"  # the part that belongs to its share of the extent, equal parts in order
    WHOLE = "whole"  # perhaps all of it


@dataclass(frozen=True)
class Pointer:
    """A pointer slot: `reach` elements from `skip` elements into the buffer on.

    The call gets the place `inside` elements further on: a column, or a step of time, of rows of
    which each thread has its share.
    """

    buffer: Buffer
    reach: int
    writes: bool = False
    share: Share = Share.WHOLE
    skip: int = 0
    inside: int = 0

    @computed_once
    def start(self) -> int:
        """First byte, from the start of the region."""
        return self.buffer.offset + self.skip * self.buffer.element.bytes

    @computed_once
    def stop(self) -> int:
        """The byte after the last."""
        return self.start + self.reach * self.buffer.element.bytes

    def overlaps(self, other: Pointer) -> bool:
        """Whether both touch some byte, and at least one writes."""
        if not (self.writes or other.writes) or self.buffer.region is not other.buffer.region:
            return False
        return self.start < other.stop and other.start < self.stop


Slot = Pointer | Size | int


@dataclass(frozen=True)
class Draft:
    """A call to be: its kernel, slots, extent and split."""

    kernel: Kernel
    slots: tuple[Slot, ...]
    extent: Size
    split: Split
    align: int = 1
    label: str = ""
    spans: tuple[Span, ...] = ()
    flops: int = 0

    @computed_once
    def pointers(self) -> tuple[Pointer, ...]:
        """The slots that are pointers."""
        return tuple(s for s in self.slots if isinstance(s, Pointer))

    @computed_once
    def _division(self) -> tuple[object, ...]:
        """Equal for calls that give each thread the same fraction of the extent."""
        if self.extent.symbol == "one":
            return self.split, self.extent, self.align
        common = gcd(self.align, self.extent.factor)
        return self.split, self.extent.symbol, self.align // common, self.extent.factor // common

    def touches(self, other: Draft) -> bool:
        """Whether the order of both calls matters."""
        return any(mine.overlaps(theirs) for mine in self.pointers for theirs in other.pointers)

    def conflicts(self, later: Draft) -> bool:
        """Whether `later` must not run before all threads have done this call.

        Within one thread calls run in order, so there is no conflict when each thread touches the
        same part in both: thread 0 alone, or equal shares of the same bytes.
        """
        if self.split is Split.ONE and later.split is Split.ONE:
            return False
        shared = self._division == later._division
        for mine in self.pointers:
            for theirs in later.pointers:
                if mine.overlaps(theirs) and not (shared and _same_parts(mine, theirs)):
                    return True
        return False

    def call(self, kernel: int, *, barrier: bool) -> Call:
        """The entry of the table."""
        slots = tuple(_slot(s) for s in self.slots)
        reach = tuple(p.reach - p.inside for p in self.pointers)
        return Call(
            kernel, slots, self.extent, self.split, barrier, self.align, self.label, self.spans,
            self.flops, reach,
        )  # fmt: skip


def _same_parts(one: Pointer, other: Pointer) -> bool:
    parts = one.share is Share.PART and other.share is Share.PART
    return parts and (one.start, one.stop) == (other.start, other.stop)


def _slot(slot: Slot) -> Buffer | tuple[Buffer, int] | Size | int:
    if not isinstance(slot, Pointer):
        return slot
    place = slot.skip + slot.inside
    return (slot.buffer, place * slot.buffer.element.bytes) if place else slot.buffer


def glue_kernel(word: str, text: str, signature: tuple[str, ...], element: Element) -> Kernel:
    """A kernel of glue, named after its word and its text: equal text, equal name."""
    made_from = f"{text}|{signature}".encode()
    name = f"{word}_{hashlib.sha256(made_from).hexdigest()[:12]}"
    return Kernel(name, "glue", text, signature, element)


def contraction_kernel(contraction: Contraction, text: str) -> Kernel:
    """A kernel that is a contraction; `text` is its loop nest for people."""
    name = f"contraction_{hashlib.sha256(repr(contraction).encode()).hexdigest()[:12]}"
    signature = ("pointer",) * (2 + len(contraction.operands) + max(1, len(contraction.epilogue)))
    signature += ("size",) * len(contraction.sizes)
    return Kernel(name, "contraction", text, signature, contraction.element, contraction)


def merged(one: Draft, other: Draft) -> Draft | None:
    """Both calls as one, when they do the same to neighbouring parts of the same regions."""
    if (one.kernel, one.split, one.align) != (other.kernel, other.split, other.align):
        return None
    if (
        one.split is not Split.OWN
        or one.extent.symbol != "one"
        or len(one.slots) != len(other.slots)
    ):
        return None
    slots: list[Slot] = []
    gaps: set[int] = set()
    for mine, theirs in zip(one.slots, other.slots, strict=True):
        if isinstance(mine, Pointer) and isinstance(theirs, Pointer) and mine.share is Share.PART:
            gap = theirs.start - mine.start
            if mine.buffer.region is not theirs.buffer.region or theirs.share is not Share.PART:
                return None
            gaps.add(gap // mine.buffer.element.bytes)
            slots.append(_joined(mine, theirs))
        elif mine == theirs:
            slots.append(mine)
        else:
            return None
    if len(gaps) != 1:
        return None
    (gap,) = gaps
    if not one.extent.factor <= gap < one.extent.factor + LINE // one.kernel.element.bytes:
        return None
    extent = Size(gap + other.extent.factor)
    spans = tuple(dict.fromkeys((*one.spans, *other.spans)))
    return replace(
        one, slots=tuple(slots), extent=extent, spans=spans, flops=one.flops + other.flops
    )


def _joined(one: Pointer, other: Pointer) -> Pointer:
    """A pointer at the first buffer whose reach covers both."""
    reach = (other.stop - one.start) // one.buffer.element.bytes
    buffer = replace(one.buffer, size=max(one.buffer.size, one.skip + reach))
    return replace(one, buffer=buffer, reach=reach)
