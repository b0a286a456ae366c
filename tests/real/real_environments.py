"""Virtual environments of packages that nobody here wrote, below .venv-real/, each pinned by a file beside this one."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent.parent / ".venv-real"
# these see the project's own packages: torch need not be there twice
ABOVE_OURS = ("transformers",)


class NotInstalled(Exception):
    """An environment can't be made here; says why."""


def python_of(name: str) -> str:
    """The interpreter of the environment `name`, which is made when it is not there, or older than its pins.

    Raises NotInstalled.
    """
    pins, folder = HERE / f"{name}.txt", FOLDER / name
    python, mark = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return str(python)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    if name in ABOVE_OURS:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "project.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(pins)])
    mark.write_text(wanted)
    return str(python)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}")
