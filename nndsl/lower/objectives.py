"""`minimize expr`: an objective over tensors of nets, columns of the data, losses and arithmetic.

While the objective is gone through, `N.output`, `N.code`, `N.x` are tensors of the net's forward
pass, `d.image` and `d.price` the rows of the batch, and nets are stages: all in the graph of one
update. A `let` of the section whose value is a tensor is made anew in each of these graphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Role, Value
from nndsl.ir.types import BATCH, ElementType, TensorType, format_shape
from nndsl.lower.elaboration import Path
from nndsl.lower.evaluate import evaluate
from nndsl.lower.loss_calls import is_loss
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import OUTPUT, Elaborated, NetDefinition, data_inputs, outputs_of, path_of
from nndsl.lower.paths import fits, query_text
from nndsl.lower.scopes import Scope
from nndsl.lower.train_settings import Written
from nndsl.lower.values import DataSource, Group, Later, Mention, NetLike, Part, Tensor
from nndsl.lower.words import shown
from nndsl.records import dataclass
from nndsl.schema import TargetKind, TargetSchema
from nndsl.syntax import tree


@dataclass(frozen=True)
class _Pass:
    """One forward pass of a net: its tensors by their path inside it."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    lines: Mapping[Path, Tensor]


class Objective:
    """What names stand for in one objective, and its nodes in a graph (see `TensorNames`)."""

    def __init__(self, made: Elaborated, definition: NetDefinition, source: DataSource) -> None:
        assert source.schema is not None  # the caller has seen to it
        self.made, self.definition, self.source = made, definition, source
        self.schema = source.schema
        self._lets: dict[Later, Any] = {}
        self._open: list[Later] = []  # those being made
        self._columns: dict[str, Tensor] = {}
        self._passes: dict[str, _Pass] = {}
        if made.elaboration.home:
            self._passes[definition.name] = self._pass((), made.inputs, made.outputs)

    def value_of(self, written: Written) -> Value:
        """The objective as one number.

        Errors: NN324 for what is no number, and those of the tensors in it.
        """
        with self.made.elaboration.inside("objective"):
            found = evaluate(written.value, self._scope(written.scope))
        if isinstance(found, Tensor) and found.value.type.rank == 0:
            return found.value
        raise _no_number(found, written.span)

    def _scope(self, outer: Scope) -> Scope:
        scope = Scope(outer.session, outer, elaboration=self.made.elaboration)
        scope.recipe, scope.objective = False, self
        return scope

    # --- what names stand for ---------------------------------------------------------------

    def tensor(self, value: Any) -> Any:
        """The tensor of a part of a net, or of a `let`; other values as they are."""
        if isinstance(value, Later):
            return self._let(value)
        return self._part(value) if isinstance(value, Part) else value

    def _let(self, later: Later) -> Any:
        """What a `let` stands for, made when it is first asked for."""
        if later not in self._lets:
            if later in self._open:
                title = f"`{later.name}` is computed from itself"
                raise error("NN207", title, later.value.span, help="a `let` uses those above it")
            assert isinstance(later.names, Scope)
            self._open.append(later)
            self._lets[later] = evaluate(later.value, self._scope(later.names))
            self._open.remove(later)
        return self._lets[later]

    def column(self, source: DataSource, expression: tree.Field) -> Tensor | None:
        """An input or a target of the data that is trained on; None for other names."""
        name, place = expression.name, expression.span
        if source.schema is None or name in ("classes", "count"):
            return None
        if source.name != self.source.name:
            raise error(
                "NN318",
                f"`{source.name}` is not the data that is trained on: that is `{self.source.name}`",
                place,
                "every tensor has the rows of one batch",
            )
        inputs = [i.name for i in self.schema.inputs]
        if name == "inputs" and len(inputs) == 1:
            name = inputs[0]
        alone = next((i.name for i in self.schema.inputs if i.columns == (name,)), None)
        if name not in inputs and alone is not None:
            name = alone  # pictures are called by their column as well
        if name in inputs:
            return self._input(name, place)
        target = next((t for t in self.schema.targets if t.name == name), None)
        return self._target(target, place) if target is not None else None

    def _input(self, name: str, span: Span) -> Tensor:
        """The rows of an input: that of the net, where it has one."""
        names = [i.name for i in self.schema.inputs]
        if self.made.elaboration.home and len(self.made.inputs) == len(names):
            tensor = list(self.made.inputs.values())[names.index(name)]
            self._check_fed(tensor, name, span)
            return tensor
        if name not in self.made.inputs:
            type = data_inputs(self.source)[name]
            value = self.made.elaboration.input(name, type.shape, type)
            arose = f"{format_shape(type.shape)} from `{self.source.name}`"
            self.made.inputs[name] = Tensor(value, span, arose)
        return self.made.inputs[name]

    def _check_fed(self, tensor: Tensor, name: str, span: Span) -> None:
        """NN306 for a net of another input: alone it can only be trained on what it takes."""
        wanted = data_inputs(self.source)[name].shape
        known = all(isinstance(d, int) for d in (*wanted, *tensor.shape))
        if known and prod(tensor.shape) != prod(wanted):
            net = self.definition.name
            raise error(
                "NN306",
                f"the network takes {format_shape(tensor.shape)}, but `{self.source.name}` gives "
                f"{format_shape(wanted)}",
                span,
                secondary=[(tensor.span, "declared here")],
                help=f"a net that is fed with other numbers is trained beside one that takes the "
                f"data: `train ({net}, Other) on {self.source.name}`",
            )

    def _target(self, target: TargetSchema, span: Span) -> Tensor:
        if target.name not in self._columns:
            value = self.made.elaboration.build.input(target.name, _type(target), Role.TARGET)
            shape = format_shape(value.type.shape)
            self._columns[target.name] = Tensor(value, span, f"{shape} from `{self.source.name}`")
        return self._columns[target.name]

    # --- tensors of nets --------------------------------------------------------------------

    def _part(self, part: Part) -> Tensor:
        """`N.output`, an input, a named line, a stage or a learnt array of a net."""
        found = self._pass_of(part.net, part.span)
        name, index = part.query[-1]
        if len(part.query) == 1 and index is None:
            named = {OUTPUT: next(iter(found.outputs.values())), **found.outputs, **found.inputs}
            lines = [path for path in found.lines if fits(path, part.query)]
            if not lines and name in named:
                return named[name]
        return self._line(found, part)

    def _line(self, found: _Pass, part: Part) -> Tensor:
        fitting = [path for path in found.lines if fits(path, part.query)]
        shallowest = [p for p in fitting if len(p) == min(map(len, fitting))]
        if len(shallowest) == 1:
            return found.lines[shallowest[0]]
        net, query = part.net.name, query_text(part.query)
        if shallowest:
            title = f"`{net}.{query}` may be one of {len(shallowest)} tensors"
            choices = ", ".join(f"`{net}.{'.'.join(path)}`" for path in shallowest[:4])
            raise error("NN318", title, part.span, help=f"write one of {choices}")
        known = dict.fromkeys([OUTPUT, *found.outputs, *found.inputs])
        known |= dict.fromkeys(path[-1].partition("[")[0] for path in found.lines)
        title = f"net `{net}` has no tensor called `{query}`"
        raise unknown_name("NN318", title, part.query[-1][0], known, part.span)

    def _pass_of(self, net: NetLike, span: Span) -> _Pass:
        """The net's forward pass on the batch: its own, or made now on the columns of the data."""
        if net.name in self._passes:
            return self._passes[net.name]
        assert isinstance(net, NetDefinition)
        if net.source is None or net.source.name != self.source.name:
            wanted = next(iter(net.elaborated().inputs.values()), None)
            raise error(
                "NN318",
                f"`{net.name}` has no input here: it does not stand on `{self.source.name}`",
                span,
                "of which numbers?",
                secondary=[(wanted.span if wanted is not None else None, "its input")],
                help=f"let made = noise(64) -> {net.name}",
            )
        operands = [self._input(name, span) for name in net.elaborated().inputs]
        result = net.apply_inside(self.made.elaboration, operands, span)
        inputs = dict(zip(net.elaborated().inputs, operands, strict=True))
        self._passes[net.name] = self._pass(path_of(net.name), inputs, outputs_of(result))
        return self._passes[net.name]

    def _pass(
        self, base: Path, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]
    ) -> _Pass:
        """The tensors of a net as they are now: another use of it takes over the paths."""
        lines = {
            path[len(base) :]: t
            for path, t in self._all_lines()
            if path[: len(base)] == base != path
        }
        return _Pass(dict(inputs), dict(outputs), lines)

    def _all_lines(self) -> Iterator[tuple[Path, Tensor]]:
        """Learnt arrays, stages and named lines by path; a line hides a stage of its path."""
        elaboration = self.made.elaboration
        for name, draft in elaboration.drafts.items():
            yield tuple(name.split(".")), Tensor(draft.value, draft.span)
        for part in elaboration.parts:
            yield tuple(part.path.split(".")), Tensor(part.output, part.span)
        for name, tensor in elaboration.points.items():
            yield tuple(name.split(".")), tensor


def _type(target: TargetSchema) -> TensorType:
    if target.sequence:  # lengths are names until a graph is finished, as those of inputs are
        return TensorType((BATCH, *map(str, target.shape)), ElementType.INDEX)
    if target.kind is TargetKind.CLASSES:
        return TensorType((BATCH, *target.shape), ElementType.INDEX)
    return TensorType((BATCH, *(target.shape or (1,))))


def _no_number(found: Any, span: Span) -> NndslError:
    if isinstance(found, Tensor):
        shape = format_shape(found.value.type.shape)
        title = f"an objective is one number, this is {shape} for each row"
        return error("NN324", title, span, help=f"mean({span.text}), or a loss such as `mse(a, b)`")
    if isinstance(found, Group):
        title = f"an objective is one number, this is {len(found.tensors)} tensors"
        return error("NN324", title, span, help="add them up: `minimize a + 0.3 * b`")
    net = _net_in(found)
    if net is not None:
        title = f"an objective is computed from tensors, and `{net.name}` is a net"
        return error("NN324", title, span, help=f"its answer is `{net.name}.output`")
    loss = found.name if isinstance(found, Mention) and is_loss(found.name) else "mse"
    return error(
        "NN324",
        f"an objective is computed from tensors, this is {shown(found)}",
        span,
        "nothing in it changes with the weights",
        help=f"for instance `minimize {loss}(Net.output, data.target)`",
    )


def _net_in(found: Any) -> NetLike | None:
    """A net where a tensor is meant: by itself, or as an argument of a word."""
    given = [one.value for one in found.given or ()] if isinstance(found, Mention) else [found]
    return next((value for value in given if isinstance(value, NetLike)), None)
