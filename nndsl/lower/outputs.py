"""Outputs of a net and the targets they are matched with, in order."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Value
from nndsl.ir.types import Dimension
from nndsl.lower.endings import logits_before
from nndsl.lower.nets import Elaborated
from nndsl.lower.result import Inferred, Part
from nndsl.lower.values import DataSource, Tensor
from nndsl.records import dataclass
from nndsl.schema import Schema, TargetKind, TargetSchema
from nndsl.vocab.preprocessing import numbers_of


@dataclass(frozen=True)
class Output:
    """One output with its targets (several only where one output gives several numbers).

    `ending` is the word that the output ends in, when it is a layer or activation; `logits` what
    that activation acts on.
    """

    name: str
    tensor: Tensor
    targets: tuple[TargetSchema, ...]
    ending: str
    logits: Value
    last: Part | None
    source: DataSource | None = None
    net_span: Span | None = None

    @property
    def target(self) -> TargetSchema:
        """The (first) target."""
        return self.targets[0]

    @property
    def pictures(self) -> bool:
        """Whether the target is a picture: then each of the output's pixels is an answer."""
        return self.target.pictures

    @property
    def sequence(self) -> bool:
        """Whether there is an answer at each place of a sequence."""
        return self.target.sequence

    @property
    def width(self) -> Dimension:
        """How many numbers for one example, or one pixel; 1 for a single number."""
        if self.pictures and len(self.tensor.shape) == 3:
            return self.tensor.shape[0]
        return self.tensor.shape[-1] if self.tensor.shape else 1

    @property
    def span(self) -> Span | None:
        """The last stage."""
        return self.tensor.span

    def prediction(self, joint: str) -> Value:
        """What a loss looks at: the logits, where it undoes the activation at the end."""
        return self.logits if joint and self.ending == joint else self.tensor.value


def match_outputs(
    made: Elaborated, schema: Schema, source: DataSource | None, net_span: Span | None
) -> tuple[list[Output], list[Inferred]]:
    """Outputs with their targets in order; an output beyond the targets repeats the first.

    Errors: NN326 where outputs are called as targets are, but stand in another order.
    """
    _check_order(made, schema, source)
    stages = (part for part in made.elaboration.parts if not part.is_block)
    endings = {part.output: part for part in stages if part.output not in part.inputs}
    matched = _targets(list(made.outputs.values()), schema.targets)
    outputs: list[Output] = []
    inferred: list[Inferred] = []
    for position, (name, tensor) in enumerate(made.outputs.items()):
        last = endings.get(tensor.value)
        word = last.word if last is not None else ""
        logits = logits_before(made.elaboration, last) if last is not None else tensor.value
        targets = matched[position]
        outputs.append(Output(name, tensor, targets, word, logits, last, source, net_span))
        if len(made.outputs) > 1:
            why = "in order" if position < len(schema.targets) else "there is no further target"
            names = ", ".join(t.name for t in targets)
            inferred.append(Inferred(f"target of output {name}", names, why, tensor.span))
    return outputs, inferred


def _check_order(made: Elaborated, schema: Schema, source: DataSource | None) -> None:
    names = [target.name for target in schema.targets]
    for position, (name, tensor) in enumerate(made.outputs.items()):
        if name not in names or names.index(name) == position or len(made.outputs) == 1:
            continue
        specification = source.specification if source is not None else None
        written = specification.settings.get("target") if specification is not None else None
        raise error(
            "NN326",
            f"output {position + 1} is called `{name}`, which is target {names.index(name) + 1}",
            tensor.span,
            "outputs are matched with targets by their order",
            secondary=[(written.span if written is not None else None, "the targets")],
            help=f"the last line: ({', '.join(names)})",
        )


def _targets(
    tensors: Sequence[Tensor], targets: Sequence[TargetSchema]
) -> list[tuple[TargetSchema, ...]]:
    numbers = all(t.kind is TargetKind.NUMBERS and numbers_of(t.steps) == 1 for t in targets)
    if len(tensors) == 1 and len(targets) > 1 and numbers:
        return [tuple(targets)]
    return [(targets[i] if i < len(targets) else targets[0],) for i in range(len(tensors))]
