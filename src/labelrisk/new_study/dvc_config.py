"""The settings of DVC in a new study: the project's own, the cache of its siblings, and the remotes of those."""

from __future__ import annotations

import re
from pathlib import Path

from labelrisk.new_study.repository import Repository, path_from

IGNORED = "/config.local\n/tmp\n/cache\n"  # as `dvc init` has it
SECTION = re.compile(r"^\[(.+)\]\s*$", re.MULTILINE)
URL = re.compile(r"^([ \t]*url[ \t]*=[ \t]*)(\S.*?)[ \t]*$", re.MULTILINE)
WITH_SCHEME = re.compile(r"[a-z0-9+]+://", re.IGNORECASE)


def dvc_config(template: str, folder: Path, repository: Repository) -> str:
    """The text of .dvc/config of a study in `folder`; template: that of the project."""
    place = folder / ".dvc"
    cache = f"[cache]\n    dir = {path_from(place, repository.cache)}\n"
    own = _sections(template)
    lines = "".join(
        cache + body.split("\n", 1)[1] if name == "cache" else body for name, body in own.items() if _is_general(name)
    )
    above = repository.config
    inherited = _sections(above.read_text(encoding="utf-8")) if above.is_file() else {}
    default = re.search(r"^\s*remote\s*=\s*\S.*$", inherited.get("core", ""), re.MULTILINE)
    if default:
        lines = lines.replace("[core]\n", f"[core]\n    {default[0].strip()}\n", 1)
    remotes = [_moved(body, above.parent, place) for name, body in inherited.items() if not _is_general(name)]
    return lines + "".join(remotes)


def _sections(text: str) -> dict[str, str]:
    """By name the text of each section, its line included."""
    starts = [*SECTION.finditer(text)]
    ends = [*(one.start() for one in starts[1:]), len(text)]
    return {start[1]: text[start.start() : end].rstrip("\n") + "\n" for start, end in zip(starts, ends, strict=True)}


def _is_general(section: str) -> bool:
    return "remote" not in section


def _moved(body: str, before: Path, after: Path) -> str:
    """A remote's section, whose address, where it is a folder, is given from the folder of its file."""

    def moved(found: re.Match[str]) -> str:
        url = found[2]
        if WITH_SCHEME.match(url) or Path(url).is_absolute():
            return found[0]
        return f"{found[1]}{path_from(after, (before / url).resolve())}"

    return URL.sub(moved, body)
