"""What a report is made of. Texts are plain and escaped when the page is written.

A part of a text between backticks is set as code. Markup is only what `nndsl.render` draws itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from nndsl.records import dataclass

Cell = str | Markup
"""A cell of a table: text, or a small picture."""


@dataclass(frozen=True)
class Paragraph:
    """A sentence or a few."""

    text: str
    kind = "paragraph"


@dataclass(frozen=True)
class Notice:
    """Something that is not there, or is to be taken with care."""

    text: str
    kind = "notice"


@dataclass(frozen=True)
class Table:
    """Rows under their headings; the first cell of a row names it. `numbers` are set flush right.

    A table with `folded` rows shows the rest of them on request.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    numbers: frozenset[int] = frozenset()
    folded: Sequence[tuple[Cell, ...]] = ()
    kind = "table"


@dataclass(frozen=True)
class Matrix:
    """Counts [actual, predicted] with the share of its line each, as a table.

    `shades` are whole numbers 0 to 9: how strong the colour of a cell is, right ones by their
    share, mistakes beside the most frequent one.
    """

    title: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[str, ...], ...]
    shades: tuple[tuple[int, ...], ...]
    caption: str
    kind = "matrix"


@dataclass(frozen=True)
class Picture:
    """A drawing with its title; `wide` takes the whole width of the page."""

    title: str
    drawing: Markup
    caption: str = ""
    wide: bool = False
    kind = "picture"


@dataclass(frozen=True)
class Pictures:
    """Drawings side by side, three or so in a line when they are `small`."""

    items: tuple[Picture, ...]
    small: bool = False
    kind = "pictures"


@dataclass(frozen=True)
class Tile:
    """A small image, its `size` in pixels on the page; `note` stands below its name, in lines.

    With `smooth` it is a photograph, else it is made of squares.
    """

    name: str
    address: str
    alternative: str
    size: tuple[int, int]
    note: str = ""
    smooth: bool = False


@dataclass(frozen=True)
class Tiles:
    """Images side by side; `scale` shows the colours of their numbers, with its ends in words."""

    title: str
    caption: str
    items: tuple[Tile, ...]
    scale: Tile | None = None
    ends: tuple[str, str] = ("", "")
    kind = "tiles"


@dataclass(frozen=True)
class Listing:
    """Text as it stands in a file, its lines numbered or not; `folded` shows it on request."""

    title: str
    text: str
    numbered: bool = False
    folded: bool = False
    kind = "listing"


@dataclass(frozen=True)
class Formula:
    """A formula and the spaces of its symbols as MathML, and a few words."""

    markup: Markup
    where: Markup | None = None
    note: str = ""


@dataclass(frozen=True)
class Formulas:
    """Formulas one below the other."""

    title: str
    items: tuple[Formula, ...]
    remark: str = ""
    kind = "formulas"


Block = Paragraph | Notice | Table | Matrix | Picture | Pictures | Tiles | Listing | Formulas


@dataclass(frozen=True)
class Section:
    """A part of the report under its own heading; `lead` says in a sentence what it shows."""

    identity: str
    title: str
    lead: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Fact:
    """A number that matters: its name, itself, and a few words about it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The whole page. `verdict` is one sentence, `remarks` what qualifies it."""

    title: str
    verdict: str
    remarks: tuple[str, ...]
    comparison: Picture | None
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    footer: str
