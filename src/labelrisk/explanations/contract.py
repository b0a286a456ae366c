"""What an explanation is: a function of the evidence, and nothing else, that says something about the study.

A new one is a new file here with such a function, and its name in kinds.py; its files need no place in dvc.yaml, for
the stage `explain` has one folder for all.  No explanation imports another: what two of them need is a function of its
arguments in `statistics/` or beside evidence.py, called by both.  Random draws take their seeds from the settings, so
that no explanation moves another's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from labelrisk.comparison.claims.contract import Finding
from labelrisk.comparison.findings import recipe_of_students, written
from labelrisk.comparison.outputs import Output, Picture
from labelrisk.comparison.study import Study
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import explained


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What was found, as sentences with their numbers, as metrics, tables and pictures.

    says: for somebody who has not read the docs, each with its interval; where a question can't be answered here, why.
    metrics: JSON, shares from 0 to 1, rounded to four decimals, None where there is no number.
    tables, pictures: by name; '' is the one that is called like the explanation.
    claims: of the papers, by annotator and name, that these numbers decide; `labelrisk findings` prints them.
    """

    says: Sequence[str]
    metrics: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, Finding]] = field(default_factory=dict)


Explain = Callable[[Evidence], Explanation]


def outputs(name: str, found: Explanation) -> dict[str, Output]:
    """The files of an explanation, by their names: NAME.json, NAME.csv, NAME_table.csv, NAME_picture.png."""
    files: dict[str, Output] = {f"{name}.json": {"says": explained(found.says)} | dict(found.metrics)}
    for suffix, parts in ((".csv", found.tables), (".png", found.pictures)):
        files |= {f"{name}{f'_{part}' if part else ''}{suffix}": output for part, output in parts.items()}
    return files


def claims_of(study: Study, found: Iterable[Explanation]) -> dict[str, Output]:
    """The file of the claims that explanations decide, in the form of metrics/findings.json."""
    claims: dict[str, dict[str, Any]] = {}
    for one in found:
        for annotator, decided in one.claims.items():
            claims.setdefault(annotator, {}).update({name: written(finding) for name, finding in decided.items()})
    return {"findings.json": {"recipe": recipe_of_students(study), "claims": claims}}
