"""DVC as a process of its own, which ends in its own way when this one is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from labelrisk.interrupts import on_ending

DVC = [sys.executable, "-m", "dvc"]


def run_dvc(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run DVC and wait until it has ended, also when this process is interrupted."""
    with dvc_process(*words, **options) as process:
        said, _ = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, said)


@contextmanager
def dvc_process(*words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """DVC while it runs; on Ctrl-C it is awaited, since the terminal interrupts it as well, at a second one killed."""
    # stages call `python`: the one that runs this, also where its environment is not activated
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), environment.get("PATH")]))
    process = subprocess.Popen([*DVC, *words], text=True, **{"env": environment, **options})
    try:
        yield process
    except KeyboardInterrupt:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.kill()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


@contextmanager
def told_to_end() -> Iterator[None]:
    """Pass a signal that asks this process to end on to all that it started, where no terminal has told them."""

    def pass_on(number: int) -> None:
        if number == signal.SIGTERM or not _is_in_foreground():
            _interrupt_descendants()

    with on_ending(pass_on):
        yield


def _is_in_foreground() -> bool:
    """Whether a terminal sends its signals to this process and all that it started."""
    for stream in (0, 1, 2):
        with suppress(OSError):
            return os.tcgetpgrp(stream) == os.getpgrp()
    return False


def _interrupt_descendants() -> None:
    """DVC ignores an interrupt while a stage runs, so that the stage ends first; students that started warm are told by
    the process that waits for them.
    """
    import psutil

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            words = process.cmdline()
            if "--serve" not in words:
                process.send_signal(signal.SIGTERM if "labelrisk" in words else signal.SIGINT)
