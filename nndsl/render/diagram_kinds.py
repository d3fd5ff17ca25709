"""The kinds of stages and their colours; a kind follows from what a stage's operations are.

The tints are those of Okabe and Ito's palette, which eyes with any colour blindness tell apart;
in grey print the words in the boxes and the line styles say the same.
Source: Okabe & Ito 2008, Color Universal Design.
"""

from __future__ import annotations

from nndsl.ir.graph import Node, Role
from nndsl.lower.result import Network, Part
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.matmul import MatMul
from nndsl.ops.pooling import MaxPool
from nndsl.records import dataclass
from nndsl.render.diagram_cost import numbers_of
from nndsl.vocab.registry import words


@dataclass(frozen=True)
class Colors:
    """Inside and outline of a box, on white paper and on a dark screen."""

    fill: str
    line: str
    dark_fill: str
    dark_line: str
    style: str = "solid"


KINDS = {
    "input": Colors("#eceff3", "#8793a0", "#2b323b", "#8593a3"),
    "dense": Colors("#ffebc4", "#cf8f1d", "#4a3812", "#d9a441"),
    "convolution": Colors("#d6ebfa", "#3187bf", "#143a55", "#56a9dc"),
    "recurrence": Colors("#d2f0e4", "#109069", "#10402f", "#37b98c"),
    "memory": Colors("#eefaf5", "#109069", "#0d2f26", "#37b98c", "dashed"),
    "attention": Colors("#f5deeb", "#b75a91", "#4b2039", "#d184b0"),
    "lookup": Colors("#faf5bf", "#a2961b", "#403b0d", "#cbbd3d"),
    "normalisation": Colors("#dcedf0", "#5390a0", "#1d363d", "#74b3c2"),
    "pooling": Colors("#fbe0d3", "#c7602a", "#4c2413", "#e08a58"),
    "activation": Colors("#e6f0dc", "#6f9350", "#2b3a1f", "#8fb56d"),
    "random": Colors("#f3e6dc", "#a3785a", "#3d2c20", "#c39a7d"),
    "join": Colors("#e3e6f6", "#6270b0", "#262c4d", "#8f9ce0"),
    "training": Colors("#fafbfc", "#a6b0ba", "#20262d", "#6f7b88", "dashed"),
    "other": Colors("#f2f4f6", "#98a3ae", "#282e36", "#7c8896"),
}
"""Colours by kind; "training" is what a row passes unchanged once training is over."""

FOLLOWERS = ("activation", "normalisation", "training")
"""Kinds that may stand in the box of the stage before them."""

LEADERS = ("dense", "convolution", "recurrence", "attention", "lookup", "normalisation",
           "pooling", "activation", "training", "random")  # fmt: skip
"""Kinds whose box takes followers in."""


def kind_of(part: Part, nodes: list[Node], network: Network) -> str:
    """The kind of a stage, from the operations that it is made of."""
    if part.word in words("activation"):
        return "activation"
    if not nodes:  # a later part of a split is made by the nodes of the first one
        return "training" if part.output in part.inputs else "other"
    fusions = {operation_of(node).fusion for node in nodes}
    if Fusion.OPAQUE in fusions:
        return "recurrence"
    if Fusion.CONTRACTION in fusions:
        return _contraction(nodes, network)
    if part.parameters:
        return "lookup" if Fusion.GATHER in fusions else "normalisation"
    if any(isinstance(node.operation, MaxPool) for node in nodes):
        return "pooling"  # whatever the stride
    return _without_weights(part, fusions)


def _contraction(nodes: list[Node], network: Network) -> str:
    """Products: with weights (dense, or slid along an axis), or of two tensors."""
    products = [node for node in nodes if operation_of(node).fusion is Fusion.CONTRACTION]
    learnt = {i.value for i in network.graph.of_role(Role.PARAMETER)}
    if not all(learnt.intersection(node.inputs) for node in products):
        return "attention"
    plain = all(isinstance(node.operation, MatMul) for node in products)
    return "dense" if plain else "convolution"


def _without_weights(part: Part, fusions: set[Fusion]) -> str:
    if Fusion.RANDOM in fusions:
        return "random"
    before = sum(map(numbers_of, part.inputs))
    if fusions <= {Fusion.MOVE}:
        return "join" if len(part.inputs) > 1 else "other"
    if 0 < numbers_of(part.output) < before:
        return "pooling"
    return "activation" if Fusion.ROW in fusions else "other"
