"""Several nets that one section trains together: `train (Generator, Critic) on d { ... }`."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span
from nndsl.lower.elaboration import Elaboration, Path
from nndsl.lower.nets import Elaborated, NetDefinition, outputs_of
from nndsl.lower.result import JOINT
from nndsl.lower.scopes import Scope
from nndsl.lower.values import DataSource, Tensor
from nndsl.records import dataclass
from nndsl.syntax import tree


@dataclass(eq=False)
class JointDefinition(NetDefinition):
    """Nets side by side as one: each has its own name before its parts, inputs and outputs.

    An input that comes from the data is one for all of them.
    """

    members: tuple[NetDefinition, ...] = ()

    def laid_out(
        self, training: bool, resting: frozenset[Path] = frozenset(), *, judging: bool = False
    ) -> Elaborated:
        """Every net once, on inputs of its own or those of the data."""
        made = self.empty(training, resting, judging=judging)
        for member in self.members:
            operands = [
                self._input(made, member, name, tensor)
                for name, tensor in member.elaborated().inputs.items()
            ]
            result = member.apply_inside(made.elaboration, operands, member.name_span)
            for name, tensor in outputs_of(result).items():
                made.outputs[f"{member.name}.{name}"] = tensor
        return made

    def empty(self, training: bool, resting: frozenset[Path], *, judging: bool) -> Elaborated:
        """A graph without any of the nets yet: for an objective that uses them as stages."""
        uses = self.scope.problems.uses
        elaboration = Elaboration(training, judging, uses=uses, resting=resting)
        return Elaborated(elaboration, elaboration.build.graph, {}, {})

    def _input(self, made: Elaborated, member: NetDefinition, name: str, tensor: Tensor) -> Tensor:
        known = name if member.source is not None else f"{member.name}.{name}"
        if known not in made.inputs:
            value = made.elaboration.input(known, tensor.shape, tensor.value.type)
            made.inputs[known] = Tensor(value, tensor.span, tensor.arose)
        return made.inputs[known]


def joined(
    members: Sequence[NetDefinition], source: DataSource | None, span: Span, scope: Scope
) -> JointDefinition:
    """The nets as one, called by the names of all."""
    data = source.name if source is not None else None
    name = JOINT.join(member.name for member in members)
    net = tree.Net(span, name, span, data, span, tree.Body(span, ()))
    return JointDefinition(net, scope, source, members=tuple(members))
