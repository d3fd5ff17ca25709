"""Ctrl-C: the first signal asks the loop to save and stop, the second ends the process at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, SIGINT and SIGTERM are remembered in `signal` instead of ending the process.

    After the first one the system's own handling is back, so that a second one stops the process
    immediately, even inside a kernel; files stay whole because of how they are written. Outside of
    the main thread, where Python delivers no signals, entering changes nothing.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        for each in self._previous:
            signal.signal(each, signal.SIG_DFL)

    @property
    def exit_code(self) -> int:
        """What the process should return: 130 after SIGINT, 143 after SIGTERM, 0 without one."""
        return 0 if self.signal is None else 128 + self.signal
