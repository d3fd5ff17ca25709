"""`carry = true`: the memory of a recurrence goes on from window to window.

Back-propagation through time then ends where a window begins, what is remembered does not
(truncated back-propagation through time: Williams & Peng 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Builder, Graph, Node, Role, Value, rebuild, with_inputs
from nndsl.ir.types import ElementType, TensorType
from nndsl.lower.result import Recipe
from nndsl.lower.train_settings import Settings
from nndsl.lower.values import DataSource
from nndsl.ops.compose import add_map
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Broadcast
from nndsl.ops.scan import Scan
from nndsl.ops.scan_parts import ScanParts
from nndsl.ops.source import Constant
from nndsl.scalar.functions import where

NUMBER = TensorType((), ElementType.DOUBLE)
_CLOCKS = ("step", "epoch", "steps_per_epoch")


def with_carry(
    recipe: Recipe, carry: Span | None, settings: Settings, source: DataSource
) -> Recipe:
    """The recipe, with `carry` if that is written somewhere. Errors: NN327."""
    if carry is None:
        return recipe
    _check(recipe, carry, settings)
    _require_windows(carry, source)
    assert recipe.evaluation is not None
    training, evaluation = (carry_on(g, carry) for g in (recipe.graph, recipe.evaluation))
    return replace(recipe, graph=training, evaluation=evaluation, carry=True)


def carry_on(graph: Graph, span: Span) -> Graph:
    """The graph whose memories begin as the batch before left them, at the first batch of an epoch
    with zeros. A memory whose start is given keeps it.

    Raises NN327 where nothing goes on, or a recurrence begins at the end of its window.
    """
    first = Graph(dict(graph.inputs))
    build = Builder(Graph(dict(graph.inputs), list(graph.nodes)))
    build.graph = first
    later: Value | None = None
    nodes: list[Node] = []
    left: dict[str, Value] = {}
    for node in graph.nodes:
        scan = node.operation
        if isinstance(scan, Scan) and not scan.times:
            _require_forward(node, scan, span)
            parts = ScanParts(node, scan)
            starts = {}
            for state, after in zip(parts.states, node.outputs, strict=False):
                if not _is_zeros(parts.given[state]):
                    continue
                later = later or _later(build)
                name = _name(node.label, state.name, first)
                before = build.input(name, after.type, Role.STATE)
                starts[state] = add_map(
                    build, where(operand(0), operand(1), 0.0), later, before, name="carried"
                )
                left[name] = after
            node = with_inputs(node, tuple((parts.given | starts).values()))
        nodes.append(node)
    if not left:
        raise _nothing(span)
    made = rebuild(graph, [*first.nodes, *nodes])
    made.inputs, made.updates = first.inputs, {**graph.updates, **left}
    return made


def _check(recipe: Recipe, span: Span, settings: Settings) -> None:
    """NN327 for settings that take the rows in another way, or several networks in turn."""
    unfit = {
        "replay": (recipe.replay, "other rows, or another order"),
        "augment": (recipe.augment.chain, "other rows, or another order"),
        "ensemble": (recipe.ensemble, "several memories"),
    }
    for name, (asked, why) in unfit.items():
        if asked:
            raise _refused(
                f"`carry` is for one network that sees windows in their order, not for `{name}`",
                span,
                [(settings.run[name].span, why)],
                f"leave out `{name}`",
            )
    if recipe.batch is None:
        raise _refused(
            "with all rows in one batch no batch goes on where another ended",
            span,
            [(settings.run["batch"].span, "one batch in an epoch")],
            "batch = 16",
        )
    if recipe.turns:
        raise _refused(
            "`carry` is for a training with one objective",
            span,
            [(settings.updates[0][0].span, "an update of its own")],
            "leave out `carry`",
        )


def _require_windows(span: Span, source: DataSource) -> None:
    """Windows of a text or a series, each beginning where the one before ends."""
    given = source.specification
    if given is None:
        return
    found = {**given.options, **given.settings}
    window, stride = found.get("window"), found.get("stride")
    if given.kind != "text" and window is None:
        raise _refused(
            f"`carry` goes on from window to window, but the rows of `{source.name}` are none",
            span,
            [(source.span, "each row stands alone")] if source.span else [],
            "window = 24; stride = 24",
        )
    if given.kind == "text" and (stride is None or (window and stride.value == window.value)):
        return
    if window is not None and stride is not None and stride.value == window.value:
        return
    place = stride or window
    size = window.value if window is not None else "64"
    raise _refused(
        f"`carry` goes on where a window ends, but those of `{source.name}` overlap or leave gaps",
        span,
        [(place.span, "from one window to the next")] if place and place.span else [],
        f"stride = {size}",
    )


def _require_forward(node: Node, scan: Scan, span: Span) -> None:
    if scan.reverse:
        raise _refused(
            "a recurrence that begins at the end of its window cannot go on from the one before",
            span, [(node.span, "goes back in time")] if node.span else [],
            "leave out `both`, or `carry`",
        )  # fmt: skip


def _nothing(span: Span) -> NndslError:
    return _refused(
        "nothing in the net has a memory that could go on",
        span, [], "it has no recurrence (`rnn`, `lstm`, `gru`, a cell), or says where each begins",
    )  # fmt: skip


def _refused(
    title: str, span: Span, secondary: Sequence[tuple[Span, str]], help: str
) -> NndslError:
    return error("NN327", title, span, secondary=secondary, help=help)


def _name(label: str, memory: str, graph: Graph) -> str:
    """`lstm[2].h` of a memory that may be called `h.3` in its step."""
    short = f"{label}.{memory.partition('.')[0]}"
    return short if short not in graph.inputs else f"{label}.{memory}"


def _is_zeros(value: Value) -> bool:
    """Whether a start is that which stands where none is given."""
    node = value.node
    if node is None or not isinstance(node.operation, Broadcast):
        return False
    zero = node.inputs[0].node
    return (
        zero is not None
        and isinstance(zero.operation, Constant)
        and not any(zero.operation.numbers)
    )


def _later(build: Builder) -> Value:
    """0 at the first step of an epoch, else not: a DOUBLE number."""
    clocks = []
    for name in _CLOCKS:
        known = build.graph.inputs.get(name)
        clocks.append(known.value if known else build.input(name, NUMBER, Role.CLOCK))
    since = Map((operand(0) - operand(1) * operand(2),), ElementType.DOUBLE)
    return build.add(since, *clocks, name="step_of_epoch")
