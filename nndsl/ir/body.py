"""A graph as an option of an operation: the steps that a loop repeats."""

from __future__ import annotations

from nndsl.ir.graph import Graph


class Body:
    """A graph that is not changed any more; equal to another one that prints the same."""

    __slots__ = ("_text", "graph")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The graph as text, without the places of the source."""
        if self._text is None:
            from nndsl.ir.text import print_graph  # only where there are loops

            self._text = print_graph(self.graph, comments=False)
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and (self is other or self.text == other.text)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Body({self.text!r})"

    def __str__(self) -> str:
        return self.text
