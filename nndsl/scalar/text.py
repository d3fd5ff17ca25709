"""Expressions as text: printed and parsed without loss, and named temporaries for what is shared.

The text is read by people in the IR and parsed again by tests and tools:

```text
where(x0 <= 0, 0, x0)
x0 / (absolute(x0) + 1)
```

Operators, loosest first: comparisons, `+ -`, `* /`, unary `-`, `**`. All else is written as
a call by the primitive's name. Numbers are printed so that they read back to the last bit.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable

from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import postorder, variables
from nndsl.scalar.primitives import PRIMITIVES

_INFIX: dict[str, tuple[int, str, type[ast.AST]]] = {
    "greater": (1, ">", ast.Gt),
    "less": (1, "<", ast.Lt),
    "greater_equal": (1, ">=", ast.GtE),
    "less_equal": (1, "<=", ast.LtE),
    "equal": (1, "==", ast.Eq),
    "not_equal": (1, "!=", ast.NotEq),
    "add": (2, "+", ast.Add),
    "subtract": (2, "-", ast.Sub),
    "multiply": (3, "*", ast.Mult),
    "divide": (3, "/", ast.Div),
    "power": (5, "**", ast.Pow),
}
_BY_SIGN = {made: name for name, (_, _, made) in _INFIX.items()}
_NEGATE_LEVEL = 4
_LEAF_LEVEL = 6


class TextError(ValueError):
    """A text that is no expression, or a line that is no part of a graph."""


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without `.0`."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return "-0.0" if value == 0 and math.copysign(1.0, value) < 0 else str(int(value))
    return repr(value)


def to_text(expression: Expression) -> str:
    """The expression as text; `parse_text` gives the same object back."""
    made: dict[Expression, tuple[str, int]] = {}
    for e in postorder([expression]):
        made[e] = _printed(e, [made[a] for a in e.arguments])
    return made[expression][0]


def _printed(e: Expression, operands: list[tuple[str, int]]) -> tuple[str, int]:
    """The text of one node and how tightly it binds."""
    if e.operator == "variable":
        return str(e.value), _LEAF_LEVEL
    if e.operator == "constant":
        text = number_text(float(e.value))  # type: ignore[arg-type]
        return text, _NEGATE_LEVEL if text.startswith("-") else _LEAF_LEVEL
    if e.operator == "negate":
        # brackets keep -(2) apart from the constant -2
        is_number = e.arguments[0].operator == "constant"
        return "-" + _bracketed(operands[0], _LEAF_LEVEL + is_number), _NEGATE_LEVEL
    if e.operator not in _INFIX:
        return f"{e.operator}({', '.join(text for text, _ in operands)})", _LEAF_LEVEL
    level, sign, _ = _INFIX[e.operator]
    loosest_left = level if e.operator in ("add", "subtract", "multiply", "divide") else level + 1
    left = _bracketed(operands[0], loosest_left)
    right = _bracketed(operands[1], level + 1)
    return f"{left} {sign} {right}", level


def _bracketed(operand: tuple[str, int], loosest: int) -> str:
    text, level = operand
    return text if level >= loosest else f"({text})"


def parse_text(text: str) -> Expression:
    """The expression that `to_text` printed, not simplified further. `TextError` if it is none.

    What is printed is an expression of Python too, so Python's own parser reads it.
    """
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError as error:
        raise TextError(f"not an expression: {text!r}") from error


def _read(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(int() | float() as number):
            return Expression("constant", (), float(number))
        case ast.Name("inf" | "nan" as number):
            return Expression("constant", (), float(number))
        case ast.Name() | ast.Attribute():
            return Expression("variable", (), ast.unparse(node))
        case ast.UnaryOp(ast.USub(), operand):
            inner = _read(operand)
            if inner.operator == "constant" and operand.col_offset == node.col_offset + 1:
                return Expression("constant", (), -float(str(inner.value)))  # no bracket between
            return Expression("negate", (inner,))
        case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]):
            name, operands = _BY_SIGN.get(type(sign), ""), [left, right]
        case ast.Call(ast.Name(name), operands, []):
            pass
        case _:
            raise TextError(f"no expression: {ast.unparse(node)}")
    if name not in PRIMITIVES or PRIMITIVES[name].arity != len(operands):
        raise TextError(f"no such function: {ast.unparse(node)}")
    return Expression(name, tuple(_read(operand) for operand in operands))


@dataclass(frozen=True)
class Lets:
    """Straight-line form: temporaries in order, then the results, which may read them."""

    temporaries: tuple[tuple[str, Expression], ...]
    results: tuple[Expression, ...]


def let_form(expressions: Iterable[Expression], prefix: str = "t") -> Lets:
    """Name every subexpression that is used twice, so that printed text computes nothing twice.

    A use by a primitive whose kernel text reads the operand several times counts so often.
    Temporaries are called `t0`, `t1`, ... leaving out names that are variables already.
    """
    roots = tuple(expressions)
    uses = _uses(roots)
    taken = set(variables(*roots))
    temporaries: list[tuple[str, Expression]] = []
    made: dict[Expression, Expression] = {}
    number = 0
    for e in postorder(roots):
        operands = tuple(made[a] for a in e.arguments)
        made[e] = e if operands == e.arguments else Expression(e.operator, operands)
        if e.arguments and uses[e] > 1:
            while f"{prefix}{number}" in taken:
                number += 1
            name = f"{prefix}{number}"
            number += 1
            temporaries.append((name, made[e]))
            made[e] = Expression("variable", (), name)
    return Lets(tuple(temporaries), tuple(made[root] for root in roots))


def _uses(roots: tuple[Expression, ...]) -> dict[Expression, int]:
    uses: dict[Expression, int] = {}
    for root in roots:
        uses[root] = uses.get(root, 0) + 1
    for e in postorder(roots):
        for index, operand in enumerate(e.arguments):
            times = PRIMITIVES[e.operator].python.count(f"{{{index}}}")
            uses[operand] = uses.get(operand, 0) + times
    return uses
