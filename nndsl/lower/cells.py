"""`cell`: one step of a recurrence, as the file writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, TensorType, format_shape
from nndsl.lower.blocks import BlockDefinition, BlockStage
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.flow import run_body
from nndsl.lower.over_time import of_all_steps
from nndsl.lower.problems import require_known
from nndsl.lower.scopes import Scope
from nndsl.lower.shapes import shape_of
from nndsl.lower.values import Group, Tensor, tensors_of
from nndsl.ops.movement import zeros
from nndsl.ops.recurrence import Step, Unrolled, recurrence
from nndsl.records import dataclass
from nndsl.syntax import tree
from nndsl.vocab.layers.sequences import is_sequence


@dataclass(eq=False)
class CellDefinition(BlockDefinition):
    """A `cell` under its name: ports without a shape are its inputs, those with one its memory."""

    @property
    def use(self) -> type[BlockStage]:
        """The cell at every step of a sequence."""
        return CellStage

    @property
    def inputs(self) -> list[tree.Port]:
        """The ports that read the sequences."""
        return [port for port in self.block.ports if port.shape is None]

    @property
    def memory(self) -> list[tree.Port]:
        """The ports that remember."""
        return [port for port in self.block.ports if port.shape is not None]


@dataclass(eq=False)
class CellStage(BlockStage):
    """A use of a cell: its body once in the graph, as what a scan repeats."""

    definition: CellDefinition

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """Go through the body with its ports bound to one step; its first memory, at every step."""
        made = self._repeated(elaboration, (*operands, *self.operands), 0)
        return self._placed(Tensor(made.output), (*operands, *self.operands))

    def settled(self, elaboration: Elaboration, operands: Sequence[Tensor], times: int) -> Unrolled:
        """The cell done `times` times from a memory of zeros, its inputs the same every time."""
        return self._repeated(elaboration, (*operands, *self.operands), times)

    def _repeated(
        self, elaboration: Elaboration, inputs: tuple[Tensor, ...], times: int
    ) -> Unrolled:
        """The body once in the graph; over the steps of sequences, or (`times`) inputs held."""
        elaboration.count_stage(self.span)
        self._check(inputs, in_time=not times)
        name = self.definition.name
        with (
            elaboration.inside(name) as path,
            elaboration.used_from(name, self.span, path),
        ):
            scope = self._scope(elaboration)
            inputs, given = inputs[: self.count], inputs[self.count :]
            starts = self._starts(elaboration, scope, given)
            before, learnt = len(elaboration.parts), len(elaboration.draft_names)
            named = set(elaboration.points)
            read = (*inputs, *given)
            elaboration.add_part(self._part(elaboration, path, read, read[0], ()))
            try:
                made = recurrence(
                    elaboration.build,
                    [] if times else [tensor.value for tensor in inputs],
                    starts,
                    lambda step: self._write(scope, inputs, step),
                    reverse=elaboration.reverse and not times,
                    mask=None if times else self._mask(elaboration, inputs),
                    times=times,
                    names=[port.name for port in self.definition.memory],
                )
            except ShapeError as refusal:
                raise self._refused(refusal, inputs) from None
            result = Tensor(made.last[0] if times else made.output)
            drafts = tuple(elaboration.draft_names[learnt:])
            elaboration.parts[before] = self._part(elaboration, path, read, result, drafts)
            if not times:
                elaboration.keep_mask((t.value for t in inputs), made.output)
            of_all_steps(elaboration, made, before + 1, named)
        return made

    def _refused(self, refusal: ShapeError, inputs: Sequence[Tensor]) -> NndslError:
        """What cannot be repeated, at the cell's use; its sequences, where there are several."""
        require_known((size for tensor in inputs for size in tensor.shape), self.span)
        told = [(t.span, t.arose) for t in inputs if t.span is not None] if inputs[1:] else []
        return error(refusal.code, refusal.title, self.span, secondary=told,
                     help=refusal.help or ())  # fmt: skip

    def _mask(self, elaboration: Elaboration, inputs: Sequence[Tensor]) -> Value | None:
        """Where the sequences have ended."""
        return next((m for t in inputs if (m := elaboration.masks.get(t.value))), None)

    @property
    def count(self) -> int:
        """How many tensors a step reads; those behind them are where the memory starts."""
        return len(self.definition.inputs)

    def _starts(
        self, elaboration: Elaboration, scope: Scope, given: Sequence[Tensor]
    ) -> list[Value]:
        """The memory before the first step: as given, zeros for the rest."""
        found = []
        for number, port in enumerate(self.definition.memory):
            assert port.shape is not None
            type = TensorType((BATCH, *shape_of(port.shape, scope)))
            start = given[number] if number < len(given) else None
            if start is not None and start.value.type != type:
                raise self._other_start(port, start, type)
            found.append(zeros(elaboration.build, type) if start is None else start.value)
        return found

    def _other_start(self, port: tree.Port, start: Tensor, type: TensorType) -> NndslError:
        wanted, found = format_shape(type.shape), format_shape(start.value.type.shape)
        return error(
            "NN203",
            f"the memory `{port.name}` is {wanted}, what it starts from {found}",
            self.span,
            secondary=[(port.span, f"{wanted} here"), (start.span, start.arose)],
        )

    def _write(self, scope: Scope, inputs: Sequence[Tensor], step: Step) -> Sequence[Value]:
        """One step: the body between the ports and the last line."""
        values = step.inputs or [tensor.value for tensor in inputs]
        now = iter([replace(t, value=v) for t, v in zip(inputs, values, strict=True)])
        memory = iter(
            [Tensor(v, p.span) for v, p in zip(step.memory, self.definition.memory, strict=True)]
        )
        ports = self.definition.block.ports
        tensors = [next(now if port.shape is None else memory) for port in ports]
        self._bind_ports(scope, tensors)
        course = self._course(tensors)
        run_body(self.definition.block.body, scope, course)
        results = tensors_of(self._result(course))
        if len(results) != len(self.definition.memory):
            names = ", ".join(f"`{port.name}`" for port in self.definition.memory)
            raise error(
                "NN211",
                f"cell `{self.definition.name}` remembers {names}, but its last line gives "
                f"{counted(len(results), 'tensor')}",
                course.span or self.definition.name_span,
                "the next memory, in the order of the ports",
                secondary=[(self.definition.name_span, "declared here")],
            )
        for port, start, tensor in zip(self.definition.memory, step.memory, results, strict=True):
            if start.type.shape != tensor.value.type.shape:
                raise self._changed(port, start, tensor, course.span)
        return [tensor.value for tensor in results]

    def _changed(
        self, port: tree.Port, start: Value, tensor: Tensor, span: Span | None
    ) -> NndslError:
        before, after = (format_shape(v.type.shape) for v in (start, tensor.value))
        return error(
            "NN203",
            f"the memory `{port.name}` is {before}, but its next value {after}",
            span or tensor.span,
            "the last line gives the next memory, in the order of the ports",
            secondary=[(port.span, f"{before} here")],
        )

    def _check(self, inputs: Sequence[Tensor], *, in_time: bool) -> None:
        """NN205 for another number of sequences, NN202 for a cell without memory or no sequence."""
        definition = self.definition
        if not definition.memory:
            raise error(
                "NN202",
                f"cell `{definition.name}` remembers nothing",
                definition.name_span,
                "a port with a shape is its memory",
                help=f"cell (x, h: [n]) -> {definition.name}(n) {{ ... }}",
            )
        if not self.count <= len(inputs) <= self.count + len(definition.memory):
            names = ", ".join(port.name for port in definition.inputs)
            raise error(
                "NN205",
                f"cell `{definition.name}` reads {counted(len(definition.inputs), 'sequence')} "
                f"({names}), here {'is' if len(inputs) == 1 else 'are'} "
                f"{counted(len(inputs), 'tensor')}",
                self.span,
                secondary=[(definition.name_span, "declared here")],
            )
        for tensor in inputs[: self.count] if in_time else ():
            if not is_sequence(tensor.value.type.shape):
                require_known(tensor.shape, self.span)
                raise error(
                    "NN202",
                    f"cell `{definition.name}` takes a sequence (places x features), not "
                    f"{format_shape(tensor.value.type.shape)}",
                    self.span,
                    secondary=[(tensor.span, tensor.arose)] if tensor.span else [],
                    help="`input x: [T, 9]`, or `input text: ids(8000)[T]` then `embed(64)`",
                )
