"""One process that computes a task after another, and ends with the process that started it."""

from __future__ import annotations

import gc
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any

from labelrisk.errors import LabelRiskError, shown
from labelrisk.interrupts import end_with_starter


class Worker:
    """A process, seen from the one that started it."""

    def __init__(self, context: ForkServerContext) -> None:
        self.answers, of_worker = context.Pipe()
        self._process = context.Process(target=_work, args=[of_worker], daemon=True)
        self._process.start()
        of_worker.close()  # so that the end of the worker is the end of what can be read
        self._function: Callable[..., Any] | None = None
        self._task: object = None
        self.place = -1

    def begin(self, function: Callable[..., Any], place: int, task: object) -> None:
        """Let it compute function(task); the function is sent where it is another one than before."""
        self.place, self._task = place, task
        with suppress(BrokenPipeError):  # it is dead, which its answer says
            self.answers.send((None if function is self._function else function, task))
        self._function = function

    def result(self) -> Any:
        """Wait for what the task gives.

        Raises what it raised; LabelRiskError where the worker died.
        """
        try:
            value, error = self.answers.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise LabelRiskError(
                f"{shown(self._task)}: its process {self._end_in_words()}; run again to go on"
            ) from None
        if error is not None:
            raise error
        return value

    def _end_in_words(self) -> str:
        code = self._process.exitcode or 0
        if code == -signal.SIGKILL:
            return "was killed, perhaps since memory ran out (engine.jobs: fewer at once)"
        return f"ended by itself (signal {-code})" if code < 0 else f"ended by itself (exit code {code})"

    def is_alive(self) -> bool:
        """Whether it can compute more."""
        return self._process.is_alive()

    def end(self) -> None:
        """End it at once; what it computes is lost."""
        self._process.kill()
        self._process.join()
        self.answers.close()


def _work(answers: Connection) -> None:
    """Compute what comes, until nobody is left who could send more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides what becomes of its work
    threading.Thread(target=end_with_starter, daemon=True).start()
    gc.freeze()  # what the server has imported is shared with it as long as nobody writes beside it
    function: Callable[..., Any] | None = None
    while True:
        try:
            other, task = answers.recv()
        except EOFError:
            return
        function = other or function
        assert function is not None
        answer: tuple[Any, Exception | None]
        try:
            answer = function(task), None
        except Exception as error:
            answer = None, _with_traceback(error)
        answers.send(answer)


def _with_traceback(error: Exception) -> Exception:
    """As it can be sent; of a fault with the lines that lead to it, which would else be lost on the way."""
    if not isinstance(error, LabelRiskError):
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))  # of its own bytes
    except Exception:  # whatever its class does to be sent
        return RuntimeError(traceback.format_exc())
    return error
