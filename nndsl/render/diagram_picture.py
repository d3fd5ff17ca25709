"""What a diagram consists of: boxes, arrows between them, frames around them. All of it is data.

Networks, kernels, graphs of the compiler and differences of two networks all become a `Picture`;
Graphviz and the terminal draw pictures and know nothing of where they come from.
"""

from __future__ import annotations

from dataclasses import field

from nndsl.ir.graph import Value
from nndsl.ir.types import BATCH
from nndsl.records import dataclass


@dataclass(eq=False)
class Frame:
    """A dashed line around boxes that belong together; `times`: they stand so often in a row;
    `note` in small letters below the text.
    """

    text: str
    parent: Frame | None = None
    times: int = 1
    note: str = ""


@dataclass(eq=False)
class Box:
    """One box: `lines` in plain letters, the first of them bold, then `small` in grey.

    `kind` is a key of `diagram_kinds.KINDS`; `folded`: a block stands in it; `times`: so often in
    a row; `status`: "added", "removed" or "changed" where two networks are compared.
    """

    kind: str
    lines: tuple[str, ...]
    small: tuple[str, ...] = ()
    frame: Frame | None = None
    times: int = 1
    folded: bool = False
    tooltip: str = ""
    status: str = ""


@dataclass(frozen=True)
class Arrow:
    """From box to box; `target` None: it leaves the picture, as the output called `name`.

    `dashed`: what one net of several is fed with.
    """

    source: Box
    target: Box | None
    label: str = ""
    name: str = ""
    status: str = ""
    dashed: bool = False


@dataclass
class Picture:
    """Boxes in the order of the source; `title` in bold, `notes` in grey below it; `loops` are
    arrows from what a step of a recurrence makes to where the next one reads it, `carried` the
    same between steps that are drawn one by one.
    """

    title: str
    notes: tuple[str, ...] = ()
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    loops: list[Arrow] = field(default_factory=list)
    carried: list[Arrow] = field(default_factory=list)


def shape_text(value: Value) -> str:
    """The shape of one row: `3×32×32`, `6`; `1 number` for a plain number."""
    shape = value.type.shape
    sizes = shape[1:] if shape[:1] == (BATCH,) else shape
    return "×".join(map(str, sizes)) if sizes else "1 number"


def count_text(number: int, one: str, many: str = "") -> str:
    """`1 parameter`, `1,234 parameters`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def flops_text(flops: int) -> str:
    """Floating-point operations with three digits: `144 flop`, `12.3 kflop`, `1.82 Gflop`."""
    if flops < 10_000:
        return f"{flops:,} flop"
    power = min(int(f"{flops:.2e}".partition("e")[2]) // 3, 5)
    number = f"{flops / 1000**power:#.3g}".rstrip(".")
    return f"{number} {'_kMGTP'[power]}flop"
