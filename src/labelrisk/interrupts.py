"""Signals that ask a process to end: all of them are Ctrl-C, so that answers are stored and nothing stays half.

And what no signal tells: that who started a worker is gone.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from types import FrameType

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
SAME = 0.25  # seconds: who ends a group of processes, and a parent that passes it on, mean one signal


class Ending:
    """Which signal asked the process to end."""

    def __init__(self) -> None:
        self.number: int = signal.SIGINT

    @property
    def exit_code(self) -> int:
        """As shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextmanager
def ending_as_interrupt() -> Iterator[Ending]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, whatever that is meanwhile; what is ignored (nohup) stays so.

    Outside of the main thread, which alone handles signals, nothing changes.
    """
    ending = Ending()

    def interrupt(number: int) -> None:
        ending.number = number
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # of a job that a script put into the background
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    with on_ending(interrupt):
        yield ending


@contextmanager
def on_ending(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with the number of each signal that asks the process to end, then what handled it before.

    Signals that are ignored stay so.
    """
    last = -SAME

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before < SAME:
            return
        act(number)
        if callable(outer := handled[number]):
            outer(number, frame)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = {number: signal.getsignal(number) for number in ENDING}
    handled = {number: handler for number, handler in handled.items() if handler != signal.SIG_IGN}
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def end_at_once() -> None:
    """Let any further signal end the process without a word."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *ENDING):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)


def end_with_starter() -> None:
    """End this process when the one that started it is gone: killed, it can't say so, and nobody reads what comes."""
    starter = parent_process()
    assert starter is not None
    starter.join()
    os._exit(1)
