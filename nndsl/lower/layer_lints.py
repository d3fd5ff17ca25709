"""Lints on layers of a net that is trained: what does nothing, or works against another stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nndsl.diagnostics import Span
from nndsl.ir.graph import Graph, Node, Value
from nndsl.lower.nets import Elaborated
from nndsl.lower.problems import Problems
from nndsl.lower.result import Part
from nndsl.lower.values import DataSource
from nndsl.ops.attention import AttentionWeights
from nndsl.ops.movement import Concat
from nndsl.ops.scan import Scan

DROPOUTS = ("dropout", "alpha_dropout")
ENDINGS = ("softmax", "log_softmax", "sigmoid")


def lint_layers(made: Elaborated, batch: int | None, problems: Problems) -> None:
    """Superfluous biases, misplaced dropout and `last`, batches of one row. `made` is in training
    mode.
    """
    parts = [part for part in made.elaboration.parts if not part.is_block]
    # `dropout(0)` gives back what it gets, and so has made nothing
    makers = {part.output: part for part in parts if part.output not in part.inputs}
    readers = made.graph.users() if any(p.word == "batch_norm" for p in parts) else {}
    for part in parts:
        if part.word == "batch_norm":
            before = makers.get(part.inputs[0])
            if before is not None and before.output not in made.graph.outputs.values():
                _lint_bias(part, before, readers.get(before.output, []), problems)
            _lint_single_rows(part, batch, problems)
        if part.word == "last" and _begins_back(part.inputs[0], made.graph):
            problems.lint(
                "NN816",
                "the last place is where the way back began: it has read nothing else there",
                part.span,
                "takes the last place, for it does not follow `both(...)` at once",
                help="`last` right behind the recurrences: `both(...) -> last`",
            )
        if part.word == "dropout" and any(p.word == "selu" for p in _before(part, makers)):
            problems.lint(
                "NN811",
                "`dropout` undoes what `selu` is for: mean 0 and deviation 1 in every layer",
                part.span,
                "changes both",
                help=part.text.replace("dropout", "alpha_dropout", 1),
            )
    for output in made.outputs.values():
        _lint_last_dropout(output.value, makers, problems)


def _begins_back(sequence: Value, graph: Graph) -> bool:
    """Whether a recurrence from the end stands before a sequence, with a stage between them.

    Not where attention stands there too: each place has then seen all that the way back has.
    """
    makers = graph.producers()
    waiting, seen, found = [(sequence, True)], {sequence}, False
    while waiting:
        value, at_once = waiting.pop()
        node = makers.get(value)
        if node is None:
            continue
        if isinstance(node.operation, AttentionWeights):
            return False
        if isinstance(node.operation, Scan):
            found |= node.operation.reverse and not at_once
            continue
        at_once = at_once and isinstance(node.operation, Concat)
        fresh = [v for v in node.inputs if v not in seen]
        seen.update(fresh)
        waiting += [(v, at_once) for v in fresh]
    return found


def lint_look_ahead(graph: Graph, source: DataSource, problems: Problems) -> None:
    """Stages that see the next place of a text, which is what each place is to tell."""
    if source.specification is None or source.specification.kind != "text":
        return
    seen: set[Span | None] = set()
    for node in graph.nodes:
        operation = node.operation
        sees_all = isinstance(operation, AttentionWeights) and not operation.causal
        backward = isinstance(operation, Scan) and operation.reverse
        if not (sees_all or backward) or node.span in seen:
            continue
        seen.add(node.span)
        problems.lint(
            "NN814",
            "the network sees what it is to tell: the next place of the text",
            node.span,
            "every place sees all others" if sees_all else "comes from the end of the text",
            secondary=((source.span, "each place is to tell the next one"),),
            help="`causal=true`: a place sees itself and those before it"
            if sees_all
            else "a recurrence from the beginning alone",
        )


def _lint_bias(part: Part, before: Part, readers: Sequence[Node], problems: Problems) -> None:
    """A bias that batch normalisation subtracts again, where nobody else sees it."""
    if not any(name.endswith(".bias") for name in before.parameters):
        return
    if any(node.label != part.path for node in readers):
        return
    text = before.text
    problems.lint(
        "NN809",
        "the bias does nothing: `batch_norm` subtracts it again with the mean",
        before.span,
        "learns a bias",
        secondary=((part.span, "subtracts the mean of every unit"),),
        help=_without_bias(text),
    )


def _without_bias(text: str) -> str:
    """What to write instead of a stage with a bias."""
    if "bias" in text:
        return "bias=false"
    return f"{text[:-1]}, bias=false)" if text.endswith(")") else f"{text}(bias=false)"


def _lint_single_rows(part: Part, batch: int | None, problems: Problems) -> None:
    if batch == 1:
        problems.lint(
            "NN812",
            "with `batch = 1`, `batch_norm` gives its shift, whatever comes in",
            part.span,
            "the mean of one row is the row",
            help="a larger batch, or `layer_norm`",
        )


def _before(part: Part, makers: dict[Value, Part]) -> Iterator[Part]:
    """The stages before one, along its first operand, back to the next with weights."""
    maker = makers.get(part.inputs[0])
    while maker is not None and not maker.parameters:
        yield maker
        maker = makers.get(maker.inputs[0]) if maker.inputs else None


def _lint_last_dropout(output: Value, makers: dict[Value, Part], problems: Problems) -> None:
    last = makers.get(output)
    if last is not None and last.word in ENDINGS:
        last = makers.get(last.inputs[0])
    if last is not None and last.word in DROPOUTS:
        problems.lint(
            "NN810",
            f"`{last.word}` right before the output: the loss sees answers that are never given",
            last.span,
            "drops outputs, not hidden units",
            help="dropout stands before the last `dense`, not after it",
        )
