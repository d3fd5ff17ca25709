"""Passes over the bodies of scans: what need not be done step by step is done once, for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import reduce
from operator import add

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Input, Node, Role, Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.ops.base import Fusion, Op, operation_of
from nndsl.ops.compose import add_sum
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Transpose
from nndsl.ops.scan import Scan
from nndsl.ops.scan_parts import ScanParts
from nndsl.ops.source import Random
from nndsl.passes.cse import CommonSubexpressions
from nndsl.passes.dce import DeadCode
from nndsl.passes.fold import Fold
from nndsl.passes.fuse import FuseEpilogues, FuseMaps
from nndsl.passes.rewriting import Rewriter
from nndsl.passes.simplify import Simplify
from nndsl.records import dataclass

Change = Callable[[Builder, Node], Sequence[Value | None]]
"""Adds what replaces a scan, and gives the new results; None for those that nobody reads."""


@dataclass(frozen=True)
class LiftFromScans:
    """Take out of the steps what does not depend on the step before.

    What reads constants only is computed once. A product of a sequence with a weight becomes one
    product for all steps together, with the formulas before it; so does noise, which each step has
    of its own. Nothing else is taken out: what lies between would have to be remembered.
    """

    name = "lift-from-scans"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with smaller bodies; sums of products may be taken in another order."""
        read = {*graph.users(), *graph.results()}

        def lifted(build: Builder, node: Node) -> Sequence[Value | None]:
            return _Lifting(build, _with_early_sums(node), read).results()

        return _each_scan(graph, lifted)


@dataclass(frozen=True)
class TrimScans:
    """Take out of scans what nobody reads: kept values, nodes, operands."""

    name = "trim-scans"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with smaller scans; results are bit-equal."""
        users, results = graph.users(), set(graph.results())

        def trimmed(build: Builder, node: Node) -> Sequence[Value | None]:
            parts = _Parts(node)
            kept = [v in results or v in users for v in node.outputs[len(parts.states) :]]
            return parts.remade(
                build, [v for v, read in zip(parts.kept, kept, strict=True) if read]
            )

        return _each_scan(graph, trimmed)


@dataclass(frozen=True)
class InsideScans:
    """The passes that clean and fuse, within the body of every scan; scans may stand there too."""

    name = "inside-scans"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with faster bodies; the same rounding as those passes."""

        def cleaned(build: Builder, node: Node) -> Sequence[Value | None]:
            scan = node.operation
            assert isinstance(scan, Scan)
            body = _upright(Simplify()(scan.body.graph), scan.sequences + scan.states)
            for step in WITHIN:
                body = step(body)
            changed = replace(scan, body=Body(body))
            return build.add_all(changed, *node.inputs, name=node.outputs[0].name)

        return _each_scan(graph, cleaned)


WITHIN = (Fold(), CommonSubexpressions(), DeadCode(), TrimScans(), InsideScans(), LiftFromScans(),
          FuseMaps(), FuseEpilogues())  # fmt: skip


def _upright(body: Graph, moving: int) -> Graph:
    """The body with its fixed matrices transposed by nodes of their own, which leave the steps.

    A product that reads a matrix transposed copies it at every step. The first `moving` inputs are
    not fixed.
    """
    rewriter = Rewriter(body)
    fixed = {entry.value for entry in list(body.inputs.values())[moving:]}
    for old in body.nodes:
        node = rewriter.adopt(old)
        product, inputs = node.operation, node.inputs
        if isinstance(product, MatMul) and product.transpose_b and inputs[1] in fixed:
            matrix = rewriter.build.add(Transpose((1, 0)), inputs[1], name="upright")
            plain = MatMul(product.transpose_a)
            made = rewriter.build.add(plain, inputs[0], matrix, name=node.outputs[0].name)
            rewriter.replace(node.outputs, [made])
            continue
        if not _is_noise(node) and all(v in fixed for v in inputs):
            fixed.update(node.outputs)
        rewriter.keep(node)
    return rewriter.finish()


def _each_scan(graph: Graph, change: Change) -> Graph:
    """The graph with every scan replaced by what `change` makes of it."""
    if not any(isinstance(node.operation, Scan) for node in graph.nodes):
        return graph
    rewriter = Rewriter(graph)
    for old in graph.nodes:
        node = rewriter.adopt(old)
        if not isinstance(node.operation, Scan):
            rewriter.keep(node)
            continue
        made = change(rewriter.build, node)
        pairs = [(a, b) for a, b in zip(node.outputs, made, strict=True) if b is not None]
        rewriter.replace([a for a, _ in pairs], [b for _, b in pairs])
    return rewriter.finish()


class _Parts(ScanParts):
    """A scan of which another is made; `nodes` are those that stay in its body."""

    scan: Scan

    def __init__(self, node: Node) -> None:
        assert isinstance(node.operation, Scan)
        super().__init__(node, node.operation)
        self.nodes = list(self.body.nodes)

    def remade(self, build: Builder, kept: Sequence[Value]) -> list[Value | None]:
        """A scan of what these parts now are that keeps only `kept`; its results, as the old one's.

        What is kept of a sequence is the sequence itself. Operands that no step reads are left out.
        """
        inside = [v for v in dict.fromkeys(kept) if v not in self.sequences]
        results = [*self.next, *inside]
        body = Graph({}, self.nodes, {f"result.{n}": v for n, v in enumerate(results)})
        body = DeadCode()(body)
        read = {v for node in body.nodes for v in node.inputs} | set(results)
        sequences = [v for v in self.sequences if v in read]
        if not self.scan.times:
            sequences = sequences or self.sequences[:1]
        constants = [v for v in self.constants if v in read]
        inputs = [*sequences, *self.states, *constants]
        body.inputs = {v.name: Input(v, Role.DATA) for v in inputs}
        scan = replace(self.scan, body=Body(body), sequences=len(sequences))
        operands = (self.given[v] for v in inputs)
        made = build.add_all(scan, *operands, name=self.node.outputs[0].name)
        last, over_time = made[: len(self.states)], made[len(self.states) :]
        found = {v: self.given[v] for v in self.sequences}
        found |= dict(zip(inside, over_time, strict=True))
        return [*last, *(found.get(v) if v in set(kept) else None for v in self.kept)]


class _Lifting:
    """What of one scan is done outside."""

    def __init__(self, build: Builder, node: Node, read: AbstractSet[Value]) -> None:
        self.build, self.parts = build, _Parts(node)
        self.read = read  # values that somebody reads beside the steps
        self.steps: Dimension = self.parts.scan.steps([v.type for v in node.inputs])

    def results(self) -> list[Value | None]:
        """The new results."""
        parts = self.parts
        lifted = self._chosen()
        for node in lifted:
            inputs = [parts.given[v] for v in node.inputs]
            self.build.label, self.build.span = node.label, node.span
            is_fixed = all(v in parts.constants for v in node.inputs) and not _is_noise(node)
            operation = operation_of(node) if is_fixed else self._of_all_steps(node)
            made = self.build.add_all(operation, *inputs, name=node.outputs[0].name)
            parts.given.update(zip(node.outputs, made, strict=True))
            (parts.constants if is_fixed else parts.sequences).extend(node.outputs)
        gone = set(lifted)
        parts.nodes = [n for n in parts.nodes if n not in gone]
        self.build.label, self.build.span = parts.node.label, parts.node.span
        return parts.remade(self.build, parts.kept)

    def _chosen(self) -> list[Node]:
        """The nodes to take out, in order."""
        fixed, steady = set(self.parts.constants), set(self.parts.sequences)
        able: list[Node] = []
        wanted: set[Node] = set()
        for node in self.parts.nodes:
            if not _is_noise(node) and all(v in fixed for v in node.inputs):
                fixed.update(node.outputs)
                wanted.add(node)
            elif _may_go(node, fixed, steady):
                steady.update(node.outputs)
                able.append(node)
        read: set[Value] = set()
        for node in reversed(able):
            if isinstance(node.operation, (MatMul, Random)) or read & set(node.outputs):
                wanted.add(node)
                read.update(node.inputs)
        wanted.update(self._following(able, wanted))
        return [node for node in self.parts.nodes if node in wanted]

    def _following(self, able: Sequence[Node], wanted: AbstractSet[Node]) -> set[Node]:
        """Formulas of nothing but lifted products, which need not be remembered then."""
        users, outputs = self.parts.body.users(), self.parts.body.outputs.values()
        kept = zip(outputs, self.parts.node.outputs, strict=True)
        read = {inner for inner, outer in kept if inner in self.parts.next or outer in self.read}
        products = {v for n in wanted if isinstance(n.operation, MatMul) for v in n.outputs}
        alone = {v for v in products - read if len(users.get(v, ())) == 1}

        def follows(node: Node) -> bool:
            moving = [v for v in node.inputs if v.type.shape[:1] == (BATCH,)]
            return bool(moving) and all(v in alone for v in moving)

        return {node for node in able if node not in wanted and follows(node)}

    def _of_all_steps(self, node: Node) -> Op:
        operation = operation_of(node)
        if isinstance(operation, Random):
            shape = (BATCH, self.steps, *operation.shape[1:])
            return replace(operation, shape=shape)
        return operation


def _may_go(node: Node, fixed: set[Value], steady: set[Value]) -> bool:
    """Whether a node means the same for all steps at once, as far as it reads steady values."""
    if not all(v in fixed or v in steady for v in node.inputs):
        return False
    operation = node.operation
    if isinstance(operation, MatMul):
        return not operation.transpose_a and node.inputs[1] in fixed
    if isinstance(operation, Map):
        rank = node.outputs[0].type.rank
        return all(v in steady or v.type.rank < rank for v in node.inputs) and _has_rows(node)
    return _is_noise(node) and _has_rows(node)


def _with_early_sums(node: Node) -> Node:
    """The scan in whose body products that can be lifted are added up first, and biases to them."""
    assert isinstance(node.operation, Scan)
    parts = ScanParts(node, node.operation)
    fixed, steady = set(parts.constants), set(parts.sequences)
    products: set[Value] = set()
    rewriter = Rewriter(parts.body)
    for old in parts.body.nodes:
        inner = rewriter.adopt(old)
        if not _is_noise(inner) and all(v in fixed for v in inner.inputs):
            fixed.update(inner.outputs)
        elif _may_go(inner, fixed, steady):
            steady.update(inner.outputs)
            products.update(inner.outputs if isinstance(inner.operation, MatMul) else ())
        elif _is_sum(inner):
            early = [v for v in inner.inputs if v in products or (v in fixed and v.type.rank < 2)]
            if len(early) > 1 and products & set(early):
                late = [v for v in inner.inputs if v not in early]
                total = add_sum(rewriter.build, [add_sum(rewriter.build, early), *late])
                rewriter.replace(inner.outputs, [total])
                continue
        rewriter.keep(inner)
    scan = replace(node.operation, body=Body(rewriter.finish()))
    return Node(scan, node.inputs, node.outputs, node.span, node.label)


def _is_sum(node: Node) -> bool:
    """Whether a formula adds different operands, and does nothing else."""
    terms = [operand(number) for number in range(len(node.inputs))]
    is_plain = isinstance(node.operation, Map) and len(set(node.inputs)) == len(terms) > 1
    return is_plain and operation_of(node).options()["expressions"] == (reduce(add, terms),)


def _is_noise(node: Node) -> bool:
    return operation_of(node).fusion is Fusion.RANDOM


def _has_rows(node: Node) -> bool:
    return all(v.type.shape[:1] == (BATCH,) for v in node.outputs)
