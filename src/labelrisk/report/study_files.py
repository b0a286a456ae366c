"""The metrics files and explanations of a study, as the page reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelrisk.charts.contract import StudyFiles
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.told import Told, read_explanations
from labelrisk.files import read_json

NEEDED = ("verdict", "sources")
OTHERS = ("annotators", "baselines", "contrasts", "findings", "slices", "ensembles", "prepare")


@dataclass(frozen=True)
class Found:
    """What evaluate, ensemble and explain wrote.

    metrics: contents of metrics/*.json by name, {} for a file that is not there; totals: of metrics/annotate/*.json;
    claims: those that explanations decide, in the form of metrics/findings.json.
    """

    metrics: Mapping[str, Mapping[str, Any]]
    totals: Mapping[str, Mapping[str, Any]]
    told: Mapping[str, Told]
    claims: Mapping[str, Any]


def read_found(files: StudyFiles) -> Found:
    """Read the files of a finished study.

    Raises LabelRiskError where the verdict, the sources or all explanations are missing, and for a damaged file.
    """
    metrics: dict[str, Mapping[str, Any]] = {}
    for name in (*NEEDED, *OTHERS):
        path = files.metrics / f"{name}.json"
        if path.is_file():
            metrics[name] = read_json(path)
        elif name in NEEDED:
            raise LabelRiskError(f"{path} is not there; run `dvc repro`, which writes it")
        else:
            metrics[name] = {}
    totals = {path.stem: read_json(path) for path in sorted((files.metrics / "annotate").glob("*.json"))}
    claims = files.explanations / "findings.json"
    return Found(metrics, totals, read_explanations(files.explanations), read_json(claims) if claims.is_file() else {})
