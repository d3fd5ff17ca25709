"""What happens during training, as data: who shows it (a live line, plain lines, JSON) decides how.

An observer's methods are called from the training loop; they must return quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from nndsl.records import dataclass


@dataclass(frozen=True)
class Started:
    """Training is about to begin. Rows are counted for each part of the data."""

    network: str
    train_rows: int
    validation_rows: int
    test_rows: int
    parameters: int  # numbers that are learnt
    batch: int
    epochs: int  # at most
    steps_per_epoch: int
    seed: int
    threads: int
    precision: str
    folder: Path | None = None
    resumed_epoch: int | None = None  # epochs already done, when a run goes on
    steps: int | None = None  # in all, where the last epoch is cut


@dataclass(frozen=True)
class Progressed:
    """Some steps inside a long epoch are done; the loss is the mean of this epoch so far."""

    epoch: int  # from 1
    step: int  # of this epoch, from 1
    steps_per_epoch: int
    train_loss: float
    seconds: float  # since the start


@dataclass(frozen=True)
class EpochEnded:
    """One epoch is over. `metrics` are of the validation rows, by name, as fractions."""

    epoch: int  # from 1
    epochs: int
    step: int  # steps done since the start
    train_loss: float
    validation_loss: float | None
    metrics: Mapping[str, float]
    learning_rate: float
    best: bool  # whether its weights are the best so far
    best_epoch: int | None
    seconds: float  # since the start
    losses: Mapping[str, float] = field(default_factory=dict)  # of several updates, in training


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written: the run can go on from `step`."""

    folder: Path
    epoch: int  # whole epochs done
    step: int


@dataclass(frozen=True)
class Noted:
    """Something a person should know; `code` names its page when it has one."""

    text: str
    code: str = ""


@dataclass(frozen=True)
class Ended:
    """Training is over: why, which epoch's weights were kept, the figures on the test rows."""

    reason: str
    epochs: int
    best_epoch: int | None
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True)
class FoldEnded:
    """One fold of a cross-validation is done; the metrics are of its test rows."""

    fold: int  # from 1
    folds: int
    metrics: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class MemberStarted:
    """Training of one member of an ensemble begins, or goes on: the epochs that follow are its."""

    member: int  # from 1
    members: int
    seed: int


@dataclass(frozen=True)
class MemberEnded:
    """One member of an ensemble is trained; the metrics are its own."""

    member: int  # from 1
    members: int
    seed: int
    metrics: Mapping[str, float]
    seconds: float


class Observer:
    """Hears of events and does nothing; subclasses override what they show."""

    def on_start(self, event: Started) -> None:
        """Training is about to begin."""

    def on_progress(self, event: Progressed) -> None:
        """Inside a long epoch, at most ten times a second."""

    def on_epoch(self, event: EpochEnded) -> None:
        """An epoch is over."""

    def on_save(self, event: Saved) -> None:
        """A checkpoint was written."""

    def on_note(self, event: Noted) -> None:
        """Something worth knowing."""

    def on_end(self, event: Ended) -> None:
        """Training is over."""

    def on_fold(self, event: FoldEnded) -> None:
        """A fold of a cross-validation is done."""

    def on_member_start(self, event: MemberStarted) -> None:
        """A member of an ensemble begins."""

    def on_member(self, event: MemberEnded) -> None:
        """A member of an ensemble is trained."""
