"""One graph in the making: parts and their paths, learnt arrays, bounds, places for messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Builder, Graph, Role, Value
from nndsl.ir.types import BATCH, Dimension, TensorType, format_shape
from nndsl.lower.result import Inferred, Part, Settling
from nndsl.lower.values import Tensor
from nndsl.ops.binding import bind, names_in
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.scan import nodes_within
from nndsl.random import stream_of
from nndsl.records import dataclass
from nndsl.scalar.expression import constant
from nndsl.scalar.functions import not_equal
from nndsl.vocab.registry import WordCall

Path = tuple[str, ...]

NUMBERS = TensorType(())
MOST_STAGES = 50_000
MOST_NUMBERS = 10**11
MOST_BLOCKS_DEEP = 40


@dataclass
class Draft:
    """A learnt array before the activation that follows it is known."""

    path: Path
    name: str
    shape: tuple[Dimension, ...]
    value: Value
    initializer: WordCall | None
    values: np.ndarray | None
    fan_in: int
    fan_out: int
    axes: tuple[int, ...] | None
    decays: bool
    span: Span | None
    owner: str = ""


@dataclass(frozen=True)
class Judgement:
    """That an objective calls a loss on two tensors."""

    output: Value
    target: Value
    loss: WordCall
    mask: Value | None = None  # where it counts; everywhere


NetUse = tuple[str, tuple[Value, ...], tuple[Value, ...]]
"""A net used as a stage: its name, what it is used on, what it gives."""


@dataclass
class Elaboration:
    """The graph of one net in one mode, while its body is gone through.

    `uses` says, for notes, which blocks are being gone through (the list is that of `Problems`).
    Paths are kept with an index in every segment (`dense[1]`) until the end, when those that have
    no namesake lose it.
    """

    training: bool
    judging: bool = False  # whether an objective is added that is told and not followed
    build: Builder = field(default_factory=Builder)
    drafts: dict[str, Draft] = field(default_factory=dict)
    draft_names: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    points: dict[str, Tensor] = field(default_factory=dict)
    path: Path = ()
    owner: str = ""
    uses: list[str] = field(default_factory=list)
    block_paths: list[Path] = field(default_factory=lambda: [()])
    stages: int = 0
    _counts: dict[tuple[Path, str], int] = field(default_factory=dict)
    _totals: dict[tuple[Path, str], int] = field(default_factory=dict)
    _streams: int = 0
    sharing: bool = False
    inferred: list[Inferred] = field(default_factory=list)  # "path argument" until the end
    states: dict[str, Value] = field(default_factory=dict)  # the inputs, by path
    resting: frozenset[Path] = frozenset()  # parts whose weights this training leaves as they are
    home: str = ""  # the net whose parts have no net before their names, once it is laid out
    judged: list[Judgement] = field(default_factory=list)
    net_uses: list[NetUse] = field(default_factory=list)
    reverse: bool = False  # whether sequences are gone through from their end
    masks: dict[Value, Value] = field(default_factory=dict)  # of sequences: 1 until they end
    settlings: list[Settling] = field(default_factory=list)
    purpose: str = ""  # of several graphs of one network: keeps their random streams apart

    # --- paths ------------------------------------------------------------------------------

    @contextmanager
    def inside(self, word: str) -> Iterator[Path]:
        """Work in a new part called `word`, with its index among those of that name here."""
        key = (self.path, word)
        index = self._counts.get(key, 0) + 1
        self._counts[key] = index
        self._totals[key] = max(self._totals.get(key, 0), index)
        with self._at((*self.path, f"{word}[{index}]")) as path:
            yield path

    def reserve(self, word: str) -> Path:
        """A path for a shared stage, whose weights stay there wherever it is used."""
        with self.inside(word) as path:
            return path

    @contextmanager
    def shared(self, path: Path, owner: str | None = None) -> Iterator[None]:
        """Work at a fixed path, where learnt arrays that exist already are used again."""
        kept = self._counts, self.sharing, self.owner
        self._counts, self.sharing = {}, True
        self.owner = self.owner if owner is None else owner
        if owner is not None:
            self._totals.setdefault((path[:-1], owner), 1)
        with self._at(path):
            yield
        self._counts, self.sharing, self.owner = kept

    @contextmanager
    def _at(self, path: Path) -> Iterator[Path]:
        before, self.path = self.path, path
        label, self.build.label = self.build.label, ".".join(path)
        try:
            yield path
        finally:
            self.path, self.build.label = before, label

    @contextmanager
    def at_span(self, span: Span) -> Iterator[None]:
        """Nodes made inside belong to this place of the source."""
        before, self.build.span = self.build.span, span
        try:
            yield
        finally:
            self.build.span = before

    def final_path(self, path: Path) -> str:
        """A path for people: `residual[3].conv.weight`."""
        segments = []
        for position, segment in enumerate(path):
            word = segment.partition("[")[0]
            alone = self._totals.get((path[:position], word), 1) == 1
            segments.append(word if alone else segment)
        return ".".join(segments)

    # --- bounds and places ------------------------------------------------------------------

    def count_stage(self, span: Span) -> None:
        """Bound the size of the network."""
        self.stages += 1
        if self.stages > MOST_STAGES:
            raise too_many_stages(self.stages, span)

    @contextmanager
    def used_from(self, name: str, span: Span, path: Path) -> Iterator[None]:
        """Work inside a block that is used at `span`; messages say so."""
        if len(self.uses) >= MOST_BLOCKS_DEEP:
            raise error(
                "NN207",
                f"block `{name}` uses itself without end",
                span,
                f"{MOST_BLOCKS_DEEP} levels deep here",
                help="let a parameter count down and end with `if depth > 0 { ... }`",
            )
        self.uses.append(f"in `{name}`, used at line {span.line}: `{_one_line(span.text)}`")
        self.block_paths.append(path)
        try:
            yield
        finally:
            self.uses.pop()
            self.block_paths.pop()

    @property
    def blocks(self) -> Path:
        """The path of the block being gone through; () at the top."""
        return self.block_paths[-1]

    def outer_blocks(self) -> Path:
        """The path of the block around the one being gone through."""
        return self.block_paths[-2]

    # --- inputs and learnt arrays -----------------------------------------------------------

    def input(self, name: str, shape: Sequence[Dimension], like: TensorType = NUMBERS) -> Value:
        """An input of one example's `shape`, with the batch before it, of numbers `like` these."""
        type = replace(like, shape=(BATCH, *shape))
        value = self.build.input(name, type, Role.DATA)
        if type.padding is not None and type.rank == 2:
            is_there = not_equal(operand(0), constant(float(type.padding)))
            self.masks[value] = add_map(self.build, is_there, value, name="mask")
        return value

    def keep_mask(self, inputs: Iterable[Value], result: Value) -> None:
        """Let a sequence made of others end where the first of them ends that ends early."""
        shape = result.type.shape
        found = (self.masks[v] for v in inputs if v in self.masks)
        mask = next((m for m in found if m.type.shape == shape[:2]), None)
        if mask is not None:
            self.masks.setdefault(result, mask)

    def stream(self) -> int:
        """A number for a random stream of its own, the same in every run."""
        self._streams += 1
        return stream_of(f"{self.purpose}{'.'.join(self.path)}#{self._streams}")

    def learnt(self, draft: Draft) -> Value:
        """The value of a learnt array, made now or, at a shared path, used again."""
        name = ".".join((*draft.path, draft.name))
        known = self.drafts.get(name)
        if known is None:
            type = TensorType(draft.shape)
            draft.value = self.build.input(name, type, Role.PARAMETER)
            draft.owner = self.owner
            self.drafts[name] = draft
            self.draft_names.append(name)
            return draft.value
        if not _may_be_equal(known.shape, draft.shape):
            raise error(
                "NN203",
                f"shared weights of {format_shape(known.shape)} are used where "
                f"{format_shape(draft.shape)} are needed",
                draft.span,
                "one set of weights has one shape: every use needs the same input size",
            )
        return known.value

    def kept(self, path: str, shape: tuple[Dimension, ...], start: float) -> Value:
        """The present value of a state: its input, or what an earlier use of it left."""
        if path not in self.states:
            type = TensorType(shape)
            self.states[path] = self.build.input(path, type, Role.STATE, start=start)
        return self.build.graph.updates.get(path, self.states[path])

    def add_part(self, part: Part) -> None:
        """Record a stage as written; its path gets its final form at the end."""
        self.parts.append(part)

    # --- the end ----------------------------------------------------------------------------

    def finish(self) -> Graph:
        """Give parts, labels and learnt arrays their final names."""
        graph = self.build.graph
        finals: dict[str, str] = {}

        def final(label: str) -> str:
            if label not in finals:
                finals[label] = self.final_path(tuple(label.split("."))) if label else ""
            return finals[label]

        for node in nodes_within(graph):
            node.label = final(node.label)
        self.parts = [
            replace(
                part,
                path=final(part.path),
                parent=final(part.parent),
                parameters=tuple(final_parameter(final, p) for p in part.parameters),
            )
            for part in self.parts
        ]
        self.drafts = {final_parameter(final, name): d for name, d in self.drafts.items()}
        self.inferred = [
            replace(note, what=f"{note.what.partition(' ')[2]} of {final(note.what.split(' ')[0])}")
            for note in self.inferred
        ]
        self.settlings = [replace(one, path=final(one.path)) for one in self.settlings]
        self.points = {final(name): tensor for name, tensor in self.points.items()}
        for name, draft in self.drafts.items():
            draft.value.name = name
        renamed = {name: final_parameter(final, name) for name in self.states}
        self.states = {renamed[name]: value for name, value in self.states.items()}
        for name, value in self.states.items():
            value.name = name
        graph.updates = {renamed[name]: value for name, value in graph.updates.items()}
        graph.inputs = {i.value.name: i for i in graph.inputs.values()}
        bind(graph, {name: int(name) for name in names_in(graph) if name.isdigit()})
        return graph


def _may_be_equal(a: tuple[Dimension, ...], b: tuple[Dimension, ...]) -> bool:
    """Whether two shapes are the same as far as is known: `d.left` is a size of absent data."""
    return len(a) == len(b) and all(x == y or "." in f"{x}{y}" for x, y in zip(a, b, strict=True))


def final_parameter(final: Any, name: str) -> str:
    """The final name of a learnt array: its part's path, then its own name."""
    path, _, last = name.rpartition(".")
    return f"{final(path)}.{last}"


def too_many_stages(count: int, span: Span) -> NndslError:
    """An error for a network that would be too large to lay out."""
    return error(
        "NN208",
        f"this would be {count:,} stages; at most {MOST_STAGES:,} are laid out",
        span,
        "refused before anything is built",
    )


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else words[:57] + "..."


class StageContext:
    """What a layer may ask while it is built: satisfies `vocab.kinds.LayerContext`."""

    def __init__(
        self, elaboration: Elaboration, span: Span, places: Mapping[str, Span] | None = None
    ) -> None:
        self._elaboration = elaboration
        self._span = span
        self._places = places or {}
        self.build = elaboration.build
        self.training = elaboration.training and elaboration.path not in elaboration.resting
        self.judging = elaboration.judging
        self.reverse = elaboration.reverse
        self.made: list[str] = []
        self.remarks: list[str] = []
        self.keeping = ""

    def stream(self) -> int:
        """A number for a random stream that no other part of the network uses."""
        return self._elaboration.stream()

    def mask(self, value: Value) -> Value | None:
        """Where a sequence has ended (see `LayerContext`)."""
        return self._elaboration.masks.get(value)

    def weights_at(self, path: Path) -> Sequence[Value]:
        """The learnt arrays made so far at the path of a shared stage."""
        drafts = self._elaboration.drafts.values()
        return [draft.value for draft in drafts if draft.path[: len(path)] == path]

    def remark(self, text: str, keeping: str = "") -> None:
        """How the size came about (see `LayerContext`)."""
        self.remarks.append(text)
        self.keeping = keeping

    def parameter(
        self,
        name: str,
        shape: tuple[Dimension, ...],
        *,
        initializer: WordCall | None = None,
        values: np.ndarray | float | None = None,
        fan_in: int = 1,
        fan_out: int = 1,
        axes: tuple[int, ...] | None = None,
        decays: bool = True,
    ) -> Value:
        """A learnt array called `name` in this layer's part (see `LayerContext`)."""
        self._bound(shape)
        draft = Draft(
            self._elaboration.path,
            name,
            tuple(shape),
            Value(name, TensorType(())),
            initializer,
            self._start_values(name, shape, values, axes),
            fan_in if isinstance(fan_in, int) else 1,
            fan_out if isinstance(fan_out, int) else 1,
            axes,
            decays,
            self._span,
        )
        self.made.append(self._path(name))
        return self._elaboration.learnt(draft)

    def state(self, name: str, shape: tuple[Dimension, ...], *, start: float = 0.0) -> Value:
        """An array that is kept from step to step (see `LayerContext`)."""
        self._bound(shape)
        return self._elaboration.kept(self._path(name), tuple(shape), start)

    def update(self, name: str, value: Value) -> None:
        """Let a state have another value after the step."""
        self.build.graph.updates[self._path(name)] = value

    def _path(self, name: str) -> str:
        return ".".join((*self._elaboration.path, name))

    def _bound(self, shape: tuple[Dimension, ...]) -> None:
        count = 1
        open_sizes = [size for size in shape if isinstance(size, str) and "." not in size]
        if open_sizes:
            raise error(
                "NN209",
                f"the weights would be {format_shape(shape)}: `{open_sizes[0]}` is known only at "
                "run time",
                self._span,
                "the number of weights must be known before",
                help="give the size a number, or name it: `let n = 4`",
            )
        for size in shape:
            count *= size if isinstance(size, int) else 1
        if count > MOST_NUMBERS:
            gigabytes = count * 4 // 10**9
            title = "these weights are more than any memory holds"
            if gigabytes < 10**9:
                size = f"{count:.2g} numbers, {gigabytes:,} GB"
                title = f"weights of {format_shape(shape)} are {size}"
            raise error(
                "NN208",
                title,
                self._span,
                f"at most {MOST_NUMBERS:.0e} numbers stand in one array",
            )

    def _start_values(
        self,
        name: str,
        shape: tuple[Dimension, ...],
        values: np.ndarray | float | None,
        axes: tuple[int, ...] | None,
    ) -> np.ndarray | None:
        """Values written in the file, in the graph's layout; one number fills all."""
        if values is None:
            return None
        sizes = tuple(size for size in shape if isinstance(size, int))
        if len(sizes) < len(shape):
            return None  # sizes that only the data can tell: nothing to compare with
        given = np.asarray(values, dtype=np.float64)
        if given.ndim == 0:
            return np.broadcast_to(given, sizes)  # takes no memory, however large
        wanted = tuple(sizes[a] for a in axes) if axes else sizes
        if given.shape != wanted:
            raise self._wrong_values(name, given.shape, wanted)
        if axes is None:
            return given
        inverse = tuple(axes.index(a) for a in range(len(axes)))
        return np.ascontiguousarray(given.transpose(inverse))

    def _wrong_values(
        self, name: str, given: tuple[int, ...], wanted: tuple[int, ...]
    ) -> NndslError:
        place = self._places.get(f"{name}s") or self._places.get(name) or self._span
        needed = str(wanted[0]) if wanted else "one"
        if len(wanted) == 2:
            needed = f"{wanted[0]} row{'s' * (wanted[0] != 1)} (one a neuron) of {wanted[1]}"
        return error(
            "NN201",
            f"the {name} is given as {'x'.join(map(str, given))} numbers, "
            f"but {'x'.join(map(str, wanted))} are needed",
            place,
            f"this stage needs {needed} numbers",
        )
