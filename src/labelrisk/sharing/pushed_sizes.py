"""How much each output that dvc.yaml declares holds, by dvc.lock: files and bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

NAME_IN = re.compile(r"\$\{[^}]*\}")  # of params.yaml, in a path of dvc.yaml


class Size(NamedTuple):
    """Of all outputs that one line of dvc.yaml declares, as far as they have been made."""

    files: int
    bytes: int


def sizes(declared: Iterable[str], lock: Mapping[str, Any]) -> dict[str, Size]:
    """By declared path what dvc.lock notes of the outputs that it stands for; an output counts once, at the first.

    lock: the content of dvc.lock.
    """
    stages = (lock.get("stages") or {}).values()
    left = {out["path"]: out for stage in stages for out in stage.get("outs", [])}
    found = {}
    for path in declared:
        form = re.compile("[^/]+".join(map(re.escape, NAME_IN.split(path))))
        outs = [left.pop(name) for name in list(left) if form.fullmatch(name)]
        found[path] = Size(sum(out.get("nfiles", 1) for out in outs), sum(out.get("size", 0) for out in outs))
    return found


def shown_path(path: str) -> str:
    """A declared path as it is printed: `models/*/*`."""
    return NAME_IN.sub("*", path)


def shown_bytes(number: int) -> str:
    """A size as people read it: 1.2 MB."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
