"""`settle`: a network with cycles, all of whose neurons act at once until nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import ShapeError, Value
from nndsl.lower.elaboration import Elaboration, Path
from nndsl.lower.over_time import of_all_steps
from nndsl.lower.problems import require_known
from nndsl.lower.result import Part, Settling
from nndsl.lower.scopes import Scope
from nndsl.lower.stages import as_stage
from nndsl.lower.values import (
    Definition,
    Given,
    Group,
    Mention,
    Stage,
    Tensor,
    kind_of,
)
from nndsl.lower.words import bind, is_stage_word
from nndsl.ops.recurrence import Step, Unrolled, recurrence
from nndsl.records import dataclass
from nndsl.vocab.registry import words


@runtime_checkable
class Cell(Protocol):
    """A stage with a memory of its own: `nndsl.lower.cells.CellStage`."""

    def settled(self, elaboration: Elaboration, operands: Sequence[Tensor], times: int) -> Unrolled:
        """So many steps, its inputs the same in each."""


@dataclass(eq=False)
class SettleStage(Stage):
    """`settle(stage)`: `limit` steps. Those after the state stands still change nothing."""

    span: Span
    stage: Stage
    limit: int
    tolerance: float

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor:
        """The state after the last step."""
        elaboration.count_stage(self.span)
        with (
            elaboration.inside("settle") as path,
            elaboration.used_from("settle", self.span, path),
            elaboration.at_span(self.span),
        ):
            before, learnt = len(elaboration.parts), len(elaboration.draft_names)
            part = self._part(elaboration, path, operands, operands[0].value, ())
            elaboration.add_part(part)
            made = self._repeated(elaboration, operands, before + 1)
            last = made.last[0]
            drafts = tuple(elaboration.draft_names[learnt:])
            elaboration.parts[before] = self._part(elaboration, path, operands, last, drafts)
        settling = Settling(".".join(path), made.memory, self.limit, self.tolerance, self.span)
        elaboration.settlings.append(settling)
        return Tensor(last, self.span, operands[0].arose)

    def cost(self) -> int:
        """The stage's: it is laid out once."""
        return self.stage.cost()

    def _repeated(
        self, elaboration: Elaboration, operands: Sequence[Tensor], first: int
    ) -> Unrolled:
        if isinstance(self.stage, Cell):
            return self.stage.settled(elaboration, operands, self.limit)
        if len(operands) != 1:
            raise error(
                "NN205",
                f"`settle` has one state, here are {len(operands)} tensors",
                self.span,
                help="a `cell` holds its inputs: ports with a shape are the state",
            )
        named = set(elaboration.points)
        try:
            made = recurrence(
                elaboration.build,
                [],
                [operands[0].value],
                lambda step: [self._once(elaboration, operands[0], step)],
                times=self.limit,
                names=["y"],
            )
        except ShapeError as refusal:
            require_known(operands[0].shape, self.span)
            help = refusal.help or ()
            raise error(refusal.code, refusal.title, self.span, help=help) from None
        of_all_steps(elaboration, made, first, named)
        return made

    def _once(self, elaboration: Elaboration, state: Tensor, step: Step) -> Value:
        """One step: the stage on the state."""
        (memory,) = step.memory
        result = self.stage.apply(elaboration, [Tensor(memory, state.span, state.arose)])
        if isinstance(result, Group):
            title = f"`settle` has one state, its stage gives {len(result.tensors)} tensors"
            raise error("NN205", title, self.span)
        return result.value

    def _part(
        self,
        elaboration: Elaboration,
        path: Path,
        operands: Sequence[Tensor],
        output: Value,
        parameters: tuple[str, ...],
    ) -> Part:
        """The loop as a block in which its stages stand."""
        text = " ".join(self.span.text.split())
        return Part(
            path=".".join(path),
            word="settle",
            text=text,
            parent=".".join(elaboration.outer_blocks()),
            inputs=tuple(tensor.value for tensor in operands),
            output=output,
            parameters=parameters,
            is_block=True,
            span=self.span,
            shown=f"settle, at most {self.limit} steps",
        )


def settle(given: tuple[Given, ...], span: Span, scope: Scope) -> Stage:
    """The call `settle(stage, limit=100, tolerance=1e-6)`."""
    value: Any = given[0].value if given and given[0].name is None else None
    is_stage = isinstance(value, Stage | Definition) or (
        isinstance(value, Mention) and is_stage_word(value.name)
    )
    if not is_stage:
        raise error(
            "NN304",
            f"`settle` takes a stage first, this is {kind_of(value) if given else 'nothing'}",
            span,
            help="settle(dense(3) -> saturate, limit=100)",
        )
    mention = Mention("settle", span, given[1:], (), scope.defaults, scope)
    bound = bind(mention, words("form")["settle"])
    return SettleStage(span, as_stage(value, scope), **bound.call.arguments)
