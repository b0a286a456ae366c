"""The names in params.yaml that dvc.yaml writes into commands and paths: checked before a shell sees one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labelrisk.errors import LabelRiskError, shown
from labelrisk.settings.yaml_files import read_yaml

SLUG = re.compile(r"[a-z0-9_]+")  # what may name a DVC stage
LONGEST = 100  # characters; file names are made of a name and more, and hold 255
SECTIONS = ("annotators", "panels", "second_opinions", "sources")
RESERVED = ("run", "item", "key")  # that dvc.yaml itself fills in


def check_names(path: Path) -> None:
    """Check what dvc.yaml takes from params.yaml into commands, read as DVC reads it, whose YAML is another than ours.

    Raises LabelRiskError that names the file, the key and the name.
    """
    content = _as_dvc_reads(path)
    for key in RESERVED:
        if key in content:
            raise LabelRiskError(f"{path}: unknown key '{key}', which dvc.yaml gives a meaning; remove it")
    for section in SECTIONS:
        for name in _mapping(content.get(section), section, path):
            if not _is_slug(name):
                raise LabelRiskError(
                    f"{path}: '{shown(name)}' in {section} can't name a DVC stage; "
                    f"use lower-case letters, digits and '_' only{_length(name)}"
                )
    for name, source in _mapping(content.get("sources"), "sources", path).items():
        annotator = source.get("annotator", name) if isinstance(source, Mapping) else source
        if not _is_slug(annotator):
            raise LabelRiskError(
                f"{path}: sources.{name}.annotator is '{shown(annotator)}', which can't be the name of an annotator; "
                f"use lower-case letters, digits and '_' only{_length(annotator)}"
            )
    for name, opinion in _mapping(content.get("second_opinions"), "second_opinions", path).items():
        of = opinion.get("of", name) if isinstance(opinion, Mapping) else opinion
        if not _is_slug(of):
            raise LabelRiskError(
                f"{path}: second_opinions.{name}.of is '{shown(of)}', which can't be the name of an annotator; "
                f"use lower-case letters, digits and '_' only{_length(of)}"
            )
    for seed in _list(content.get("seeds"), "seeds", path):
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise LabelRiskError(f"{path}: seeds holds '{shown(seed)}'; each seed is a whole number from 0 on")
    for kind in _list(_mapping(content.get("baseline"), "baseline", path).get("kinds"), "baseline.kinds", path):
        if not _is_slug(kind):
            raise LabelRiskError(f"{path}: baseline.kinds holds '{shown(kind)}', which is no kind; see params.yaml")
    curve = _mapping(content.get("curve"), "curve", path)
    for size in _list(curve.get("sizes"), "curve.sizes", path):
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 2**63:
            raise LabelRiskError(f"{path}: curve.sizes holds '{shown(size)}'; each size is a whole number from 1 on")
    for name in _list(curve.get("sources"), "curve.sources", path):
        if not _is_slug(name):
            raise LabelRiskError(f"{path}: curve.sources holds '{shown(name)}', which can't be the name of a source")


def _as_dvc_reads(path: Path) -> Mapping[Any, Any]:
    """The content of params.yaml once it is known to be plain, by the parser of DVC."""
    read_yaml(path, "run from the folder that holds params.yaml")
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8-sig"))
    except (YAMLError, ValueError, RecursionError) as error:
        reason = shown(getattr(error, "problem", None) or type(error).__name__)
        raise LabelRiskError(f"{path} is not YAML for DVC ({reason}); write it more plainly") from None
    return _mapping(content, "the file", path)


def _mapping(value: Any, key: str, path: Path) -> Mapping[Any, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise LabelRiskError(f"{path}: '{key}' must be lines of the form 'name: ...'; correct it")
    return value or {}


def _list(value: Any, key: str, path: Path) -> Iterable[Any]:
    if value is not None and not isinstance(value, list):
        raise LabelRiskError(f"{path}: '{key}' must be a list, [..., ...]; correct it")
    return value or []


def _is_slug(name: Any) -> bool:
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)  # as DVC writes it
    return isinstance(name, str) and SLUG.fullmatch(name) is not None and len(name) <= LONGEST


def _length(name: Any) -> str:
    return f", at most {LONGEST} of them" if isinstance(name, str) and len(name) > LONGEST else ""
