"""A chain of distortions made ready: which pictures of an epoch become what.

Neighbouring distortions that only move pixels are one: their matrices are multiplied, so that a
picture is read once and not blurred several times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import numpy as np

from nndsl.random import uniforms_of
from nndsl.records import dataclass
from nndsl.vocab import distorting
from nndsl.vocab.augmentation import Arguments, Distortion, Size
from nndsl.vocab.registry import WordCall


@dataclass(frozen=True)
class Levels:
    """What a network sees of a black and of a white pixel, float64 [channels] each."""

    black: np.ndarray
    white: np.ndarray


@dataclass(frozen=True, eq=False)
class Beside:
    """A target that is a picture, and moves as the picture beside it does.

    `black` [channels] is what comes in from outside. Of `classes` each pixel is the nearest one,
    for there is nothing between two classes.
    """

    black: np.ndarray
    classes: bool


@dataclass(frozen=True, eq=False)
class Step:
    """One distortion at its place of the chain, on pictures of one size."""

    word: Distortion
    arguments: Arguments
    stream: int
    before: Size
    after: Size


@dataclass
class Movement:
    """Distortions that move pixels and follow one another; a smooth field ends them."""

    steps: list[Step] = field(default_factory=list)
    bend: Step | None = None


class Distorter:
    """Pictures of an epoch, distorted. The same for the same seed, epoch and element, always.

    `mechanisms` move, colour and fill: `nndsl.vocab.distorting`, or the kernels that follow it.
    """

    def __init__(
        self,
        chain: Sequence[WordCall],
        shape: tuple[int, ...],
        levels: Levels,
        seed: int,
        mechanisms: Any,
    ) -> None:
        self._levels, self._seed, self._mechanisms = levels, seed, mechanisms
        self._channels = shape[0]
        steps = _steps(chain, (shape[1], shape[2]))
        place = next((i for i, s in enumerate(steps) if s.word.blend is not None), len(steps))
        self._followed = [step for step in steps if step.word.follow is not None]
        self._first, self._blend = _grouped(steps[:place]), steps[place : place + 1]
        self._rest = _grouped(steps[place + 1 :])

    @property
    def mixes(self) -> bool:
        """Whether each picture is mixed with another one."""
        return bool(self._blend)

    def partners(
        self, elements: np.ndarray, epoch: int, count: int, classes: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which of `count` elements are mixed in, and the shares of the pictures themselves."""
        (step,) = self._blend
        u = uniforms_of(self._seed, step.stream, epoch, elements, step.word.draws)
        assert step.word.blend is not None
        share = step.word.blend(u, step.arguments, classes)
        return (u[:, 1] * count).astype(np.int64), share

    def before_mixing(
        self, x: np.ndarray, elements: np.ndarray, epoch: int, beside: Beside | None = None
    ) -> np.ndarray:
        """Pictures [n, channels, height, width] of these elements, up to where they are mixed.

        Those that stand `beside` are moved alike; their colours stay.
        """
        return self._apply(self._first, x, elements, epoch, beside)

    def after_mixing(
        self, x: np.ndarray, elements: np.ndarray, epoch: int, beside: Beside | None = None
    ) -> np.ndarray:
        """The rest of the chain."""
        return self._apply(self._rest, x, elements, epoch, beside)

    @property
    def moves_target(self) -> bool:
        """Whether what is to be predicted changes with the picture."""
        return bool(self._followed)

    def followed(self, target: np.ndarray, elements: np.ndarray, epoch: int) -> np.ndarray:
        """Targets [n, 1] in their own unit as they are for the distorted pictures."""
        for step in self._followed:
            assert step.word.follow is not None
            u = self._draw(step, elements, epoch)
            target = step.word.follow(target, u, step.arguments)
        return target

    def _apply(
        self,
        groups: Sequence[Movement | Step],
        x: np.ndarray,
        elements: np.ndarray,
        epoch: int,
        beside: Beside | None,
    ) -> np.ndarray:
        for group in groups:
            if isinstance(group, Movement):
                x = self._move(group, x, elements, epoch, beside)
            elif beside is None:
                x = self._change(group, x, elements, epoch)
        return x

    def _draw(self, step: Step, elements: np.ndarray, epoch: int) -> np.ndarray:
        return uniforms_of(self._seed, step.stream, epoch, elements, step.word.draws)

    def _move(
        self,
        group: Movement,
        x: np.ndarray,
        elements: np.ndarray,
        epoch: int,
        beside: Beside | None,
    ) -> np.ndarray:
        matrices = np.tile(np.eye(3), (len(x), 1, 1))
        for step in group.steps:
            assert step.word.warp is not None
            u = self._draw(step, elements, epoch)
            one = np.tile(np.eye(3), (len(x), 1, 1))
            one[:, :2] = step.word.warp(u, step.arguments, step.before)
            matrices = matrices @ one
        size = group.steps[-1].after if group.steps else x.shape[2:]
        fields = None
        if group.bend is not None:
            assert group.bend.word.bend is not None
            sigma, strength = group.bend.word.bend(group.bend.arguments)
            bases = distorting.basis(size[0], sigma), distorting.basis(size[1], sigma)
            draw = (epoch, self._seed, group.bend.stream)
            fields = self._mechanisms.field(draw, elements, bases, strength)
        black = self._levels.black if beside is None else beside.black
        edge = any(step.word.edge for step in group.steps)
        nearest = beside is not None and beside.classes
        warp = self._mechanisms.warp
        found = warp(x, matrices[:, :2], fields, size, black, edge, nearest=nearest)
        return np.rint(found).astype(x.dtype) if nearest else np.asarray(found)

    def _change(self, step: Step, x: np.ndarray, elements: np.ndarray, epoch: int) -> np.ndarray:
        word, black, white = step.word, self._levels.black, self._levels.white
        span = white - black
        if word.colour is not None:
            u = self._draw(step, elements, epoch)
            matrices = _on_levels(word.colour(u, step.arguments, self._channels), black, span)
            return np.asarray(self._mechanisms.colour(x, matrices))
        if word.box is not None:
            boxes = word.box(self._draw(step, elements, epoch), step.arguments, step.before)
            return np.asarray(self._mechanisms.box(x, boxes, (black + white) / 2))
        assert word.noise is not None
        deviation = word.noise(step.arguments) * float(np.abs(span).mean())
        draw = (epoch, self._seed, step.stream)
        return np.asarray(self._mechanisms.noise(x, draw, elements, deviation))


def _steps(chain: Sequence[WordCall], size: Size) -> list[Step]:
    found = []
    for position, call in enumerate(chain):
        assert isinstance(call.word, Distortion)
        after = call.word.size(call.arguments, size) if call.word.size is not None else size
        stream = distorting.stream_for(position, call.name)
        found.append(Step(call.word, call.arguments, stream, size, after))
        size = after
    return found


def _grouped(steps: Sequence[Step]) -> list[Movement | Step]:
    """Neighbouring movements joined."""
    groups: list[Movement | Step] = []
    for step in steps:
        last = groups[-1] if groups else None
        moves = step.word.warp is not None or step.word.bend is not None
        if not moves:
            groups.append(step)
            continue
        if not isinstance(last, Movement) or last.bend is not None:
            last = Movement()
            groups.append(last)
        if step.word.bend is not None:
            last.bend = step
        else:
            last.steps.append(step)
    return groups


def _on_levels(matrices: np.ndarray, black: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Matrices for numbers from `black` to `black + span` in place of 0 to 1."""
    channels = len(black)
    found = matrices.copy()
    for start in (0, channels):
        found[:, :, start : start + channels] *= span[:, None] / span[None]
    sums = ((found[:, :, :channels] + found[:, :, channels:-1]) * black).sum(axis=-1)
    found[:, :, -1] = matrices[:, :, -1] * span + black - sums
    return found
