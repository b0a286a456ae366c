"""Files that git keeps and that hold texts of the study, found by fragments of these texts."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

LEAST = 16  # characters of a fragment: fewer may stand anywhere
MOST = 48  # which any file format writes on one line
TEXTS = 1000  # that are looked for, evenly spaced among all
MOST_BYTES = 50_000_000  # of a file that is looked through
PLAIN = re.compile(rf"[A-Za-z0-9 ]{{{LEAST},}}|[^\W_][^\W_ ]{{{LEAST},}}")  # what CSV, JSON and Markdown write as it is


def fragment(text: str) -> str | None:
    """The longest part of a text that any file format writes as it is; None where all parts are short."""
    runs = [run.strip() for run in PLAIN.findall(text)]
    longest = max((run for run in runs if len(run) >= LEAST), key=len, default=None)
    return longest[:MOST].strip() if longest else None


def files_with_texts(folder: Path, texts: Sequence[str]) -> list[str]:
    """The files that git tracks in a folder's repository and that hold some of the texts; none without git."""
    some = texts[:: max(1, len(texts) // TEXTS)]
    wanted = sorted({found.encode() for text in some if (found := fragment(text))})
    return [name for name in tracked(folder) if _holds(folder / name, wanted)]


def tracked(folder: Path) -> list[str]:
    """Paths of all that git tracks, relative to a folder: a study's texts may lie above its own."""
    try:
        done = subprocess.run(["git", "ls-files", "-z", ":/"], cwd=folder, capture_output=True)
    except FileNotFoundError:
        return []
    return [name for name in done.stdout.decode(errors="replace").split("\0") if name]


def _holds(path: Path, wanted: Iterable[bytes]) -> bool:
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return False
    content = path.read_bytes()
    return any(one in content for one in wanted)
