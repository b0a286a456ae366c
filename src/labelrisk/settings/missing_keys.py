"""Keys that params.yaml of an earlier version lacks: dvc.yaml reads them also where they say what they would be."""

from __future__ import annotations

import json
from collections.abc import Sequence

from labelrisk.settings.curve import CurveSettings
from labelrisk.settings.section import Section

READ_BY_DVC = (
    "panels",
    "second_opinions",
    "embed",
    "baseline",
    "distil",
    "perturb",
    "explain",
    "curve",
)
CURVE = "curve"  # of which dvc.yaml reads each key


def missing_keys(settings: Section) -> str | None:
    """Which keys params.yaml lacks, and the lines to add; None where it has all of them."""
    given = settings.model_fields_set
    sections = [key for key in READ_BY_DVC if key not in given]
    curve = getattr(settings, CURVE).model_fields_set if CURVE in given else CurveSettings.model_fields
    parts = [key for key in CurveSettings.model_fields if key not in curve]
    missing = [*sections, *(f"{CURVE}.{key}" for key in parts)]
    if not missing:
        return None
    advice = []
    if sections:
        advice.append(f"add {_listed([f'{key}: {_section(key)}' for key in sections], quote=True)}")
    if parts:
        advice.append(f"add {_listed(list(map(_line, parts)), quote=True)} to {CURVE}")
    found = f"the keys {_listed(missing)} are" if len(missing) > 1 else f"the key '{missing[0]}' is"
    return f"{found} missing, which dvc.yaml reads; {', and '.join(advice)}"


def _section(key: str) -> str:
    """What says no more than its defaults, on one line: of `curve` no learning curves."""
    return "{" + ", ".join(map(_line, CurveSettings.model_fields)) + "}" if key == CURVE else "{}"


def _line(key: str) -> str:
    return f"{key}: {json.dumps(CurveSettings.model_fields[key].default)}"


def _listed(words: Sequence[str], *, quote: bool = False) -> str:
    *first, last = [f"'{word}'" if quote else word for word in words]
    return f"{', '.join(first)} and {last}" if first else last
