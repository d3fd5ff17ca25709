"""From a graph to a program: memory, a call (or more) for every node, merged, ordered, numbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from nndsl.codegen.context import Context
from nndsl.codegen.draft import Draft
from nndsl.codegen.emit_attention import (
    emit_einsum,
    emit_lookup,
    emit_lookup_gradient,
    emit_rotary,
    emit_weights,
)
from nndsl.codegen.emit_convolution import (
    emit_convolution,
    emit_input_gradient,
    emit_weight_gradient,
)
from nndsl.codegen.emit_map import emit_map, emit_reduce
from nndsl.codegen.emit_matmul import emit_fused_matmul, emit_matmul
from nndsl.codegen.emit_move import (
    emit_broadcast,
    emit_concat,
    emit_crop,
    emit_pad,
    emit_random,
    emit_size,
    emit_slice,
    emit_split,
    emit_transpose,
    fetch,
)
from nndsl.codegen.emit_rows import (
    emit_cross_entropy,
    emit_one_hot,
    emit_pick,
    emit_softmax,
    emit_standardize,
)
from nndsl.codegen.emit_scan import emit_scan, with_scratch
from nndsl.codegen.emit_windows import POOLING, emit_pooling
from nndsl.codegen.panels import panel_width, panelled
from nndsl.codegen.program import Buffer, Call, Element, Kernel, Program, Region, Size
from nndsl.codegen.schedule import in_phases, merge_neighbours, same_shares, scheduled
from nndsl.codegen.sums import sums_by_rows
from nndsl.codegen.target import Target, host_target
from nndsl.ir.graph import Builder, Graph, Node, Role, Value
from nndsl.ir.types import ElementType
from nndsl.ops.attention import AttentionWeights, AttentionWeightsGradient
from nndsl.ops.base import Op
from nndsl.ops.classes import OneHot, Pick, SoftmaxCrossEntropy
from nndsl.ops.convolution import (
    Convolution,
    ConvolutionInputGradient,
    ConvolutionWeightGradient,
)
from nndsl.ops.einsum import Einsum
from nndsl.ops.embedding import Lookup, LookupGradient
from nndsl.ops.fused import FusedConvolution, FusedMatMul
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.reduction import Broadcast, Reduce
from nndsl.ops.rotary import Rotary
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.ops.scan import Scan
from nndsl.ops.source import Random, SizeOf
from nndsl.ops.split import Split
from nndsl.ops.standardize import Standardize
from nndsl.passes import memory
from nndsl.passes.order import UpdateEarly, remembered

Emit = Callable[[Context, Node, Op], list[Draft]]


def _emit_scan(context: Context, node: Node, operation: Op) -> list[Draft]:
    return emit_scan(context, node, operation, _emit)


EMITTERS: dict[type[Op], Emit] = {
    Map: emit_map,
    Reduce: emit_reduce,
    MatMul: emit_matmul,
    FusedMatMul: emit_fused_matmul,
    Convolution: emit_convolution,
    FusedConvolution: emit_convolution,
    ConvolutionInputGradient: emit_input_gradient,
    ConvolutionWeightGradient: emit_weight_gradient,
    Softmax: emit_softmax,
    LogSoftmax: emit_softmax,
    SoftmaxCrossEntropy: emit_cross_entropy,
    Pick: emit_pick,
    Standardize: emit_standardize,
    Einsum: emit_einsum,
    AttentionWeights: emit_weights,
    AttentionWeightsGradient: emit_weights,
    Lookup: emit_lookup,
    LookupGradient: emit_lookup_gradient,
    Rotary: emit_rotary,
    OneHot: emit_one_hot,
    Broadcast: emit_broadcast,
    Transpose: emit_transpose,
    Slice: emit_slice,
    Split: emit_split,
    Concat: emit_concat,
    Pad: emit_pad,
    Crop: emit_crop,
    **dict.fromkeys(POOLING, emit_pooling),
    Scan: _emit_scan,
    Random: emit_random,
    SizeOf: emit_size,
}
"""How each op becomes calls. Views become none, constants are written at loading."""

WATCHED = "loss"

LARGE = 1 << 26
"""Bytes of temporary values that no cache holds: from here on they are planned to be few."""


def generate(
    graph: Graph,
    precision: Element | str = Element.FLOAT32,
    batch: int = 1,
    target: Target | None = None,
    *,
    watch: str | None = WATCHED,
    shared: bool = False,
    tight: bool = False,
) -> Program:
    """The program for at most `batch` rows at a time.

    A graph with updates is a training step: it copies the rows of its batch out of the bound data.
    One without reads the bound rows where they are. Output `watch`, where the graph has it, must
    stay finite. Large weights lie in panels, but not those `shared` with other programs, each of
    which may lie in the memory of another. `tight`: as little memory as can be. Raises ValueError
    for a graph with sizes that only a later version can handle.
    """
    precision = Element(precision)
    graph, plan = planned(graph, precision, batch, tight=tight)
    gathers = bool(graph.updates)
    layout = _Layout(graph, plan, precision, batch, gathers)
    sizes = _sizes(graph)
    target = target or host_target()
    if not shared:
        width = panel_width(target, precision)
        layout.panels = dict.fromkeys(panelled(graph, precision), width)
    context = Context(layout.buffers, precision, batch, target, sizes, layout.panels)
    unread = set(sizes) - _needed_in_memory(graph)
    drafts = fetch(context, layout.index, layout.data) if gathers else []
    for node in graph.nodes:
        if not unread & set(node.outputs):
            drafts += _emit(context, node)
    drafts += _copies(context, graph, plan)
    apart = (Region.PARAMETERS, Region.STATE) if shared else ()
    drafts = same_shares(merge_neighbours(drafts, apart))
    return layout.program(graph, scheduled(drafts), watch)


def planned(
    graph: Graph, precision: Element | str, batch: int, *, tight: bool = False
) -> tuple[Graph, memory.MemoryPlan]:
    """The graph with its nodes in the order of the calls, and where its values live.

    The order is one in which threads seldom have to meet; of a graph with much to remember, or
    where memory is to be `tight`, one in which it forgets soon. The answer is kept as long as the
    graph: an estimate of memory and the program ask for the same.
    """
    kept = _PLANNED.setdefault(graph, {})
    key = Element(precision), batch, tight
    if key not in kept:
        kept[key] = _planned(graph, *key)
    return kept[key]


_PLANNED: WeakKeyDictionary[
    Graph, dict[tuple[Element, int, bool], tuple[Graph, memory.MemoryPlan]]
] = WeakKeyDictionary()


def _planned(
    graph: Graph, precision: Element, batch: int, tight: bool
) -> tuple[Graph, memory.MemoryPlan]:
    graph = with_scratch(sums_by_rows(separated(graph)))
    width, gathers = precision.bytes, bool(graph.updates)
    if not tight and width * batch * max(remembered(graph), default=0) < LARGE:
        ordered = in_phases(graph)
        plan = memory.plan(ordered, batch, width, gathers=gathers)
        if plan.areas.get(memory.Area.WORKSPACE, 0) < LARGE:
            return ordered, plan
    ordered = UpdateEarly()(graph)
    return ordered, memory.plan(ordered, batch, width, gathers=gathers, tight=True)


def _emit(context: Context, node: Node) -> list[Draft]:
    operation = node.operation
    assert isinstance(operation, Op)
    if operation.is_view or operation.constant() is not None:
        return []
    emit = EMITTERS.get(type(operation))
    if emit is None:
        raise ValueError(f"no kernel for {operation.name}")
    return emit(context, node, operation)


def _sizes(graph: Graph) -> dict[Value, Size]:
    """Values that formulas may take from the table of run-time sizes."""
    return {
        node.outputs[0]: Size(1, node.operation.dimension)
        for node in graph.nodes
        if isinstance(node.operation, SizeOf)
    }


def _needed_in_memory(graph: Graph) -> set[Value]:
    """Values that somebody reads beside formulas."""
    read = {v for n in graph.nodes if not isinstance(n.operation, Map) for v in n.inputs}
    return read | set(graph.results())


def _copies(context: Context, graph: Graph, plan: memory.MemoryPlan) -> list[Draft]:
    """Updates that could not be written in place."""
    drafts = []
    for name, value in plan.copies:
        target = graph.inputs[name].value
        copy = Node(Map((operand(0),), value.type.element), (value,), (target,), label=name)
        drafts += emit_map(context, copy, copy.operation)  # type: ignore[arg-type]
    return drafts


def separated(graph: Graph) -> Graph:
    """Outputs and updates with memory of their own: inputs among them are copied by a node."""
    producers = graph.producers()

    def source(value: Value) -> Value:
        node = producers.get(value)
        while node is not None and isinstance(node.operation, Op) and node.operation.is_view:
            value = node.inputs[0]
            node = producers.get(value)
        return value

    data = {i.value for i in graph.of_role(Role.DATA, Role.TARGET)}
    inputs = {i.value for i in graph.inputs.values()}
    build = Builder(graph.copy())
    result = build.graph
    for name, value in graph.outputs.items():
        if source(value) in data:
            result.outputs[name] = _copied(build, value)
    for name, value in graph.updates.items():
        if source(value) in inputs and value is not graph.inputs[name].value:
            result.updates[name] = _copied(build, value)
    return result


def _copied(build: Builder, value: Value) -> Value:
    return build.add(Map((operand(0),), value.type.element), value, name=f"{value.name}.copy")


class _Layout:
    """Buffers of all values, and what else a program says of its memory."""

    def __init__(
        self, graph: Graph, plan: memory.MemoryPlan, precision: Element, batch: int, gathers: bool
    ) -> None:
        self.precision = precision
        self.batch = batch
        self.gathers = gathers
        self.region_bytes = {Region(area.value): size for area, size in plan.areas.items()}
        self.panels: dict[Value, int] = {}
        self.buffers: dict[Value, Buffer] = {}
        names = {i.value: name for name, i in graph.inputs.items()}
        for value, place in plan.places.items():
            region = Region(place.area.value)
            element = _machine(value.type.element, precision)
            name = value.name
            if region is Region.DATA:  # found by the input's name when data are bound
                name = names[plan.owners.get(value, value)]
            self.buffers[value] = Buffer(name, region, element, place.offset, place.elements)
        self.data: dict[Value, Buffer] = {}
        if gathers:
            for name, entry in graph.inputs.items():
                if entry.role in (Role.DATA, Role.TARGET):
                    element = _machine(entry.value.type.element, precision)
                    self.data[entry.value] = Buffer(name, Region.DATA, element, 0, 0)
        end = self.region_bytes.get(Region.WORKSPACE, 0)
        self.index = Buffer("order of rows", Region.WORKSPACE, Element.INT32, end, batch)
        if self.data:
            self.region_bytes[Region.WORKSPACE] = end + memory.rounded(4 * batch)

    def program(
        self, graph: Graph, calls: Sequence[tuple[Draft, bool]], watch: str | None
    ) -> Program:
        """The program of ordered calls; each with whether all threads wait before it."""
        kernels: dict[str, int] = {}
        table: list[Call] = []
        chosen: list[Kernel] = []
        for draft, barrier in calls:
            number = kernels.setdefault(draft.kernel.name, len(kernels))
            if number == len(chosen):
                chosen.append(draft.kernel)
            table.append(draft.call(number, barrier=barrier))
        named = {name: self._input(name, graph) for name in graph.inputs}
        outputs = {name: self.buffers[value] for name, value in graph.outputs.items()}
        results = {name: value.type.shape for name, value in graph.outputs.items()}
        shapes = results | {name: i.value.type.shape for name, i in graph.inputs.items()}
        return Program(
            kernels=tuple(chosen),
            calls=tuple(table),
            buffers={value.name: buffer for value, buffer in self.buffers.items()},
            inputs=named,
            outputs=outputs,
            region_bytes=self.region_bytes,
            precision=self.precision,
            batch=self.batch,
            settings=_names(graph, Role.SETTING),
            watch=watch if watch in graph.outputs else None,
            shapes=shapes,
            results=results,
            parameters=_names(graph, Role.PARAMETER),
            states=_names(graph, Role.STATE),
            gathers=self.gathers,
            constants=self._constants(graph),
            limits=_limits(graph),
            defaults=graph.settings(),
            panels={
                name: self.panels[entry.value]
                for name, entry in graph.inputs.items()
                if entry.value in self.panels
            },
            starts=graph.starts(),
        )

    def _input(self, name: str, graph: Graph) -> Buffer:
        value = graph.inputs[name].value
        return self.data.get(value) or self.buffers[value]

    def _constants(self, graph: Graph) -> tuple[tuple[Buffer, tuple[float, ...]], ...]:
        found = []
        for node in graph.nodes:
            assert isinstance(node.operation, Op)
            array = node.operation.constant()
            if array is not None:
                numbers = tuple(array.reshape(-1).tolist())
                found.append((self.buffers[node.outputs[0]], numbers))
        return tuple(found)


def _limits(graph: Graph) -> dict[str, int]:
    """For inputs that are class numbers: how many classes the graph has for them."""
    names = {i.value: name for name, i in graph.inputs.items()}
    found: dict[str, int] = {}
    for node in graph.nodes:
        for value in node.inputs:
            if value in names and value.type.element is ElementType.INDEX:
                limit = _classes(node)
                if limit is not None:
                    found[names[value]] = min(limit, found.get(names[value], limit))
    return found


def _classes(node: Node) -> int | None:
    """Class numbers below which a node reads correctly: the width of its rows."""
    if isinstance(node.operation, OneHot):
        return node.operation.classes
    if isinstance(node.operation, (Pick, SoftmaxCrossEntropy)):
        width = node.inputs[0].type.shape[-1]
        return width if isinstance(width, int) else None
    if isinstance(node.operation, Lookup):
        count = node.inputs[0].type.shape[0]
        return count if isinstance(count, int) else None
    return None


def _names(graph: Graph, role: Role) -> tuple[str, ...]:
    return tuple(name for name, i in graph.inputs.items() if i.role is role)


def _machine(element: ElementType, precision: Element) -> Element:
    if element is ElementType.REAL:
        return precision
    return Element.FLOAT64 if element is ElementType.DOUBLE else Element.INT32
