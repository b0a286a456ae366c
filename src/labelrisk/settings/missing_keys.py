"""Keys that params.yaml of an earlier version lacks: dvc.yaml reads them also where they say what they would be."""

from __future__ import annotations

import json
from collections.abc import Sequence

from labelrisk.settings.curve import CurveSettings
from labelrisk.settings.section import Section
from labelrisk.settings.share import ShareSettings

READ_BY_DVC = (
    "panels",
    "second_opinions",
    "embed",
    "baseline",
    "distil",
    "calibrate",
    "perturb",
    "explain",
    "curve",
    "share",
)
KEY_BY_KEY: dict[str, type[Section]] = {"curve": CurveSettings, "share": ShareSettings}  # of which it reads each key


def missing_keys(settings: Section) -> str | None:
    """Which keys params.yaml lacks, and the lines to add; None where it has all of them."""
    sections = [key for key in READ_BY_DVC if key not in settings.model_fields_set]
    parts = {key: _parts(settings, key) for key in KEY_BY_KEY}
    missing = [*sections, *(f"{key}.{part}" for key, lacking in parts.items() for part in lacking)]
    if not missing:
        return None
    advice = []
    if sections:
        advice.append(f"add {_listed([f'{key}: {_section(key)}' for key in sections], quote=True)}")
    for key, lacking in parts.items():
        if lacking:
            advice.append(f"add {_listed([_line(key, part) for part in lacking], quote=True)} to {key}")
    found = f"the keys {_listed(missing)} are" if len(missing) > 1 else f"the key '{missing[0]}' is"
    return f"{found} missing, which dvc.yaml reads; {', and '.join(advice)}"


def _parts(settings: Section, key: str) -> list[str]:
    """The keys that a section lacks, which is there."""
    if key not in settings.model_fields_set:
        return []
    return [part for part in KEY_BY_KEY[key].model_fields if part not in getattr(settings, key).model_fields_set]


def _section(key: str) -> str:
    """What says no more than its defaults, on one line: of `curve` no learning curves."""
    kind = KEY_BY_KEY.get(key)
    return "{" + ", ".join(_line(key, part) for part in (kind.model_fields if kind else ())) + "}"


def _line(key: str, part: str) -> str:
    return f"{part}: {json.dumps(KEY_BY_KEY[key].model_fields[part].default)}"


def _listed(words: Sequence[str], *, quote: bool = False) -> str:
    *first, last = [f"'{word}'" if quote else word for word in words]
    return f"{', '.join(first)} and {last}" if first else last
