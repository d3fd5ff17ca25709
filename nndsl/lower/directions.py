"""`both`: a recurrence from the beginning of a sequence and from its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nndsl.diagnostics import Span, error
from nndsl.ir.types import format_shape
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.scopes import Scope
from nndsl.lower.stages import as_stage
from nndsl.lower.values import Definition, Given, Group, Mention, Stage, Tensor, kind_of
from nndsl.lower.words import is_stage_word
from nndsl.ops.movement import Concat
from nndsl.ops.scan import Scan
from nndsl.records import dataclass
from nndsl.vocab.layers.sequences import is_sequence


@dataclass(eq=False)
class BothStage(Stage):
    """`both(stage)`: from the beginning and from the end, side by side; weights for each."""

    span: Span
    stage: Stage

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor:
        """Features of both directions at every step."""
        with elaboration.inside("both"), elaboration.at_span(self.span):
            nodes = elaboration.build.graph.nodes
            first = len(nodes)
            forward = self._one_way(elaboration, operands)
            elaboration.reverse = not elaboration.reverse
            try:
                backward = self._one_way(elaboration, operands)
            finally:
                elaboration.reverse = not elaboration.reverse
            if not any(isinstance(node.operation, Scan) for node in nodes[first:]):
                raise error(
                    "NN202",
                    "`both` goes through a sequence in both directions: it needs a recurrence",
                    self.span,
                    help="both(lstm(64))",
                )
            joined = elaboration.build.add(Concat(2), forward.value, backward.value, name="both")
            elaboration.keep_mask((forward.value,), joined)
        shape = format_shape(joined.type.shape)
        return Tensor(joined, self.span, f"{shape} here: both directions side by side")

    def _one_way(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor:
        result = self.stage.apply(elaboration, operands)
        if isinstance(result, Group) or not is_sequence(result.value.type.shape):
            raise error(
                "NN202",
                "`both` joins what a recurrence gives at every step",
                self.span,
                help="`-> last` stands behind it: `both(lstm(64)) -> last`",
            )
        return result

    def cost(self) -> int:
        """The stage's, twice."""
        return 2 * self.stage.cost()


def both(given: Sequence[Given], span: Span, scope: Scope) -> Stage:
    """The call `both(stage)`."""
    value: Any = given[0].value if given else None
    is_stage = isinstance(value, Stage | Definition) or (
        isinstance(value, Mention) and is_stage_word(value.name)
    )
    if len(given) != 1 or given[0].name is not None or not is_stage:
        found = kind_of(value) if given else "nothing"
        raise error(
            "NN304",
            f"`both` takes one stage that is a recurrence, this is {found}",
            span,
            help="both(lstm(64))",
        )
    return BothStage(span, as_stage(value, scope))
