"""Expressions as LaTeX, from the notation of each primitive in `PRIMITIVES`.

Brackets stand only where they are needed; `nndsl.scalar.tidy` first brings an expression into a
form worth reading, and `nndsl.scalar.notation` turns LaTeX into text and MathML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import postorder
from nndsl.scalar.notation import SYMBOLS
from nndsl.scalar.piece import Level, Piece, closed, upright
from nndsl.scalar.primitives import PRIMITIVES
from nndsl.scalar.tidy import as_ratio, tidy

DIGITS = 6
"""Significant digits of a number that has no short name."""

LETTERS = {"lr": r"\eta", "eps": r"\epsilon"}
"""Names that textbooks write as another letter; Greek names and single letters are themselves."""


Names = Mapping[str, Piece]
"""What stands for variables."""

_LEVELS = {"expm1": Level.SUM, "fma": Level.SUM, "exp": Level.POWER, "power_of_two": Level.POWER,
           "copysign": Level.PRODUCT}  # fmt: skip
"""How tightly the notations hold that are not closed by brackets of their own."""


def formula(expression: Expression, names: Names | None = None) -> str:
    """The tidied expression as LaTeX; `names` gives variables another notation."""
    return piece_of(tidy(expression), names)[0]


def piece_of(expression: Expression, names: Names | None = None) -> Piece:
    """The expression as it is, as LaTeX; `names` gives variables another notation.

    The operator `hadamard`, which is no primitive, is the product of tensors number by number.
    """
    made: dict[Expression, Piece] = {}
    for e in postorder([expression]):
        made[e] = _piece(e, made, names or {})
    return made[expression]


def name_latex(name: str) -> str:
    r"""A name as LaTeX: `x`, `\beta_{1}`, `\mathrm{width}`."""
    match = re.fullmatch(r"(?P<stem>[A-Za-z_]*?[A-Za-z])_?(?P<index>\d*)", name)
    stem, index = (match["stem"], match["index"]) if match else (name, "")
    if stem in LETTERS:
        letter = LETTERS[stem]
    elif stem in SYMBOLS:
        letter = f"\\{stem}"
    else:
        letter = stem if len(stem) == 1 else upright(stem)
    return f"{letter}_{{{index}}}" if index else letter


def number_latex(value: float) -> str:
    r"""A number as people write it: `\frac{2}{3}`, `\sqrt{\frac{2}{\pi}}`, `0.9`, `10^{-8}`."""
    if not math.isfinite(value):
        return r"\mathrm{nan}" if math.isnan(value) else r"\infty" if value > 0 else r"-\infty"
    if value < 0:
        return "-" + number_latex(-value)
    named = _named(value)
    if named:
        return named
    shown = f"{value:.{DIGITS}g}"
    if "e" not in shown:
        return shown
    digits, _, exponent = shown.partition("e")
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def _named(value: float) -> str:
    """A number as a fraction, a multiple of pi, a root of such, or a logarithm; "" for others."""
    if len(f"{value:g}") < DIGITS and float(f"{value:g}") == value != 0.5:
        return ""
    root_pi = math.sqrt(math.pi)
    for number, template in (
        (value, "{0}"),
        (value / math.pi, r"{0} \, \pi"),
        (value * root_pi, r"\frac{{{0}}}{{\sqrt{{\pi}}}}"),
        (value**2, r"\sqrt{{{0}}}"),
        (value**2 / math.pi, r"\sqrt{{{0} \, \pi}}"),
        (value**2 * math.pi, r"\sqrt{{\frac{{{0}}}{{\pi}}}}"),
        (math.exp(min(value, 20.0)), r"\log\left({0}\right)"),
    ):
        found = _ratio(number)
        if found:
            return template.format(found).replace(r"1 \, ", "")
    return ""


def _ratio(value: float) -> str:
    """A whole number or a fraction of small ones; "" for other numbers."""
    rounded = round(value)
    if 0 < rounded <= 64 and math.isclose(rounded, value, rel_tol=1e-14):
        return str(rounded)
    above, below = as_ratio(value)
    return "" if below == 1.0 else rf"\frac{{{above:g}}}{{{below:g}}}"


# --- by operator ----------------------------------------------------------------------------


def _piece(e: Expression, made: Mapping[Expression, Piece], names: Names) -> Piece:
    parts = [made[a] for a in e.arguments]
    match e.operator:
        case "variable":
            name = str(e.value)
            return names.get(name) or (name_latex(name), Level.LEAF)
        case "constant":
            return _number_piece(float(e.value or 0.0))
        case "add" | "subtract" | "negate":
            return _sum_piece(e.operator, parts)
        case "multiply":
            # a number in front may have a sign of its own
            loosest = Level.SUM if e.arguments[0].operator == "constant" else Level.PRODUCT
            return _product_piece(closed(parts[0], loosest), closed(parts[1], Level.PRODUCT))
        case "hadamard":
            left, right = (closed(part, Level.PRODUCT) for part in parts)
            return rf"{left} \odot {right}", Level.PRODUCT
        case "divide":
            return rf"\frac{{{parts[0][0]}}}{{{parts[1][0]}}}", Level.FRACTION
        case "power":
            return _power(parts[0], parts[1][0]), Level.POWER
        case "maximum" | "minimum":
            # a bound that is a number comes first: max(0, x)
            ordered = sorted(zip(e.arguments, parts, strict=True), key=_is_not_number)
            inner = ", ".join(text for _, (text, _) in ordered)
            return rf"\{e.operator[:3]}\left({inner}\right)", Level.LEAF
        case "where":
            return _cases(e, made), Level.CONDITION
    return _by_template(e.operator, parts)


def _power(base: Piece, exponent: str) -> str:
    """A power; what is raised already, such as the symbol of a layer, gets brackets."""
    text = closed(base, Level.LEAF)
    is_raised = "^" in text and not text.endswith(r"\right)")
    return rf"\left({text}\right)^{{{exponent}}}" if is_raised else f"{text}^{{{exponent}}}"


def _is_not_number(pair: tuple[Expression, Piece]) -> bool:
    return pair[0].operator != "constant"


def _by_template(operator: str, parts: list[Piece]) -> Piece:
    primitive = PRIMITIVES[operator]
    if primitive.is_condition:
        loosest = Level.LEAF if operator.startswith("logical") else Level.SUM
        texts = [closed(part, loosest) for part in parts]
        return primitive.latex.format(*texts), Level.CONDITION
    in_sum = "+ {" in primitive.latex
    texts = [closed(part, Level.PRODUCT) if in_sum else part[0] for part in parts]
    return primitive.latex.format(*texts), _LEVELS.get(operator, Level.LEAF)


def _number_piece(value: float) -> Piece:
    text = number_latex(value)
    if value < 0:
        return text, Level.SUM
    if r"\cdot" in text or r"\," in text:
        return text, Level.PRODUCT
    if text.startswith(r"\frac"):
        return text, Level.FRACTION
    return text, Level.POWER if "^" in text else Level.LEAF


def _sum_piece(operator: str, parts: list[Piece]) -> Piece:
    if operator == "negate":
        return f"-{closed(parts[0], Level.PRODUCT)}", Level.SUM
    sign = "+" if operator == "add" else "-"
    left = closed(parts[0], Level.SUM)
    loosest = Level.SUM if operator == "add" and parts[1][0][0] != "-" else Level.PRODUCT
    return f"{left} {sign} {closed(parts[1], loosest)}", Level.SUM


def _product_piece(left: str, right: str) -> Piece:
    sign = r"\cdot" if right[0].isdigit() else r"\,"
    return rf"{left} {sign} {right}", Level.SUM if left[0] == "-" else Level.PRODUCT


# --- cases ----------------------------------------------------------------------------------

_COMPLEMENT = {"less_equal": "greater", "greater_equal": "less",
               "less": "greater_equal", "greater": "less_equal"}  # fmt: skip


def _cases(e: Expression, made: Mapping[Expression, Piece]) -> str:
    """The rows of a choice and of the choices in its last branch."""
    rows: list[tuple[Expression, str]] = []
    conditions: list[Expression] = []
    while e.operator == "where":
        condition, chosen, e = e.arguments
        conditions.append(condition)
        rows.append((chosen, rf"\text{{if }} {made[condition][0]}"))
    opposite = _opposite(conditions[0], made) if len(conditions) == 1 else ""
    rows.append((e, rf"\text{{if }} {opposite}" if opposite else r"\text{otherwise}"))
    if opposite and conditions[0].operator.startswith("less"):
        rows.reverse()
    if _is_bounded(conditions):
        rows = [rows[0], (e, _between(conditions, made)), rows[1]]
    body = r" \\ ".join(f"{made[value][0]} & {case}" for value, case in rows)
    return rf"\begin{{cases}} {body} \end{{cases}}"


def _opposite(condition: Expression, made: Mapping[Expression, Piece]) -> str:
    """The condition that holds where a comparison does not; "" for other conditions."""
    if condition.operator not in _COMPLEMENT:
        return ""
    parts = [made[operand] for operand in condition.arguments]
    return _by_template(_COMPLEMENT[condition.operator], parts)[0]


def _is_bounded(conditions: list[Expression]) -> bool:
    """Whether two conditions ask whether one thing is low, and else whether it is high."""
    if [condition.operator for condition in conditions] != ["less_equal", "greater_equal"]:
        return False
    return conditions[0].arguments[0] is conditions[1].arguments[0]


def _between(conditions: list[Expression], made: Mapping[Expression, Piece]) -> str:
    low, thing, high = (made[e][0] for e in (conditions[0].arguments[1], *conditions[1].arguments))
    return rf"\text{{if }} {low} < {thing} < {high}"
