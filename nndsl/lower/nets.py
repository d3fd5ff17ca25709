"""`net`: a thing with weights of its own; used as a stage, they are the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import field, replace

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.ir.graph import Graph
from nndsl.ir.types import Dimension, ElementType, TensorType, format_shape, format_type
from nndsl.lower.elaboration import Elaboration, Path
from nndsl.lower.flow import Course, run_body
from nndsl.lower.names import unknown_name
from nndsl.lower.paths import resolve
from nndsl.lower.problems import PoisonedError
from nndsl.lower.result import Part as StagePart
from nndsl.lower.scopes import Scope
from nndsl.lower.shapes import shape_of, type_of
from nndsl.lower.stages import as_flow
from nndsl.lower.values import (
    POISON,
    DataSource,
    DefaultsLine,
    Given,
    Group,
    NetLike,
    Part,
    Poison,
    Query,
    Stage,
    Tensor,
    Unknown,
    tensors_of,
)
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, InputSchema
from nndsl.syntax import tree
from nndsl.vocab.preprocessing import ids_of, padding_of

OUTPUT = "output"
ONLY_INPUT = "input"
"""The name in the graph of the only input of a net without data."""

InputMaker = Callable[[str, TensorType, Span | None, str], Tensor]


@dataclass
class Elaborated:
    """A net gone through once, in training or inference mode."""

    elaboration: Elaboration
    graph: Graph
    inputs: dict[str, Tensor]  # by the name in the graph
    outputs: dict[str, Tensor]


@dataclass(eq=False)
class NetDefinition(NetLike):
    """A `net` under its name. `defaults` are the `defaults` lines of the file before it.

    `given` are the shapes of the data that it is trained on, for pictures whose height and width
    are names in the net: `input x: 1xHxW`. Sizes that only the data knows are names with a dot.
    """

    net: tree.Net
    scope: Scope
    source: DataSource | None = None
    defaults: DefaultsLine | None = None
    _modes: dict[bool, Elaborated] = field(default_factory=dict)
    failed: bool = False
    given: Sequence[tuple[Dimension, ...]] = ()
    _running: bool = False
    _misfits: set[tuple[tuple[Dimension, ...], tuple[Dimension, ...]]] = field(default_factory=set)

    @property
    def any_size(self) -> bool:
        """Whether it takes pictures of any height and width."""
        sizes = [s.shape for s in self.net.body.statements if isinstance(s, tree.InputShape)]
        shapes = [shape_of(shape, self.scope) for shape in sizes if shape is not None]
        return any(len(shape) == 3 and isinstance(shape[1], str) for shape in shapes)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The net's name."""
        return self.net.name

    @property
    def name_span(self) -> Span:  # type: ignore[override]
        """Where the name stands in the definition."""
        return self.net.name_span

    # --- as a whole -------------------------------------------------------------------------

    def elaborated(self, training: bool = False) -> Elaborated:
        """The net's graph in one mode; made once, its errors reported once."""
        if self.failed:
            raise PoisonedError
        if training not in self._modes:
            self._guard()
            self._running = True
            try:
                self._modes[training] = self._elaborate(training)
            except PoisonedError:
                self.failed = True
                raise
            finally:
                self._running = False
        return self._modes[training]

    def fresh(self, training: bool, trained: Collection[str] | None = None) -> Elaborated:
        """The net's graph once more, for a loss to be added to it.

        `trained` names the arrays that learn: a stage none of whose arrays do is as at inference,
        so that batch normalisation in a part at rest keeps its statistics.
        """
        drafts = self.elaborated(training).elaboration.drafts
        if trained is not None and len(trained) < len(drafts):
            return self._elaborate(training, self.at_rest(trained))
        return self._modes.pop(training)  # made again when somebody asks again

    def at_rest(self, trained: Collection[str]) -> frozenset[Path]:
        """The parts none of whose learnt arrays are among `trained`."""
        drafts = self.elaborated().elaboration.drafts
        learning = {draft.path for name, draft in drafts.items() if name in trained}
        return frozenset({draft.path for draft in drafts.values()} - learning)

    def _guard(self) -> None:
        if self._running:
            self.failed = True
            raise error(
                "NN207",
                f"net `{self.name}` uses itself",
                self.name_span,
                help="a `block` may use itself; a net is one thing with one set of weights",
            )

    def _elaborate(self, training: bool, resting: frozenset[Path] = frozenset()) -> Elaborated:
        return self.finished(self.laid_out(training, resting))

    def finished(self, made: Elaborated) -> Elaborated:
        """The same with final names, and the outputs of the net as those of its graph."""
        made.elaboration.finish()
        made.graph.outputs = {name: tensor.value for name, tensor in made.outputs.items()}
        return made

    def laid_out(
        self, training: bool, resting: frozenset[Path] = frozenset(), *, judging: bool = False
    ) -> Elaborated:
        """The net's graph before its parts have their final names: an objective may add to it."""
        uses = self.scope.problems.uses
        elaboration = Elaboration(training, judging, uses=uses, resting=resting)
        inputs: dict[str, Tensor] = {}
        declared = [s for s in self.net.body.statements if isinstance(s, tree.InputShape)]

        def declare(name: str, type: TensorType, span: Span | None, arose: str) -> Tensor:
            known = ONLY_INPUT if len(declared) == 1 and self.source is None else name
            value = elaboration.input(known, type.shape, type)
            inputs[known] = Tensor(value, span, arose)
            return inputs[known]

        scope = self._inner_scope(elaboration)
        course = self._start(scope, declare)

        def declare_input(line: tree.InputShape, here: Scope, course: Course) -> None:
            if line.shape is None:
                raise _needs_shape(line)
            type = self._sized(type_of(line.shape, here), len(inputs), sizes)
            self._check_declarable(line, here)
            tensor = declare(line.name, type, line.span, f"{format_type(type)} here")
            here.define(line.name, tensor, line.name_span, "input")
            self._take_input(course, tensor, line)

        sizes: dict[str, Dimension] = {}
        course.declare_input = declare_input
        run_body(self.net.body, scope, course)
        outputs = outputs_of(self._result(course))
        elaboration.home = self.name
        return Elaborated(elaboration, elaboration.build.graph, inputs, outputs)

    def _sized(self, type: TensorType, place: int, sizes: dict[str, Dimension]) -> TensorType:
        """Pictures as high and wide as those of the data; the same name is the same size."""
        given = self.given[place] if place < len(self.given) else ()
        if len(type.shape) != 3 or len(given) != 3:
            return type
        for mine, theirs in zip(type.shape[1:], given[1:], strict=True):
            if isinstance(mine, str):
                sizes.setdefault(mine, theirs)
        shape = tuple(sizes.get(d, d) if isinstance(d, str) else d for d in type.shape)
        return replace(type, shape=shape)

    def _inner_scope(self, elaboration: Elaboration) -> Scope:
        scope = Scope(self.scope.session, self.scope, elaboration=elaboration)
        scope.defaults = self.defaults
        return scope

    def _remedy(self) -> str:
        """How the net gets an input: from the file's data, where it has any."""
        found = ((name, self.scope.find(name)) for name in self.scope.visible())
        names = [n for n, known in found if known and isinstance(known.value, DataSource)]
        if not names:
            return "write `input x: [4]` above this line"
        return f"write `net {self.name} on {names[0]} {{`, or `input x: [4]` above this line"

    def _start(self, scope: Scope, declare: InputMaker) -> Course:
        """The course of a net on data: its inputs are there from the start."""
        if self.source is None:
            return Course(None, "the net has no input yet", remedy=self._remedy())
        tensors: list[Tensor] = []
        for name, type in data_inputs(self.source).items():
            arose = f"{format_type(type)} from `{self.source.name}`"
            tensor = declare(name, type, self.net.data_span, arose)
            scope.define(name, tensor, None, "input")
            tensors.append(tensor)
        if len(tensors) == 1:
            return Course(tensors[0], last=tensors[0])
        names = ", ".join(f"`{name}`" for name in data_inputs(self.source))
        return Course(None, f"the data `{self.source.name}` has the inputs {names}")

    def _check_declarable(self, line: tree.InputShape, scope: Scope) -> None:
        if self.source is not None:
            raise error(
                "NN309",
                f"net `{self.name}` stands on data: its inputs come from there",
                line.span,
                secondary=[(self.net.data_span, "the data")],
                help=f"`input {line.name} = columns` in the data section, or `net {self.name}` "
                "without data and `train ... on data`",
            )
        before = scope.names.get(line.name)
        if before is not None:
            raise error(
                "NN302",
                f"the input `{line.name}` is given twice",
                line.name_span,
                "the second time",
                secondary=[(before.span, "the first time")],
            )

    def _take_input(self, course: Course, tensor: Tensor, line: tree.InputShape) -> None:
        first = not any(
            isinstance(s, tree.InputShape) and s.span.start < line.span.start
            for s in self.net.body.statements
        )
        if first:
            course.goes_on(tensor, line.span)
        else:
            course.goes_on(tensor, line.span)
            course.flow, course.why, course.remedy = None, "the net has several inputs", ""

    def _result(self, course: Course) -> Tensor | Group:
        if course.last is POISON:
            raise PoisonedError
        nothing = not self.net.body.statements
        if nothing or course.last is None or isinstance(course.last, Poison):
            raise error(
                "NN204",
                f"net `{self.name}` is empty: it has no output",
                self.name_span,
                help="the last line is the output, for instance `dense(1)`",
            )
        return course.last

    # --- as a stage -------------------------------------------------------------------------

    def stage(
        self,
        given: tuple[Given, ...],
        operands: tuple[Tensor, ...],
        span: Span,
        defaults: DefaultsLine | None,
    ) -> Stage:
        """The net on other inputs, with the weights it has everywhere."""
        if given:
            raise error(
                "NN315",
                f"net `{self.name}` takes no settings",
                given[0].span,
                help="a `block` has parameters; a net is one thing",
            )
        return NetStage(span, self, operands)

    def apply_inside(
        self, elaboration: Elaboration, operands: Sequence[Tensor], span: Span
    ) -> Tensor | Group:
        """Go through the body within another graph, at this net's own path."""
        scope = self._inner_scope(elaboration)
        waiting = list(operands)
        names = list(data_inputs(self.source)) if self.source is not None else []
        declared = [s.name for s in self.net.body.statements if isinstance(s, tree.InputShape)]
        wanted = declared or names
        if len(wanted) != len(operands):
            raise error(
                "NN205",
                f"net `{self.name}` has {counted(len(wanted), 'input')} "
                f"({', '.join(wanted)}), here are {len(operands)} tensors",
                span,
                secondary=[(self.name_span, "declared here")],
            )
        for name, tensor in zip(names, operands, strict=False):
            scope.define(name, tensor, None, "input")
        flow = as_flow(operands) if len(operands) == 1 else None
        course = Course(flow, f"net `{self.name}` has several inputs", last=flow)

        def declare_input(line: tree.InputShape, here: Scope, course: Course) -> None:
            tensor = waiting.pop(0)
            self._check_shape(line, here, tensor, span)
            here.define(line.name, tensor, line.name_span, "input")
            self._take_input(course, tensor, line)

        course.declare_input = declare_input
        self._guard()
        self._running = True
        try:
            with (
                elaboration.used_from(self.name, span, (self.name,)),
                self._place(elaboration),
            ):
                before, learnt = len(elaboration.parts), len(elaboration.draft_names)
                run_body(self.net.body, scope, course)
                result = self._result(course)
                if elaboration.home != self.name:
                    made = tuple(elaboration.draft_names[learnt:])
                    part = self._part(elaboration, operands, result, made, span)
                    elaboration.parts.insert(before, part)
        finally:
            self._running = False
        used, given = (tuple(t.value for t in ts) for ts in (operands, tensors_of(result)))
        elaboration.net_uses.append((self.name, used, given))
        return result

    def _part(
        self,
        elaboration: Elaboration,
        operands: Sequence[Tensor],
        result: Tensor | Group,
        made: tuple[str, ...],
        span: Span,
    ) -> StagePart:
        """A use of the net, as a block in which the parts that it made stand."""
        return StagePart(
            path=".".join(path_of(self.name)),
            word=self.name,
            text=self.name,
            parent=".".join(elaboration.outer_blocks()),
            inputs=tuple(tensor.value for tensor in operands),
            output=tensors_of(result)[0].value,
            parameters=made,
            is_block=True,
            span=span,
            shown=self.name,
        )

    def _place(self, elaboration: Elaboration) -> AbstractContextManager[None]:
        """Where the net's weights stand: at the top of its own graph, else under its name."""
        if elaboration.home == self.name:
            return elaboration.shared(())
        return elaboration.shared(path_of(self.name), self.name)

    def _check_shape(self, line: tree.InputShape, scope: Scope, tensor: Tensor, span: Span) -> None:
        if line.shape is None:
            raise _needs_shape(line)
        wanted = tuple(shape_of(line.shape, scope))
        fits = len(wanted) == len(tensor.shape) and all(
            a == b or isinstance(a, str) or isinstance(b, str)
            for a, b in zip(wanted, tensor.shape, strict=True)
        )
        if not fits:
            self._tell_once(wanted, tensor.shape)
            raise error(
                "NN203",
                f"net `{self.name}` takes {format_shape(wanted)}, here is "
                f"{format_shape(tensor.shape)}",
                span,
                secondary=[(line.span, "declared here"), (tensor.span, tensor.arose)],
            )

    def _tell_once(self, wanted: tuple[Dimension, ...], found: tuple[Dimension, ...]) -> None:
        """The same misfit at several uses is one mistake."""
        if (wanted, found) in self._misfits:
            raise PoisonedError
        self._misfits.add((wanted, found))

    # --- what others ask --------------------------------------------------------------------

    def parameter_count(self, query: Query) -> int | Unknown:
        """How many numbers are learnt, in the part named or in all."""
        drafts = self.elaborated().elaboration.drafts
        names = resolve(self, query, self.name_span) if query else list(drafts)
        total = 0
        for name in names:
            count = 1
            for size in drafts[name].shape:
                if isinstance(size, str):
                    return Unknown(f"{self.name}.parameters")
                count *= size
            total += count
        return total

    def parameter_names(self) -> list[str]:
        """The paths of all learnt arrays."""
        return list(self.elaborated().elaboration.drafts)

    def shape_of(self, query: Query, span: Span) -> tuple[Dimension, ...]:
        """The shape of a named line or output, for one example."""
        made = self.elaborated()
        name = query[-1][0]
        if name == OUTPUT and len(query) == 1:
            return next(iter(made.outputs.values())).shape
        points = {**made.elaboration.points, **made.outputs}
        for path, tensor in points.items():
            if path == name or path.rpartition(".")[2] == name:
                return tensor.shape
        raise unknown_name(
            "NN318",
            f"net `{self.name}` has no line called `{name}`",
            name,
            [*points, OUTPUT],
            span,
        )


def path_of(net: str) -> Path:
    """Where the parts of a net stand in the graph of another."""
    return (f"{net}[1]",)


def parameters_of(definition: NetDefinition, value: NetLike | Part) -> list[str]:
    """The learnt arrays of a net or a part, under the names that they have in `definition`.

    A net inside another keeps its own name before its parts. Empty for a net that is not inside.
    """
    net = value.net if isinstance(value, Part) else value
    inside = () if net is definition else ((net.name, None),)
    if isinstance(value, Part):
        return resolve(definition, (*inside, *value.query), value.span)
    names = definition.parameter_names()
    if net is definition or not isinstance(net, NetDefinition):
        return names
    drafts = net.elaborated().elaboration.drafts
    own = {n if draft.owner else f"{net.name}.{n}" for n, draft in drafts.items()}
    return [name for name in names if name in own]


@dataclass(eq=False)
class NetStage(Stage):
    """A net used as a stage."""

    span: Span
    definition: NetDefinition
    operands: tuple[Tensor, ...] = ()

    def apply(self, elaboration: Elaboration, operands: Sequence[Tensor]) -> Tensor | Group:
        """The net on these operands."""
        elaboration.count_stage(self.span)
        inputs = (*operands, *self.operands)
        return self.definition.apply_inside(elaboration, inputs, self.span)


def data_inputs(source: DataSource) -> dict[str, TensorType]:
    """The inputs that data gives a net; without the data their widths are names."""
    if source.schema is not None:
        return {i.name: type_of_input(i) for i in source.schema.inputs}
    if source.specification is None:
        return {ONLY_INPUT: TensorType((f"{source.name}.inputs",))}
    if source.specification.kind == "text":
        return {"text": _type_of_text(source.specification)}
    chains = {c.input: c for c in source.specification.chains if c.input is not None}
    types = {}
    for name, chain in chains.items():
        count = ids_of(chain.steps)
        element = ElementType.INDEX if count else ElementType.REAL
        types[name] = TensorType(
            (f"{source.name}.{name}",), element, count, padding_of(chain.steps)
        )
    return types or {ONLY_INPUT: TensorType((f"{source.name}.inputs",))}


def _type_of_text(specification: DataSpecification) -> TensorType:
    """Windows of a text that is not there: of bytes it is known how many there are."""
    window, level = (specification.options.get(name) for name in ("window", "level"))
    length = str(window.value) if window is not None else f"{specification.name}.window"
    every = level.value.word.every if level is not None else ()
    if not every:  # what characters there are only the text can tell
        return TensorType((f"{specification.name}.window",), ElementType.INDEX)
    return TensorType((length,), ElementType.INDEX, len(every))


def data_shapes(source: DataSource) -> tuple[tuple[Dimension, ...], ...]:
    """The shapes of the inputs that data gives; those of one picture where they are not known."""
    if source.schema is not None:
        return tuple(given.shape for given in source.schema.inputs)
    return (tuple(f"{source.name}.{size}" for size in ("channels", "height", "width")),)


def type_of_input(given: InputSchema) -> TensorType:
    """The type of one example of an input: numbers, or ids in time."""
    counts = [ids_of(steps) for steps in given.steps.values()]
    known = [count for count in counts if count is not None]
    if not known or len(known) < len(counts):
        if len(given.shape) == 2:  # rows of a series: a name, so that it is told from a signal
            return TensorType((str(given.shape[0]), given.shape[1]))
        return TensorType(given.shape)
    shape = tuple(str(size) for size in given.shape if given.shape != (1,))
    padding = next((padding_of(steps) for steps in given.steps.values()), None)
    return TensorType(shape, ElementType.INDEX, max(known), padding)


def outputs_of(result: Tensor | Group) -> dict[str, Tensor]:
    """Outputs by name: those of the last line, else `output`, `output2` ..."""
    names = result.names if isinstance(result, Group) else ()
    found: dict[str, Tensor] = {}
    for index, tensor in enumerate(tensors_of(result), 1):
        given = names[index - 1] if index <= len(names) else None
        found[given or (OUTPUT if index == 1 else f"{OUTPUT}{index}")] = tensor
    return found


def _needs_shape(line: tree.InputShape) -> NndslError:
    return error(
        "NN312",
        f"the input `{line.name}` needs a shape",
        line.span,
        help=f"input {line.name}: [4]",
    )
