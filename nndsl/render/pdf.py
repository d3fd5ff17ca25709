"""A laid-out diagram as a PDF page: the drawing operations of `dot -Tjson` as PDF operators.

Both have their origin at the lower left and count in points (1/72 inch), so that numbers go over
as they are. Text is set in Helvetica, which every reader of PDF has; characters beyond Windows
code page 1252 become `?`. The same drawing gives the same bytes.
Sources: Graphviz, "xdot output"; ISO 32000-1, sections 7.5 (file), 8.5 (paths), 9.4 (text).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MARGIN = 18.0
FONTS = ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique")
SOLID = "[] 0 d"
DASHES = {"dashed": "[5 3] 0 d", "dotted": "[1 3] 0 d", "solid": SOLID}
WIDTH = "setlinewidth("
CIRCLE = 0.5523
"""Where the control points of a quarter circle of radius 1 are (four Bezier curves a circle)."""

Operation = dict[str, Any]


def pdf_of(drawing: Operation) -> bytes:
    """The page of a drawing: the object in the output of `dot -Tjson`."""
    left, bottom, right, top = (float(number) for number in drawing["bb"].split(","))
    page = " ".join(_text(v) for v in (left - MARGIN, bottom - MARGIN,
                                       right + MARGIN, top + MARGIN))  # fmt: skip
    content = "\n".join(_page(drawing)).encode("cp1252", "replace")
    fonts = " ".join(f"/F{i} {5 + i} 0 R" for i in range(len(FONTS)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{page}] /Contents 4 0 R "
        f"/Resources << /Font << {fonts} >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
            % name.encode()
            for name in FONTS
        ),
    ]
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    """Numbered objects, the table of where they start, and the trailer."""
    parts = [b"%PDF-1.4\n"]
    starts = []
    for number, content in enumerate(objects, 1):
        starts.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = sum(map(len, parts))
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    parts += [b"%010d 00000 n \n" % start for start in starts]
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1))
    parts.append(b"startxref\n%d\n%%%%EOF\n" % table)
    return b"".join(parts)


def _page(drawing: Operation) -> Iterator[str]:
    """Frames lie below arrows, arrows below boxes."""
    objects = drawing.get("objects", ())
    frames = [item for item in objects if "nodes" in item or "subgraphs" in item]
    boxes = [item for item in objects if item not in frames]
    for item in (drawing, *frames, *drawing.get("edges", ()), *boxes):
        for key in ("_draw_", "_hdraw_", "_ldraw_", "_hldraw_"):
            yield from _Painter().operators(item.get(key, ()))


class _Painter:
    """Colours and font that hold from one operation to the next."""

    def __init__(self) -> None:
        self.pen = self.fill = (0.0, 0.0, 0.0, 1.0)
        self.size = 11.0
        self.style = 0
        self.dash = SOLID
        self.width = 1.0

    def operators(self, operations: Sequence[Operation]) -> Iterator[str]:
        """The operators of one list of operations."""
        for operation in operations:
            kind = operation["op"]
            if kind == "c":
                self.pen = _color(operation["color"])
            elif kind == "C":
                self.fill = _color(operation["color"])
            elif kind == "F":
                self.size = float(operation["size"])
            elif kind == "t":
                self.style = int(operation["fontchar"]) & 3
            elif kind == "S" and operation["style"] in DASHES:
                self.dash = DASHES[operation["style"]]
            elif kind == "S" and operation["style"].startswith(WIDTH):
                self.width = float(operation["style"][len(WIDTH) : -1])
            elif kind == "T":
                yield self._letters(operation)
            elif kind in "PpBbLEe":
                yield from self._shape(kind, operation)

    def _letters(self, operation: Operation) -> str:
        x, y = (float(v) for v in operation["pt"])
        x -= {"l": 0.0, "c": 0.5, "r": 1.0}[operation["align"]] * float(operation["width"])
        text = operation["text"]
        for sign in "\\()":
            text = text.replace(sign, "\\" + sign)
        color = " ".join(map(_text, self.pen[:3]))
        font = f"/F{self.style} {_text(self.size)} Tf"
        return f"BT {color} rg {font} {_text(x)} {_text(y)} Td ({text}) Tj ET"

    def _shape(self, kind: str, operation: Operation) -> Iterator[str]:
        filled = kind in "PBE"
        fill, line = filled and self.fill[3] > 0, self.pen[3] > 0
        if kind in "Ee":
            path = _ellipse(*(float(v) for v in operation["rect"]))
        elif kind in "Bb":
            path = _curve(operation["points"])
        else:
            path = _polygon(operation["points"])
        yield " ".join(map(_text, self.fill[:3])) + " rg"
        yield " ".join(map(_text, self.pen[:3])) + " RG"
        close = "" if kind in "bL" else "h "
        end = {(True, True): "B", (True, False): "f", (False, True): "S"}.get((fill, line), "n")
        yield f"{self.dash} {_text(self.width)} w {path} {close}{end}"


def _color(text: str) -> tuple[float, float, float, float]:
    """`#rrggbb` or `#rrggbbaa` as shares of red, green, blue and opacity."""
    digits = text.lstrip("#").ljust(8, "f")
    red, green, blue, opacity = (int(digits[i : i + 2], 16) / 255 for i in range(0, 8, 2))
    return red, green, blue, opacity


def _polygon(points: Sequence[Sequence[float]]) -> str:
    first, *rest = (f"{_text(x)} {_text(y)}" for x, y in points)
    return " ".join([f"{first} m", *(f"{point} l" for point in rest)])


def _curve(points: Sequence[Sequence[float]]) -> str:
    first, *rest = (f"{_text(x)} {_text(y)}" for x, y in points)
    threes = (" ".join(rest[i : i + 3]) for i in range(0, len(rest) - 2, 3))
    return " ".join([f"{first} m", *(f"{three} c" for three in threes)])


def _ellipse(x: float, y: float, width: float, height: float) -> str:
    a, b = CIRCLE * width, CIRCLE * height
    return _curve(
        [(x + width, y), (x + width, y + b), (x + a, y + height), (x, y + height),
         (x - a, y + height), (x - width, y + b), (x - width, y), (x - width, y - b),
         (x - a, y - height), (x, y - height), (x + a, y - height), (x + width, y - b),
         (x + width, y)]
    )  # fmt: skip


def _text(number: float) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")
