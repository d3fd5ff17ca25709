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

import math
import re
from collections.abc import Iterable

from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import postorder, variables
from nndsl.scalar.primitives import PRIMITIVES

_INFIX = {
    "greater": (1, ">"),
    "less": (1, "<"),
    "greater_equal": (1, ">="),
    "less_equal": (1, "<="),
    "equal": (1, "=="),
    "not_equal": (1, "!="),
    "add": (2, "+"),
    "subtract": (2, "-"),
    "multiply": (3, "*"),
    "divide": (3, "/"),
    "power": (5, "**"),
}
_BY_SIGN = {sign: (level, name) for name, (level, sign) in _INFIX.items()}
_NEGATE_LEVEL = 4
_LEAF_LEVEL = 6
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>\*\*|[<>=!]=|[-+*/<>(),]))"
)


class TextError(ValueError):
    """A text that is no expression; says at which character."""


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
    level, sign = _INFIX[e.operator]
    loosest_left = level if e.operator in ("add", "subtract", "multiply", "divide") else level + 1
    left = _bracketed(operands[0], loosest_left)
    right = _bracketed(operands[1], level + 1)
    return f"{left} {sign} {right}", level


def _bracketed(operand: tuple[str, int], loosest: int) -> str:
    text, level = operand
    return text if level >= loosest else f"({text})"


def parse_text(text: str) -> Expression:
    """The expression that `to_text` printed, not simplified further. `TextError` if it is none."""
    parser = _Parser(text)
    expression = parser.expression(1)
    parser.expect("")
    return expression


class _Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise TextError(f"not an expression at character {position}: {text!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup], position))
            position = match.end()
        self.tokens.append(("end", "", position))
        self.index = 0

    def next(self) -> tuple[str, str, int]:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.index][1]

    def expect(self, sign: str) -> None:
        _, found, position = self.tokens[self.index]
        if found != sign:
            wanted = f"`{sign}`" if sign else "the end"
            raise TextError(f"expected {wanted} at character {position}: {self.text!r}")
        self.index += 1

    def expression(self, loosest: int) -> Expression:
        left = self.unary()
        while self.peek() in _BY_SIGN and _BY_SIGN[self.peek()][0] >= loosest:
            level, name = _BY_SIGN[self.next()[1]]
            left = Expression(name, (left, self.expression(level + 1)))
        return left

    def unary(self) -> Expression:
        if self.peek() != "-":
            return self.leaf()
        self.next()
        kind, text, _ = self.tokens[self.index]
        if kind == "number" or text in ("inf", "nan"):
            self.next()
            return Expression("constant", (), -float(text))
        return Expression("negate", (self.leaf(),))

    def leaf(self) -> Expression:
        kind, text, position = self.next()
        if kind == "number" or text in ("inf", "nan"):
            return Expression("constant", (), float(text))
        if text == "(":
            inner = self.expression(1)
            self.expect(")")
            return inner
        if kind != "name":
            raise TextError(f"expected an operand at character {position}: {self.text!r}")
        if self.peek() != "(":
            return Expression("variable", (), text)
        return self.call(text, position)

    def call(self, name: str, position: int) -> Expression:
        self.expect("(")
        operands = [self.expression(1)]
        while self.peek() == ",":
            self.next()
            operands.append(self.expression(1))
        self.expect(")")
        primitive = PRIMITIVES.get(name)
        if primitive is None or primitive.arity != len(operands):
            raise TextError(f"no such function at character {position}: {self.text!r}")
        return Expression(name, tuple(operands))


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
