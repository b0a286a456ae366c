"""Digests of files' bytes, which are read in parts."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """By what the project knows its own files."""
    return _digest(path, "sha256")


def md5_of(path: Path) -> str:
    """By what DVC knows a file."""
    return _digest(path, "md5")


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
