"""The file beside params.yaml that names the labelrisk whose code made the outputs, where it lies elsewhere."""

from __future__ import annotations

from pathlib import Path

from labelrisk.errors import LabelRiskError, shown
from labelrisk.new_study.pipeline_text import VERSION

VERSION_FILE = Path(VERSION)
DIGITS = 12  # of a hash


def installed_version() -> str:
    """The version of the package that runs; from a checkout, whose code is edited, with a hash of that code.

    Raises LabelRiskError where it is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    from labelrisk.new_study.template import template

    try:
        return version("labelrisk") + ("" if template().checkout is None else f"+{_hash_of_code()}")
    except PackageNotFoundError:
        raise LabelRiskError(
            "labelrisk is not installed here, so that its version is not known; install it with pip"
        ) from None


def _hash_of_code() -> str:
    import hashlib

    from labelrisk.new_study.template import PACKAGE

    files = sorted(path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    hashes = (hashlib.sha256(path.read_bytes()).hexdigest() + path.relative_to(PACKAGE).as_posix() for path in files)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:DIGITS]


def noted_version() -> str | None:
    """The version that the file names; None where there is no file."""
    if not VERSION_FILE.is_file():
        return None
    return VERSION_FILE.read_text(encoding="utf-8-sig", errors="replace").strip()


def is_other_version() -> bool:
    """Whether another version is installed than the file names."""
    return (noted := noted_version()) is not None and noted != installed_version()


def refuse_other_version() -> None:
    """Raises LabelRiskError where another version is installed than the study's file names: its code may differ, and
    DVC would not know.
    """
    noted = noted_version()
    if noted is not None and noted != (installed := installed_version()):
        raise LabelRiskError(
            f"{VERSION_FILE} says {shown(noted)}, but labelrisk {installed} is installed; run `labelrisk repro`, which "
            "notes that and runs again what has other code, or install the version that it says"
        )


def note_version() -> str | None:
    """Let the file name the installed version; a sentence where it named another one."""
    from labelrisk.files import written_aside

    noted = noted_version()
    if noted is None or noted == (installed := installed_version()):
        return None
    with written_aside(VERSION_FILE) as temporary:
        temporary.write_text(f"{installed}\n", encoding="utf-8")
    return f"{VERSION_FILE}: {shown(noted)} -> {installed}; stages whose code that changes run again."
