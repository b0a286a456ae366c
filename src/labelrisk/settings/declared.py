"""What params.yaml declares for each of the stages that there may be hundreds of, as a file each.

DVC writes the parameters of a stage into dvc.lock, which it reads and writes again after each stage: the section
`sources` in the entry of each source would make that quadratic, and an edit of one source run the stages of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelrisk.files import canonical_json
from labelrisk.settings.yaml_files import read_yaml

FOLDER = "data/declared/"  # in dvc.yaml
# By stage the keys that its files hold; dvc.yaml lists their sections at the stage that writes the files.
KEYS = {
    "train": ("train", "seeds"),
    "curve": ("train", "seeds", "curve.seeds", "curve.steps", "filter.seed"),  # one size or source more trains no other
    # annotators and their like: who leaves is pruned from data/labels by filter; later its input would change
    "filter": ("filter", "seeds", "annotators", "panels", "second_opinions"),
}


def read_params(path: Path) -> Mapping[str, Any]:
    """What params.yaml holds, as plain data."""
    content = read_yaml(path, "run from the folder that holds params.yaml")
    return content if isinstance(content, Mapping) else {}


def declared_files(params: Mapping[str, Any]) -> dict[str, str]:
    """The content of each file by its name; filter/<source> also holds the source, and the ones that it is `of`."""
    found = {stage: _content(params, stage) for stage in ("train", "curve")}
    sources = params.get("sources") or {}
    for name in sources:
        found[f"filter/{name}"] = _content(params, "filter", sources=_with_others(sources, name))
    return found


def _content(params: Mapping[str, Any], stage: str, **more: object) -> str:
    return canonical_json({key: value_of(params, key) for key in KEYS[stage]} | more) + "\n"


def _with_others(sources: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A source, and those that it names, by name."""
    found: dict[str, Any] = {}
    named: Any = name
    while named in sources and named not in found:
        found[named] = sources[named]
        named = value_of(sources, f"{named}.of")
    return found


def value_of(params: Mapping[str, Any], key: str) -> Any:
    """What stands at a dotted key; None where nothing does."""
    found: Any = params
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
