"""Names of the functions of one number in formulas, and what they are."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.lower.result import Part
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.inspection import postorder
from nndsl.scalar.latex import formula
from nndsl.scalar.notation import SYMBOLS
from nndsl.scalar.piece import Level, Piece, upright
from nndsl.scalar.primitives import PRIMITIVES


class Functions:
    """Names of activations: tanh and sigma as everywhere, others by their word."""

    def __init__(self) -> None:
        self.names: dict[Expression, str] = {}
        self.calls: dict[str, int] = {}

    def name(self, part: Part, expression: Expression) -> str:
        """The name of a function of x0, the same for the same function."""
        if expression not in self.names:
            self.names[expression] = self._new(part.word, expression)
        return self.names[expression]

    def _new(self, word: str, expression: Expression) -> str:
        primitive = PRIMITIVES.get(expression.operator)
        if primitive is not None and expression.arguments[0].operator == "variable":
            name, call, inner = primitive.latex.partition(r"\left(")
            if call and name.startswith("\\") and inner == r"{0}\right)":
                return name.replace("{{", "{").replace("}}", "}")
        self.calls[word] = self.calls.get(word, 0) + 1
        index = f"_{{{self.calls[word]}}}" if self.calls[word] > 1 else ""
        return named_function(word) + index


def letter_functions(expressions: Iterable[Expression]) -> Iterable[str]:
    """What the function is that formulas write as sigma; nothing where one of them is it alone."""
    roots = tuple(expressions)
    for e in postorder(roots):
        primitive = PRIMITIVES.get(e.operator)
        if primitive is None or primitive.composition is None:
            continue
        letter = primitive.latex.partition(r"\left(")[0].removeprefix("\\")
        if letter in SYMBOLS:
            if not (e in roots and e.arguments[0].operator == "variable"):
                shown = formula(primitive.composition(variable("u")))
                yield rf"\{letter}\left(u\right) = {shown}"
            return


def named_function(word: str) -> str:
    """A word as the name of a function."""
    return upright(word).replace("mathrm", "operatorname", 1)


def applied(name: str, argument: str) -> Piece:
    """A function of one thing."""
    return rf"{name}\left({argument}\right)", Level.LEAF
