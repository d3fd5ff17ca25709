"""Values of a graph as formulas, given symbols for some of them."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.ir.graph import Node, Value
from nndsl.ops.base import operation_of
from nndsl.ops.map import Map, by_elements
from nndsl.ops.shapes import known
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.inspection import substitute
from nndsl.scalar.latex import piece_of
from nndsl.scalar.piece import Piece
from nndsl.scalar.tidy import tidy


@dataclass(frozen=True)
class Equation:
    """One line: the formula, the spaces its symbols live in, and a few words."""

    latex: str
    where: str = ""
    note: str = ""


class Writer:
    """Writes values as formulas: by their symbol where they have one, maps of maps as one."""

    def __init__(self, symbols: Mapping[Value, Piece], makers: Mapping[Value, Node]) -> None:
        self.symbols = symbols
        self.makers = makers

    def piece(self, value: Value) -> Piece:
        """The symbol of a value, or its formula where it has none."""
        return self.symbols[value] if value in self.symbols else self.formula(value)

    def formula(self, value: Value) -> Piece:
        """A value in terms of the symbols of others."""
        node = self.makers[value]
        if not isinstance(node.operation, Map):
            parts = [self.piece(v) for v in node.inputs]
            found = operation_of(node).latex(parts, [v.type for v in node.inputs])
            return found[node.outputs.index(value)]
        leaves: dict[Value, str] = {}
        expression = tidy(self._expression(node, value, leaves))
        names = {name: self.piece(v) for v, name in leaves.items()}
        tensors = {name for v, name in leaves.items() if known(v.type.shape) > 1}
        return piece_of(by_elements(expression, tensors), names)

    def _expression(self, node: Node, value: Value, leaves: dict[Value, str]) -> Expression:
        """A map's result as one expression over `leaves`, which are named as they are met."""
        assert isinstance(node.operation, Map)
        operands = {}
        for index, read in enumerate(node.inputs):
            maker = self.makers.get(read)
            if read in self.symbols or maker is None or not isinstance(maker.operation, Map):
                operands[f"x{index}"] = variable(leaves.setdefault(read, f"v{len(leaves)}"))
            else:
                operands[f"x{index}"] = self._expression(maker, read, leaves)
        return substitute(node.operation.expressions[node.outputs.index(value)], operands)
