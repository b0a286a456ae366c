"""DVC as a process of its own, which ends in its own way when this one is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from labelrisk.interrupts import on_ending

DVC = [sys.executable, "-m", "dvc"]


def run_dvc(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run DVC and wait until it has ended, also when this process is interrupted."""
    with awaited([*DVC, *words], **options) as process:
        said, _ = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, said)


@contextmanager
def awaited(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process while it runs; on Ctrl-C awaited, since the terminal interrupts it as well, at a second one killed.

    options: of subprocess.Popen.
    """
    process = subprocess.Popen(command, text=True, **{"env": environment(), **options})
    try:
        yield process
    except KeyboardInterrupt:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.kill()
        raise
    finally:
        process.wait()


def environment() -> dict[str, str]:
    """Where `python`, which stages call, is the one that runs this, also where its environment is not activated."""
    found = dict(os.environ)
    found["PATH"] = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), found.get("PATH")]))
    return found


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
    """DVC ignores an interrupt while a stage runs, so that the stage ends first; so do workers, which end with the
    process that waits for them.
    """
    import psutil

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.send_signal(signal.SIGTERM if "labelrisk" in process.cmdline() else signal.SIGINT)
