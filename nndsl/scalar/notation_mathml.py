"""Formulas as MathML, which browsers draw without a script."""

from __future__ import annotations

from html import escape

from nndsl.scalar.notation import (
    Accent,
    Box,
    Fence,
    Fraction,
    Root,
    Row,
    Script,
    Symbol,
    read,
)

_MARKS = {"hat": "^", "tilde": "~", "bar": "¯"}


def to_mathml(latex: str, *, display: bool = True) -> str:
    """The formula as a `<math>` element; `NotationError` where it cannot be read."""
    mode = ' display="block"' if display else ""
    return f"<math{mode}>{_mathml(read(latex))}</math>"


def _mathml(box: Box) -> str:
    if isinstance(box, Symbol):
        return _mathml_symbol(box)
    if isinstance(box, Row):
        return f"<mrow>{''.join(map(_mathml, box.items))}</mrow>"
    if isinstance(box, Fraction):
        return f"<mfrac>{_mathml(box.above)}{_mathml(box.below)}</mfrac>"
    if isinstance(box, Root):
        return f"<msqrt>{_mathml(box.inner)}</msqrt>"
    if isinstance(box, Script):
        return _mathml_script(box)
    if isinstance(box, Fence):
        inner = _mathml(box.inner)
        return f"<mrow><mo>{escape(box.left)}</mo>{inner}<mo>{escape(box.right)}</mo></mrow>"
    if isinstance(box, Accent):
        mark = _MARKS[box.mark]
        return f'<mover accent="true">{_mathml(box.inner)}<mo>{mark}</mo></mover>'
    rows = (
        f"<mtr><mtd>{_mathml(value)}</mtd><mtd>{_mathml(condition)}</mtd></mtr>"
        for value, condition in box.rows
    )
    table = f'<mtable columnalign="left left">{"".join(rows)}</mtable>'
    return f"<mrow><mo>{{</mo>{table}</mrow>"


def _mathml_symbol(box: Symbol) -> str:
    text = escape(box.text)
    if box.kind == "space":
        return f'<mspace width="{0.17 * len(text):.2f}em"/>'
    if box.kind == "number":
        return f"<mn>{text}</mn>"
    if box.kind == "text":
        return f"<mtext>{text.replace(' ', chr(160))}</mtext>"
    if box.kind == "name":
        return f'<mi mathvariant="normal">{text}</mi>'
    return f"<mi>{text}</mi>" if box.kind == "letter" else f"<mo>{text}</mo>"


def _mathml_script(box: Script) -> str:
    base = _mathml(box.base)
    if isinstance(box.base, Symbol) and box.base.text in "∑∏":
        names = ("munder", "mover", "munderover")
    else:
        names = ("msub", "msup", "msubsup")
    below = "" if box.below is None else _mathml(box.below)
    above = "" if box.above is None else _mathml(box.above)
    name = names[2] if below and above else names[0] if below else names[1]
    return f"<{name}>{base}{below}{above}</{name}>"
