"""Three ways to watch a training: plain lines, a live line on a terminal, JSON for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nndsl.cli.output import emit, is_screen, say
from nndsl.diagnostics import counted
from nndsl.report_text import visible
from nndsl.train.events import (
    Ended,
    EpochEnded,
    FoldEnded,
    MemberEnded,
    MemberStarted,
    Noted,
    Observer,
    Progressed,
    Started,
)

BARS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 20
BAR_WIDTH = 12
WIDTH = 100
MOST_NOTES = 3
REFRESH_SECONDS = 0.1


def sparkline(values: list[float], width: int = SPARK_WIDTH) -> str:
    """The course of a figure in `width` characters: the mean of each stretch as a bar."""
    finite = [v for v in values if v == v and abs(v) != float("inf")]
    if len(finite) < 2:
        return ""
    count = min(width, len(finite))
    means = []
    for i in range(count):
        stretch = finite[i * len(finite) // count : (i + 1) * len(finite) // count]
        means.append(sum(stretch) / len(stretch))
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    return "".join(BARS[min(7, int(8 * (m - low) / span))] for m in means)


def figure(name: str, value: float) -> str:
    """`accuracy 0.967`, `mae 2,093`: three digits or more."""
    size = abs(value)
    form = ".3f" if size == 0 or 0.001 <= size < 1000 else ",.0f" if 1000 <= size < 1e7 else ".3g"
    return f"{name} {value:{form}}"


def is_shown(epoch: int, epochs: int) -> bool:
    """Which epochs have a plain line: the first ten, then fewer and fewer, and the last."""
    if epoch <= 10 or epoch == epochs:
        return True
    step = 10
    while epoch > step * 10:
        step *= 10
    return epoch in (2 * step, 5 * step, 10 * step)


def live_epoch_text(event: EpochEnded) -> str:
    """The figures of one epoch."""
    width = len(str(event.epochs))
    losses = event.losses or {"loss": event.train_loss}
    parts = [f"epoch {event.epoch:>{width}}/{event.epochs}"]
    parts += [figure(name, loss) for name, loss in losses.items()]
    if event.validation_loss is not None:
        parts.append(figure("val", event.validation_loss))
    shown = {name: value for name, value in event.metrics.items() if name not in event.losses}
    parts += [figure(name, value) for name, value in shown.items()]
    return "  ".join(parts)


def epoch_text(event: EpochEnded) -> str:
    """One line for one epoch: its figures, the rate, and whether it is the best so far."""
    rate = f"lr {event.learning_rate:.2g}"
    return "  ".join([live_epoch_text(event), rate, *(["best"] if event.best else [])])


def fold_text(event: FoldEnded) -> str:
    """One line for one fold of a cross-validation."""
    width = len(str(event.folds))
    shown = [figure(n.removeprefix("test_"), v) for n, v in event.metrics.items() if "test_" in n]
    return "  ".join([f"fold  {event.fold:>{width}}/{event.folds}", *shown])


def member_text(event: MemberEnded) -> str:
    """One line for one member of an ensemble."""
    width = len(str(event.members))
    shown = [figure(n.removeprefix("test_"), v) for n, v in event.metrics.items() if "test_" in n]
    seed = f"seed {event.seed}"
    return "  ".join([f"member {event.member:>{width}}/{event.members}", *shown, seed])


def note_text(event: Noted) -> str:
    """A note, with its code, on one line."""
    code = f" [{event.code}]" if event.code else ""
    room = WIDTH - len("note    ") - len(code)
    text = visible(event.text)
    text = text if len(text) <= room else f"{text[: room - 3]}..."
    return f"note    {text}{code}"


class PlainObserver(Observer):
    """Plain lines on standard output, no colour: for pipes, logs and `TERM=dumb`."""

    def __init__(self) -> None:
        self._notes = 0
        self._member = ""

    def on_start(self, event: Started) -> None:
        """What is about to be trained, in one line."""
        rows = f"{event.train_rows} train / {event.validation_rows} val / {event.test_rows} test"
        length = f"{counted(event.epochs, 'epoch')} of {counted(event.steps_per_epoch, 'step')}"
        if event.steps is not None:
            length = f"{counted(event.steps, 'step')}, {event.steps_per_epoch} an epoch"
        threads = counted(event.threads, "thread")
        say(f"data    {rows} rows (seed {event.seed})")
        say(f"net     {event.network}: {event.parameters:,} parameters, {event.precision}")
        say(f"train   {length}, batch {event.batch}, {threads}")
        if event.resumed_epoch is not None:
            say(f"resume  after epoch {event.resumed_epoch}")

    def on_epoch(self, event: EpochEnded) -> None:
        """The first epochs, then fewer and fewer."""
        if not self._member and is_shown(event.epoch, event.epochs):
            say(epoch_text(event))

    def on_note(self, event: Noted) -> None:
        """A note, with its code; of many on the data only the first ones."""
        if not event.code.startswith("NN4"):
            self._tell(note_text(event))
            return
        self._notes += 1
        if self._notes < MOST_NOTES:
            self._tell(note_text(event))
        elif self._notes == MOST_NOTES:
            self._tell("note    there is more to say: nndsl show data FILE")

    def _tell(self, text: str) -> None:
        say(text)

    def on_fold(self, event: FoldEnded) -> None:
        """The figures of a fold's test rows."""
        if is_shown(event.fold, event.folds):
            say(fold_text(event))

    def on_member_start(self, event: MemberStarted) -> None:
        """From now on one line a member in place of the epochs."""
        self._member = f"member {event.member}/{event.members}"

    def on_member(self, event: MemberEnded) -> None:
        """The figures of a member."""
        if is_shown(event.member, event.members):
            self._tell(member_text(event))


def live_text(share: float, text: str, losses: list[float], width: int) -> str:
    """The live line: how far, the figures, and the course of the loss as far as there is room."""
    filled = int(BAR_WIDTH * min(1.0, share))
    line = "━" * filled + "╌" * (BAR_WIDTH - filled) + " " + text
    room = min(SPARK_WIDTH, width - len(line) - 2)
    return f"{line}  {sparkline(losses, room)}" if room >= 4 else line


class LiveObserver(PlainObserver):
    """One line that is written again in place, for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        super().__init__()
        self._text = Text
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._losses: list[float] = []
        self._last: EpochEnded | None = None
        self._shown = 0.0
        self._total = 0
        self._resumed = 0

    def on_start(self, event: Started) -> None:
        """The header stays, the live line begins."""
        super().on_start(event)
        self._total = event.epochs
        self._resumed = event.resumed_epoch or 0
        self._live.start()
        self._console.show_cursor(True)  # a second Ctrl-C leaves no time to bring it back

    def on_member_start(self, event: MemberStarted) -> None:
        """The live line begins anew, with the number of the member."""
        super().on_member_start(event)
        self._losses, self._resumed, self._shown = [], 0, 0.0

    def on_member(self, event: MemberEnded) -> None:
        """A line above the live one stays of each member."""
        super().on_member(event)
        self._last = None

    def on_epoch(self, event: EpochEnded) -> None:
        """Rewrite the line, at most ten times a second."""
        course = event.validation_loss if event.validation_loss is not None else event.train_loss
        self._losses.append(course)
        self._last = event
        self._show(event.seconds, event.epoch - self._resumed, live_epoch_text(event))

    def on_progress(self, event: Progressed) -> None:
        """Rewrite the line inside a long epoch."""
        text = f"epoch {event.epoch}/{self._total}  {figure('loss', event.train_loss)}"
        share = event.step / event.steps_per_epoch
        self._show(event.seconds, event.epoch - 1 + share - self._resumed, text)

    def _show(self, seconds: float, done: float, text: str) -> None:
        now = time.monotonic()
        if now - self._shown < REFRESH_SECONDS:
            return
        self._shown = now
        left = seconds / done * (self._total - self._resumed - done) if done > 0 else 0.0
        text = "  ".join(filter(None, (self._member, text)))
        line = live_text(
            (done + self._resumed) / max(1, self._total),
            f"{text}  {left:.0f} s left",
            self._losses,
            self._console.width,
        )
        self._live.update(self._text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

    def _tell(self, text: str) -> None:
        """A line above the live one."""
        self._console.print(text, markup=False)

    def close(self) -> None:
        """Take the live line away and leave the last epoch's."""
        if self._live.is_started:
            self._live.stop()
        if self._last is not None:
            say(f"{epoch_text(self._last)}  {sparkline(self._losses)}")
            self._last = None
        self._losses = []

    def on_end(self, event: Ended) -> None:
        """The live line is over."""
        self.close()


def jsonable(value: Any) -> Any:
    """Paths as text, numbers that JSON lacks as null, the rest as it is."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def _emitting(name: str) -> Any:
    """What prints an event as `{"event": name, ...}`."""

    def on_event(observer: Observer, event: Any) -> None:
        emit({"event": name, **jsonable(asdict(event))})

    return on_event


class JsonObserver(Observer):
    """One JSON object a line for every event but those within an epoch."""

    on_start = _emitting("start")
    on_epoch = _emitting("epoch")
    on_save = _emitting("save")
    on_note = _emitting("note")
    on_end = _emitting("end")
    on_fold = _emitting("fold")
    on_member_start = _emitting("member_start")
    on_member = _emitting("member")


@contextmanager
def watching(*, json: bool, quiet: bool) -> Iterator[Observer]:
    """The observer that fits where the output goes; the terminal is left in order in any case."""
    if json:
        yield JsonObserver()
    elif quiet:
        yield Observer()
    elif is_screen(sys.stdout):
        live = LiveObserver()
        try:
            yield live
        finally:
            live.close()
    else:
        yield PlainObserver()
