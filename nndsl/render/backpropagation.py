r"""Back-propagation through a network as equations: the lectures' deltas.

`\delta^{(l)}` is the derivative of the loss by `z^{(l)}`. Derivatives of the loss by what it reads
come from the compiler's own differentiation of the loss; from there on every node hands its share
to its operands, as the chain rule says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

from nndsl.ir.graph import Graph, Input, Node, Role, Value
from nndsl.ir.types import BATCH
from nndsl.ops.base import operation_of
from nndsl.ops.convolution import Convolution
from nndsl.ops.map import Map, by_elements
from nndsl.ops.matmul import MatMul, transposed
from nndsl.ops.movement import Concat
from nndsl.ops.reduction import Move, Reduce
from nndsl.ops.shapes import known
from nndsl.ops.source import Constant, SizeOf
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.passes.join import Join
from nndsl.passes.pipeline import CLEANING, run
from nndsl.passes.simplify import Simplify
from nndsl.render.equations import Notation, Step, bracketed
from nndsl.render.functions import applied, named_function
from nndsl.render.recurrences import ThroughTime, derivative
from nndsl.render.writer import Equation, Writer
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.expression import ONE, ZERO, Expression, variable
from nndsl.scalar.inspection import substitute, variables
from nndsl.scalar.latex import piece_of
from nndsl.scalar.piece import Level, Piece, closed
from nndsl.scalar.tidy import tidy

UPSTREAM = "u"


class LossEquations:
    """The loss of one example in symbols, and its derivatives by what it reads.

    The nodes of the loss become a graph of their own whose inputs are the predictions; the number
    of rows is 1, so that means over the batch disappear.
    """

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        graph = notation.graph
        nodes = [n for n in graph.nodes if not notation.of_loss.isdisjoint(n.outputs)]
        made = {v for n in nodes for v in n.outputs}
        read = dict.fromkeys(v for n in nodes for v in n.inputs if v not in made)
        roles = {i.value: i.role for i in graph.inputs.values()}
        self.predictions = [v for v in read if v in notation.symbols and v not in roles]
        inputs = {v.name: Input(v, roles.get(v, Role.PARAMETER)) for v in read}
        alone = Graph(inputs, nodes, {"data_loss": graph.outputs["data_loss"]})
        self.is_mean = _is_mean_over_rows(alone)
        self.graph = run(_of_one_row(alone), (Simplify(), Join(), *CLEANING))
        differentiated = run(self.graph, (Differentiate("data_loss"), *CLEANING))
        self.gradients = {v: differentiated.outputs[PREFIX + v.name] for v in self.predictions}
        makers = {**self.graph.producers(), **differentiated.producers()}
        self.writer = Writer(notation.symbols, makers)

    def loss(self) -> str:
        """The loss of one example."""
        return self.notation.replaced(self.writer.piece(self.graph.outputs["data_loss"])[0])

    def slopes(self) -> dict[Value, Piece]:
        """The derivative of the loss by each tensor that it reads."""
        found = {v: self.writer.piece(g) for v, g in self.gradients.items()}
        return {v: (self.notation.replaced(text), level) for v, (text, level) in found.items()}


def _of_one_row(graph: Graph) -> Graph:
    """The graph with every number of rows written as 1."""
    nodes = []
    for node in graph.nodes:
        if node.operation == SizeOf(BATCH):
            one = Constant((1.0,), (), node.outputs[0].type.element)
            node = Node(one, (), node.outputs, node.span, node.label)
        nodes.append(node)
    return Graph(dict(graph.inputs), nodes, dict(graph.outputs))


def _is_mean_over_rows(graph: Graph) -> bool:
    """Whether the loss of a batch is the mean of those of its rows: linear in all sums over the
    rows, which are divided by their number.
    """
    found: dict[Value, Expression] = {}
    totals: list[str] = []
    for node in graph.nodes:
        value, op = node.outputs[0], node.operation
        if value.type.shape[:1] == (BATCH,):
            continue
        if op == SizeOf(BATCH):
            found[value] = variable("N")
        elif any(v.type.shape[:1] == (BATCH,) for v in node.inputs):
            totals.append(f"v{len(totals)}")
            found[value] = variable(totals[-1])
        elif isinstance(op, Map) and found.keys() >= set(node.inputs):
            operands = {f"x{index}": found[v] for index, v in enumerate(node.inputs)}
            found[value] = substitute(op.expressions[0], operands)
        elif isinstance(op, Reduce | Move) and node.inputs[0] in found:
            found[value] = found[node.inputs[0]]
    loss = found.get(graph.outputs["data_loss"])
    return loss is not None and not any(
        variables(tidy(differentiate(loss, total) * variable("N"))) for total in totals
    )


class Backward:
    """Collects derivatives of the loss E, from the last stage to the first."""

    def __init__(self, notation: Notation, slopes: Mapping[Value, Piece]) -> None:
        self.notation = notation
        self.shares: dict[Value, list[Piece]] = {v: [p] for v, p in slopes.items()}
        trained = [i.value for i in notation.graph.of_role(Role.PARAMETER) if i.trainable]
        self.active = set(trained)
        self.trained = trained
        for step in notation.steps:
            for node in step.nodes:
                if any(v in self.active for v in node.inputs):
                    self.active.update(node.outputs)

    def recursion(self) -> Iterable[Equation]:
        """The deltas, and the derivatives that are read more than once."""
        for step in reversed(self.notation.steps):
            for node in reversed(step.nodes):
                yield from self._visit(step, node)

    def gradients(self) -> Iterable[Equation]:
        """The derivatives of the loss by the weights; after `recursion`."""
        for value in self.trained:
            if value in self.shares:
                left = derivative(self.notation.symbols[value][0])
                yield Equation(f"{left} = {self._total(value)[0]}")

    def _visit(self, step: Step, node: Node) -> Iterable[Equation]:
        value = next((v for v in node.outputs if v in self.shares and v in self.active), None)
        if value is None:
            return
        unfolding = self.notation.unfoldings.get(node)
        if unfolding is not None:
            upstream_of = {v: self._total(v) for v in node.outputs if v in self.shares}
            through_time = ThroughTime(unfolding, upstream_of)
            yield from through_time.equations()
            for operand, share in through_time.shares(self.notation.piece).items():
                if operand in self.active:
                    self.shares.setdefault(operand, []).append(share)
            return
        upstream = self._total(value)
        receivers = [v for v in node.inputs if v in self.active]
        letter = self.notation.stems.get(value, ("", ""))[0]
        if letter == "z" or (len(receivers) > 1 and upstream[1] < Level.POWER):
            symbol = self._symbol(value)
            space = self.notation.space_of(value)
            yield Equation(f"{symbol} = {upstream[0]}", rf"{symbol} \in {space}")
            upstream = (symbol, Level.LEAF)
        for index, receiver in enumerate(node.inputs):
            if receiver in self.active:
                share = self._share(step, node, index, upstream)
                self.shares.setdefault(receiver, []).append(share)

    def _total(self, value: Value) -> Piece:
        shares = self.shares[value]
        if len(shares) == 1:
            return shares[0]
        return " + ".join(closed(share, Level.PRODUCT) for share in shares), Level.SUM

    def _symbol(self, value: Value) -> str:
        letter, layer = self.notation.stems.get(value, ("", ""))
        if letter == "z":
            return rf"\delta^{{({layer})}}"
        if value in self.notation.symbols:
            return derivative(self.notation.symbols[value][0])
        return derivative(rf"\left({self.notation.piece(value)[0]}\right)")

    def _share(self, step: Step, node: Node, index: int, upstream: Piece) -> Piece:
        """What operand `index` gets of the derivative by the node's result."""
        op = node.operation
        if isinstance(op, MatMul):
            return self._of_product(node, op, index, upstream)
        if isinstance(op, Map) and len(op.expressions) == 1:
            return self._of_map(step, node, op.expressions[0], index, upstream)
        if isinstance(op, Convolution):
            return self._of_convolution(node, index, upstream)
        types = [v.type for v in node.inputs]
        is_unseen = isinstance(op, Move) and op.latex([upstream], types) == [upstream]
        if is_unseen or (isinstance(op, Reduce) and op.kind == "sum"):
            return upstream
        if isinstance(op, Concat):
            sizes = [v.type.shape[-1] for v in node.inputs]
            ends = [0, *accumulate(s if isinstance(s, int) else 0 for s in sizes)]
            place = rf"{ends[index] + 1} \ldots {ends[index + 1]}"
            return rf"\left[{upstream[0]}\right]_{{{place}}}", Level.LEAF
        name = named_function(operation_of(node).name)
        matrix = applied(f"{name}'", self.notation.piece(node.inputs[index])[0])
        return rf"{transposed(matrix)[0]} \, {closed(upstream, Level.FRACTION)}", Level.PRODUCT

    def _of_product(self, node: Node, op: MatMul, index: int, upstream: Piece) -> Piece:
        other = self.notation.piece(node.inputs[1 - index])
        if op.transpose_a or op.transpose_b:
            inner = rf"{bracketed(upstream)} ,\, {bracketed(other)}"
            return applied(named_function("matmul"), inner)
        factor = closed(upstream, Level.FRACTION)
        if index == 0:
            return rf"{transposed(other)[0]} \, {factor}", Level.PRODUCT
        return rf"{factor} \, {transposed(other)[0]}", Level.PRODUCT

    def _of_convolution(self, node: Node, index: int, upstream: Piece) -> Piece:
        """The weights' transposition with what comes back; that with the image."""
        other = self.notation.piece(node.inputs[1 - index])
        factor = closed(upstream, Level.FRACTION)
        if index == 0:
            return rf"{transposed(other)[0]} \ast {factor}", Level.PRODUCT
        return rf"{factor} \ast {closed(other, Level.FRACTION)}", Level.PRODUCT

    def _of_map(
        self, step: Step, node: Node, expression: Expression, index: int, upstream: Piece
    ) -> Piece:
        if self.notation.is_activation(step):
            slope = applied(f"{self.notation.function(step)}'",
                            self.notation.piece(node.inputs[0])[0])  # fmt: skip
            return rf"{closed(upstream, Level.FRACTION)} \odot {slope[0]}", Level.PRODUCT
        found = tidy(differentiate(expression, f"x{index}"))
        tensors = {f"x{i}" for i, v in enumerate(node.inputs) if known(v.type.shape) > 1}
        together = tidy(variable(UPSTREAM) * found) if found is not ONE else variable(UPSTREAM)
        if found is ZERO:
            return "0", Level.LEAF
        if found.operator != "constant":  # a product of matrices is one factor of it
            upstream = closed(upstream, Level.FRACTION), Level.LEAF
        names = {f"x{i}": self.notation.piece(v) for i, v in enumerate(node.inputs)}
        marked = by_elements(together, tensors | {UPSTREAM})
        piece = piece_of(marked, {**names, UPSTREAM: upstream})
        result, operand = node.outputs[0].type.shape, node.inputs[index].type.shape
        if known(result) > known(operand):
            return rf"\sum \, {bracketed(piece)}", Level.PRODUCT
        return piece


def general_recursion(notation: Notation) -> Iterable[Equation]:
    """The recursion for any layer l, where the network is a plain chain with one activation."""
    steps = [s for s in notation.steps if s.part is not None]
    if len(steps) < len(notation.steps) or len(notation.layers) < 2:
        return
    *hidden, _ = [s for s in steps if notation.stems.get(s.results[-1], ("", ""))[0] == "z"]
    others = [s for s in steps if notation.stems.get(s.results[-1], ("", ""))[0] != "z"]
    between = others[: len(hidden)]
    letters = [notation.stems.get(s.results[-1], ("h", ""))[0] for s in steps]
    before_last = [*(["z", "a"] * len(hidden)), "z"]
    is_chain = letters[: len(before_last)] == before_last
    if not is_chain or not all(map(notation.is_activation, between)):
        return
    names = {notation.function(step) for step in between}
    function = names.pop() if len(names) == 1 else "f_{l}"
    spread = r"{W^{(l+1)}}^{\top} \, \delta^{(l+1)}"
    slope = applied(f"{function}'", "z^{(l)}")[0]
    yield Equation(
        rf"\delta^{{(l)}} = \left({spread}\right) \odot {slope}",
        note=f"l = {', '.join(str(n) for n in range(len(hidden), 0, -1))}",
    )
    yield Equation(
        rf"{derivative('W^{(l)}')} = \delta^{{(l)}} \, {{a^{{(l-1)}}}}^{{\top}} ,\quad "
        rf"{derivative('b^{(l)}')} = \delta^{{(l)}}",
        note="where a⁽⁰⁾ is the input",
    )
