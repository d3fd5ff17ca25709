"""`block`: a recipe with ports and parameters; fresh weights at each use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import Span, counted, error
from nndsl.ir.types import format_shape
from nndsl.lower.arguments import arrange
from nndsl.lower.elaboration import Elaboration, Path
from nndsl.lower.evaluate import evaluate
from nndsl.lower.flow import Course, run_body
from nndsl.lower.problems import PoisonedError
from nndsl.lower.result import Part
from nndsl.lower.scopes import Scope
from nndsl.lower.stage_text import with_values
from nndsl.lower.stages import as_flow
from nndsl.lower.values import (
    POISON,
    DefaultsLine,
    Definition,
    Given,
    Group,
    Poison,
    Stage,
    Tensor,
    defaults_for,
)
from nndsl.records import dataclass
from nndsl.syntax import tree


@dataclass(eq=False)
class BlockDefinition(Definition):
    """A `block` under its name; `scope` is that of its file."""

    block: tree.Block | tree.Cell
    scope: Scope

    @property
    def name(self) -> str:  # type: ignore[override]
        """The block's name."""
        return self.block.name

    @property
    def name_span(self) -> Span:  # type: ignore[override]
        """Where the name stands in the definition."""
        return self.block.name_span

    @property
    def parameter_names(self) -> list[str]:
        """The declared parameters in order."""
        return [p.name for p in self.block.parameters]

    def stage(
        self,
        given: tuple[Given, ...],
        operands: tuple[Tensor, ...],
        span: Span,
        defaults: DefaultsLine | None,
    ) -> Stage:
        """The block with its arguments, checked against the declared parameters."""
        arguments = self._arguments(given, span, defaults)
        return self.use(span, self, arguments, operands, defaults)

    @property
    def use(self) -> type[BlockStage]:
        """What a use of it is."""
        return BlockStage

    def _arguments(
        self, given: tuple[Given, ...], span: Span, defaults: DefaultsLine | None
    ) -> dict[str, Given]:
        arguments = arrange(self.name, self.parameter_names, given, span)
        for name, (value, _) in defaults_for(defaults, self.name).items():
            arguments.setdefault(name, value)
        for parameter in self.block.parameters:
            if parameter.name not in arguments and parameter.default is None:
                names = ", ".join(self.parameter_names)
                raise error(
                    "NN312",
                    f"`{self.name}` needs the argument `{parameter.name}`",
                    span,
                    f"`{parameter.name}` is missing here",
                    secondary=[(parameter.span, "declared here, without a default")],
                    help=f"write `{self.name}({names})`",
                )
        return arguments


@dataclass(eq=False)
class BlockStage(Stage):
    """A use of a block."""

    span: Span
    definition: BlockDefinition
    arguments: dict[str, Given]
    operands: tuple[Tensor, ...] = ()
    defaults: DefaultsLine | None = None

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """Go through the block's body with its ports bound to the operands."""
        elaboration.count_stage(self.span)
        inputs = (*operands, *self.operands)
        name = self.definition.name
        with (
            elaboration.inside(name) as path,
            elaboration.used_from(name, self.span, path),
        ):
            scope = self._scope(elaboration)
            self._bind_ports(scope, inputs)
            course = self._course(inputs)
            before, learnt = len(elaboration.parts), len(elaboration.draft_names)
            part = self._part(elaboration, path, inputs, inputs[0], ())
            elaboration.add_part(part)
            run_body(self.definition.block.body, scope, course)
            result = self._result(course)
            first = result.tensors[0] if isinstance(result, Group) else result
            made = tuple(elaboration.draft_names[learnt:])
            elaboration.parts[before] = replace(part, output=first.value, parameters=made)
        return self._placed(result, inputs)

    def _part(
        self,
        elaboration: Elaboration,
        path: Path,
        inputs: Sequence[Tensor],
        output: Tensor,
        parameters: tuple[str, ...],
    ) -> Part:
        return Part(
            path=".".join(path),
            word=self.definition.name,
            text=" ".join(self.span.text.split()),
            parent=".".join(elaboration.outer_blocks()),
            inputs=tuple(t.value for t in inputs),
            output=output.value,
            parameters=parameters,
            is_block=True,
            span=self.span,
            shown=with_values(self.definition.name, self.span, self.arguments.values()),
        )

    def _scope(self, elaboration: Elaboration) -> Scope:
        """The names of the body: the parameters."""
        scope = Scope(
            self.definition.scope.session,
            self.definition.scope,
            elaboration=elaboration,
        )
        scope.defaults = self.defaults
        for parameter in self.definition.block.parameters:
            given = self.arguments.get(parameter.name)
            source = given.source if given is not None else parameter.default
            value = self._argument(parameter, scope)
            scope.define(parameter.name, value, None, "parameter", source)
        return scope

    def _bind_ports(self, scope: Scope, inputs: Sequence[Tensor]) -> None:
        """The tensors under the names of the ports."""
        block = self.definition.block
        if block.ports and len(block.ports) != len(inputs):
            names = ", ".join(port.name for port in block.ports)
            raise error(
                "NN205",
                f"`{block.name}` has {counted(len(block.ports), 'port')} ({names}), "
                f"here {'is' if len(inputs) == 1 else 'are'} {counted(len(inputs), 'tensor')}",
                self.span,
                secondary=[(block.name_span, "declared here")],
                help=f"write `({names}) -> {block.name}(...)`" if len(block.ports) > 1 else (),
            )
        for port, tensor in zip(block.ports, inputs, strict=False):
            scope.define(port.name, tensor, None, "port")

    def _argument(self, parameter: tree.FormalParameter, scope: Scope) -> Any:
        given = self.arguments.get(parameter.name)
        if given is not None:
            return given.value
        assert parameter.default is not None  # `stage` has seen to it
        return evaluate(parameter.default, scope)

    def _course(self, inputs: Sequence[Tensor]) -> Course:
        ports = self.definition.block.ports
        if len(ports) > 1:
            names = ", ".join(f"`{port.name}`" for port in ports)
            return Course(None, f"the block has the ports {names}", last=as_flow(inputs))
        return Course(as_flow(inputs), last=as_flow(inputs))

    def _result(self, course: Course) -> Tensor | Group:
        if course.last is POISON:
            raise PoisonedError
        assert course.last is not None and not isinstance(course.last, Poison)
        return course.last

    def _placed(self, result: Tensor | Group, inputs: Sequence[Tensor]) -> Tensor | Group:
        """The result as seen from the use: messages point to the use, not into the block."""
        if isinstance(result, Group):
            return result
        before = " and ".join(format_shape(t.value.type.shape) for t in inputs)
        after = format_shape(result.value.type.shape)
        return Tensor(result.value, self.span, f"{before} -> {after} here")
