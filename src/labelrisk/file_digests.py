"""Digests of files' bytes, which are read in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def sha256_of(path: Path) -> str:
    """By what the project knows its own files."""
    return _digest(path, hashlib.sha256)


def md5_of(path: Path) -> str:
    """By what DVC knows a file."""
    return _digest(path, partial(hashlib.md5, usedforsecurity=False))


def _digest(path: Path, kind: Callable[[], Any]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
