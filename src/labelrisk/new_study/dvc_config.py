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
    above = repository.config
    inherited = _sections(above.read_text(encoding="utf-8")) if above.is_file() else {}
    own = {name: body for name, body in _sections(template).items() if _is_general(name)}
    # in a checkout the template is what stands above: keys that a study sets itself go before they are set
    for section, key, value in (
        ("core", "remote", _value(inherited.get("core", ""), "remote")),
        ("cache", "dir", _cache(inherited.get("cache", ""), repository, place)),
    ):
        own[section] = _with(own.get(section, f"[{section}]\n"), key, value)
    remotes = [_moved(body, above.parent, place) for name, body in inherited.items() if not _is_general(name)]
    return "".join([*own.values(), *remotes])


def _cache(inherited: str, repository: Repository, place: Path) -> str:
    """The cache of all studies: the one that the settings above name, if they name one."""
    named = _value(inherited, "dir")
    if named is None:
        return path_from(place, repository.cache)
    return named if _is_absolute(named) else path_from(place, (repository.config.parent / named).resolve())


def _value(body: str, key: str) -> str | None:
    """The value of a key in the text of a section, if it stands there."""
    found = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*(\S.*?)[ \t]*$", body, re.MULTILINE)
    return found[1] if found else None


def _with(body: str, key: str, value: str | None) -> str:
    """The text of a section with this value of a key, or without the key."""
    line, *others = body.splitlines(keepends=True)
    kept = [other for other in others if _value(other, key) is None]
    return "".join([line, *([f"    {key} = {value}\n"] if value else []), *kept])


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
        if _is_absolute(url):
            return found[0]
        return f"{found[1]}{path_from(after, (before / url).resolve())}"

    return URL.sub(moved, body)


def _is_absolute(address: str) -> bool:
    return bool(WITH_SCHEME.match(address)) or Path(address).is_absolute()
