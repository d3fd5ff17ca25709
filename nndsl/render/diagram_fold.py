"""From a network to a picture folded by structure: what repeats is drawn once, with how often.

Blocks that are used several times or are large are one box; `opened` names unfold them. Folding
compares structure (stages, shapes, wiring), never names: a `for` folds as `* n` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from nndsl.diagnostics import error, nearest
from nndsl.lower.result import Network
from nndsl.records import dataclass
from nndsl.render.diagram_cost import graph_flops
from nndsl.render.diagram_joint import with_wiring
from nndsl.render.diagram_picture import (
    Arrow,
    Box,
    Frame,
    Picture,
    count_text,
    flops_text,
    shape_text,
)
from nndsl.render.diagram_runs import Run, Signatures, runs_of
from nndsl.render.structure import Group, Stage, Structure, structure_of

LARGE = 6
"""Stages of a block from which on it is one box, even where it is used only once."""

FEWEST_SHOWN = 3
"""Things in a net below which its blocks are opened: a single box tells nothing."""

MOST_OPENED = 12
"""Things in a block up to which it is opened where it holds more than half of a net."""

MOST_LEVELS = 8
"""Uses of a block within itself up to which they are opened: the levels of a U-Net."""

EVERYTHING = "all"
LONGEST_PREVIEW = 44


def picture_of(network: Network, opened: Iterable[str] = ()) -> Picture:
    """The picture of a lowered network.

    `opened`: names of blocks or paths of parts to show unfolded; "all" for everything.
    Errors: NN019 when a name is none of them.
    """
    opened = tuple(opened)
    structure = structure_of(network, opened)
    choice = _Choice(structure.root, opened)
    picture = Picture(network.name, (_totals(network),))
    folder = _Folder(structure, choice, picture)
    folder.show_all()
    folder.add_arrows()
    return with_wiring(picture, network)


def _totals(network: Network) -> str:
    work = flops_text(graph_flops(network.graph))
    text = f"{count_text(network.parameter_count, 'parameter')} · {work} a row"
    return text if network.is_complete else f"{text}, without what the data decides"


class _Choice:
    """Which blocks are drawn open, and which things are told apart from their like."""

    def __init__(self, root: Group, opened: Sequence[str]) -> None:
        self.uses: dict[str, int] = {}
        self.within_itself: set[str] = set()
        self.shown: set[Group] = set()
        self.kept: set[Stage | Group] = set()
        self.everything = False
        self.names: dict[str, None] = {}
        parents: dict[Stage | Group, Group] = {}
        for group in _groups(root):
            if group.part is not None:
                self.uses[group.part.word] = self.uses.get(group.part.word, 0) + 1
            parents |= dict.fromkeys(group.children, group)
            around = parents.get(group)
            while around is not None and group.part is not None:
                if _word(around) == group.part.word:
                    self.within_itself.add(group.part.word)
                around = parents.get(around)
        for name in opened:
            self._open(name, parents)
        self.signatures = Signatures(self.kept, self.is_open)

    def _open(self, name: str, parents: dict[Stage | Group, Group]) -> None:
        """Open all blocks of a name, or the one at a path, and what they stand in."""
        by_word = [c for c in parents if name == _word(c)]
        found = by_word or [c for c in parents if _is_at(c, name)]
        if not found and name == EVERYTHING:
            self.everything = True
            found = [c for c in parents if isinstance(c, Stage)]
        if not found:
            known = sorted({text for c in parents for text in (_word(c), _path(c)) if text})
            near = nearest(name, known)
            blocks = ", ".join(self.uses) or "none"
            help = f"did you mean `{near[0]}`?" if near else f"blocks: {blocks}"
            raise error("NN019", f"the net has no block or part `{name}` to open", help=help)
        for child in found:
            above: Stage | Group | None = child
            while above is not None:
                if isinstance(above, Group):
                    self.shown.add(above)
                if not by_word:
                    self.kept.add(above)
                above = parents.get(above)

    def is_open(self, group: Group) -> bool:
        """Whether the inside of a block is drawn."""
        if self.everything or group in self.shown or self.is_level(group):
            return True
        return self.is_alone(group) and sum(1 for _ in group.stages()) < LARGE

    def is_level(self, group: Group) -> bool:
        """Whether its block uses itself, a few levels deep: then all levels are to be seen."""
        word = _word(group)
        return word in self.within_itself and self.uses[word] <= MOST_LEVELS

    def is_alone(self, group: Group) -> bool:
        """Whether its block is used nowhere else in the net."""
        return self.uses.get(_word(group), 0) < 2


def _groups(root: Group) -> list[Group]:
    found = [root]
    for group in found:
        found += [child for child in group.children if isinstance(child, Group)]
    return found


def _word(child: Stage | Group) -> str:
    return child.part.word if isinstance(child, Group) and child.part is not None else ""


def _path(child: Stage | Group) -> str:
    if isinstance(child, Stage):
        return child.path
    return child.part.path if child.part is not None else ""


def _is_at(child: Stage | Group, name: str) -> bool:
    path = _path(child)
    return path == name or path.endswith("." + name)


@dataclass
class _Folder:
    """Makes boxes and frames of runs and remembers the box of every stage, hidden ones too."""

    structure: Structure
    choice: _Choice
    picture: Picture

    def __post_init__(self) -> None:
        self.box_of: dict[Stage, Box] = {}
        self.drawn: list[Stage] = []
        self.readers: dict[Stage, list[Stage]] = {}
        for stage in self.structure.root.stages():
            for source in stage.sources:
                self.readers.setdefault(source, []).append(stage)
        self.leaving = set(self.structure.outputs.values())

    def show_all(self) -> None:
        """Everything; where little but a block or two would be seen, their insides."""
        children = self.structure.root.children
        shown = self._runs([c for c in children if isinstance(c, Group) or c.kind != "input"])
        if len(shown) < FEWEST_SHOWN:
            firsts = (child for run in shown for child in run.first)
            self.choice.shown.update(child for child in firsts if isinstance(child, Group))
        self._open_most(self.structure.root)
        self.show(children, None)

    def _open_most(self, group: Group) -> None:
        """Open what is used once and holds most of the net, unless it would be long."""
        half = sum(1 for _ in self.structure.root.stages()) / 2
        for child in group.children:
            if isinstance(child, Group) and sum(1 for _ in child.stages()) > half:
                few = len(self._runs(child.children)) <= MOST_OPENED
                if few and self.choice.is_alone(child):
                    self.choice.shown.add(child)
                if self.choice.is_open(child):
                    self._open_most(child)

    def _runs(self, children: Sequence[Stage | Group]) -> list[Run]:
        return runs_of(children, self.choice.signatures, self.readers, self.leaving)

    def show(self, children: Sequence[Stage | Group], frame: Frame | None) -> None:
        """Boxes for the children of a block, run by run."""
        for run in self._runs(children):
            if len(run.first) > 1 and run.times > 1:
                inner = Frame("", frame, run.times)
                self.picture.frames.append(inner)
                for child in run.first:
                    self._show_one(child, inner, 1)
            else:
                for child in run.first:
                    self._show_one(child, frame, run.times, () if run.alike else run.copies)
            self._hide_copies(run)

    def _show_one(
        self,
        child: Stage | Group,
        frame: Frame | None,
        times: int,
        growing: Sequence[Sequence[Stage | Group]] = (),
    ) -> None:
        """One thing and how often it stands here; `growing`: its copies that have other sizes."""
        if isinstance(child, Stage):
            self._add(self._stage_box(child, frame, times), [child])
        elif not self.choice.is_open(child):
            box = self._block_box(child, frame, times, growing)
            self._add(box, list(child.stages()))
        else:
            inner = Frame(child.part.shown if child.part is not None else "", frame, times)
            self.picture.frames.append(inner)
            self.show(child.children, inner)

    def _hide_copies(self, run: Run) -> None:
        """Let arrows from a later copy start where those from the first one do."""
        first = [stage for child in run.first for stage in child.stages()]
        for copy in run.copies:
            stages = (stage for child in copy for stage in child.stages())
            for stage, shown in zip(stages, first, strict=True):
                self.box_of[stage] = self.box_of[shown]

    def _add(self, box: Box, stages: list[Stage]) -> None:
        self.picture.boxes.append(box)
        self.drawn += stages
        self.box_of |= dict.fromkeys(stages, box)

    def _stage_box(self, stage: Stage, frame: Frame | None, times: int) -> Box:
        place = f"line {stage.line}" if stage.line is not None else ""
        tooltip = ": ".join(text for text in (stage.path, place) if text)
        small = _cost_lines([stage], times)
        lines = tuple(stage.lines)
        return Box(stage.kind, lines, small, frame, times, tooltip=tooltip or lines[0])

    def _block_box(
        self,
        group: Group,
        frame: Frame | None,
        times: int,
        growing: Sequence[Sequence[Stage | Group]],
    ) -> Box:
        assert group.part is not None
        stages = list(group.stages())
        every = [
            *stages,
            *(stage for copy in growing for child in copy for stage in child.stages()),
        ]
        most = max(stages, key=lambda s: (s.parameters, s.flops, s.kind not in ("join", "other")))
        span = group.part.span
        tooltip = f"{group.part.path}: line {span.line}" if span is not None else group.part.path
        small = (self._preview(group), *_cost_lines(every, 1 if growing else times))
        return Box(most.kind, (group.part.shown,), small, frame, times, True, tooltip)

    def _preview(self, group: Group) -> str:
        """What stands in a block, as words in order."""
        names: list[str] = []
        for run in self._runs(group.children):
            inner = [word for child in run.first for word in _names_in(child)]
            several = f"({' · '.join(inner)})" if len(inner) > 1 else "".join(inner)
            names += [f"{several} × {run.times}"] if run.times > 1 else inner
        in_rows = [(name, sum(1 for _ in alike)) for name, alike in groupby(names)]
        text = " · ".join(f"{name} × {count}" if count > 1 else name for name, count in in_rows)
        return text if len(text) <= LONGEST_PREVIEW else f"{text[: LONGEST_PREVIEW - 1]}…"

    def add_arrows(self) -> None:
        """Arrows between the boxes that are shown, each pair once, then those that leave."""
        pairs: dict[tuple[Box, Box], str] = {}
        for stage in self.drawn:
            for source in stage.sources:
                pair = self.box_of[source], self.box_of[stage]
                if pair[0] is not pair[1]:
                    pairs.setdefault(pair, shape_text(source.output))
        self.picture.arrows += [Arrow(a, b, label) for (a, b), label in pairs.items()]
        loops = {(self.box_of[a], self.box_of[b]): name for a, b, name in self.structure.loops}
        for (a, b), name in loops.items():
            self.picture.loops.append(Arrow(a, b, name if a is not b else ""))
        alone = len(self.structure.outputs) == 1
        for name, stage in self.structure.outputs.items():
            box, label = self.box_of[stage], shape_text(stage.output)
            self.picture.arrows.append(Arrow(box, None, label, "" if alone else name))


def _names_in(child: Stage | Group) -> list[str]:
    if isinstance(child, Stage):
        return child.words
    return [child.part.word] if child.part is not None else []


def _cost_lines(stages: Sequence[Stage], times: int) -> tuple[str, ...]:
    """Learnt numbers and work, over all copies, and those of each."""
    parameters = sum(stage.parameters for stage in stages)
    flops = sum(stage.flops for stage in stages)
    shared = not parameters and any(stage.is_shared for stage in stages)
    lines = ["the same weights"] if shared else []
    if parameters:
        each = f" ({parameters:,} each)" if times > 1 else ""
        lines.append(count_text(parameters * times, "parameter") + each)
    if flops:
        lines.append(flops_text(flops * times))
    return tuple(lines) if times > 1 else (" · ".join(lines),) if lines else ()
