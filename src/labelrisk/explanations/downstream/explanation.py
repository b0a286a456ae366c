"""downstream: what labels of an annotator, or of students, do to class shares and regressions, and what corrects it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.downstream.covariates import PER_COEFFICIENT, covariates_of
from labelrisk.explanations.downstream.picture import draw_estimates
from labelrisk.explanations.downstream.repeated_draws import Question, Tried, draws_of, naive, question, tried
from labelrisk.explanations.downstream.sentences import Estimand, Labels, mean_over, sentences
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.scores import Codes, Floats, rounded
from labelrisk.statistics.votes import soft_vote

PART = 3  # at most one row in three is drawn: the others stand for the many that nobody codes
FEWEST = 15  # gold rows, or labelled ones, with which an interval means anything
DIGITS = 9  # beyond these rounding has its say, as a zero that is negative
COMMON = 10  # gold rows that the outcome of the regression expects to be drawn


class Labeller(NamedTuple):
    """Labels of all test rows (N,): an annotator's, or the vote of a source's students, whose single codes are runs."""

    labels: Labels
    codes: Codes
    runs: Codes


def downstream(evidence: Evidence) -> Explanation:
    """Class shares and coefficients from the labels as they are, and corrected with few gold rows, by PPI++ and DSL."""
    rows, study, how = evidence.rows["test"], evidence.study, evidence.settings.downstream
    chosen = min(how.gold_rows, len(rows.gold) // PART)
    if chosen < FEWEST:
        few = f"{len(rows.gold)} test rows have gold, too few to draw {FEWEST} and keep twice as many aside."
        return Explanation(says=[f"What labels do to estimates can't be told here: {few}"], metrics={"gold_rows": None})
    entropies, by = _entropies(evidence)
    drawn = draws_of(len(rows.gold), chosen, how.draws, entropies, len(study.classes), how.seed)
    covariates = covariates_of(rows.words, rows.columns, chosen)
    outcome = _outcome(evidence, chosen)
    ones, confidence = np.ones((len(rows.gold), 1)), study.settings.evaluate.confidence
    every = np.arange(len(study.classes))
    share = question(ones, rows.gold, every, covariates.values, confidence, shares=True)
    design = np.hstack([ones, covariates.values])
    slope = question(design, rows.gold, every[outcome : outcome + 1], covariates.values, confidence, shares=False)
    shares, slopes = dict[Labels, list[Estimand]](), dict[Labels, list[Estimand]]()
    for one in _labellers(evidence):
        shares[one.labels] = _estimands(share, one, drawn, [("class", name) for name in study.classes])
        names = [("coefficient", name) for name in covariates.names[: how.coefficients]]
        slopes[one.labels] = _estimands(slope, one, drawn, names) if names and _bear(design, one.codes) else []
    facts = {
        "rows": len(rows.gold),
        "gold_rows": chosen,
        "design": "random" if entropies is None else "uncertainty",
        "uncertainty_of": by,
        "draws": how.draws,
        "outcome": study.classes[outcome],
        "covariates": covariates.names,
        "bases": dict(covariates.bases),
        "left_out": covariates.left_out,
        "few_labels": [name for name, of in evidence.given["test"].items() if 0 < (of.codes >= 0).sum() < FEWEST],
        "too_few_for_regression": [labels.name for labels, of in slopes.items() if covariates.names and not of],
    }
    tables = {"": _table(shares, "class"), "coefficients": _table(slopes, "coefficient")}
    shown_shares, shown_slopes = _most_telling(shares), _most_telling(slopes)
    pictures = {
        "": partial(draw_estimates, shown=shown_shares, unit="share of the class on test (x100)", confidence=confidence)
    }
    if shown_slopes:
        unit = f"coefficient on being {shown(study.classes[outcome], 40)} (points)"
        pictures["coefficients"] = partial(draw_estimates, shown=shown_slopes, unit=unit, confidence=confidence)
    metrics = facts | {"shares": _summary(shares), "coefficients": _summary(slopes)}
    says = sentences(facts, how.design, shares, slopes, confidence)
    return Explanation(says=says, metrics=metrics, tables=tables, pictures=pictures)


def _labellers(evidence: Evidence) -> Iterator[Labeller]:
    for name, given in evidence.given["test"].items():
        if (given.codes >= 0).sum() >= FEWEST:
            yield Labeller(Labels("annotator", name), given.codes, given.codes[None])
    for name, students in evidence.study.students.items():
        yield Labeller(Labels("students", name), soft_vote(students.probabilities), students.predictions)


def _bear(design: Floats, codes: Codes) -> bool:
    """Whether the rows that have a label (N,) can tell the coefficients of a design (N, P) apart."""
    labelled = design[codes >= 0]
    most = len(labelled) // PER_COEFFICIENT
    return design.shape[1] - 1 <= most and int(np.linalg.matrix_rank(labelled.T @ labelled, hermitian=True)) == len(
        design.T
    )


def _entropies(evidence: Evidence) -> tuple[Floats | None, str | None]:
    """Those of the first annotator that gave probabilities, if the draw goes by uncertainty, and its name."""
    if evidence.settings.downstream.design == "uncertainty":
        for name, given in evidence.given["test"].items():
            if given.probabilities is not None:
                from scipy.special import entr

                return np.asarray(entr(given.probabilities).sum(axis=1)), name
    return None, None


def _outcome(evidence: Evidence, chosen: int) -> int:
    """The class that the settings name, else the rarest one that ten drawn rows or more have, else the largest."""
    classes, wanted = evidence.study.classes, evidence.settings.downstream.outcome
    if wanted is not None and wanted not in classes:
        wrong = f"params.yaml: 'explain.downstream.outcome' is '{shown(wanted)}', which is no class"
        raise LabelRiskError(f"{wrong}; {nearest(wanted, classes)}")
    if wanted is not None:
        return classes.index(wanted)
    counts = np.bincount(evidence.rows["test"].gold, minlength=len(classes))
    common = [code for code in np.argsort(counts, kind="stable") if counts[code] * chosen >= COMMON * counts.sum()]
    return int(common[0] if common else counts.argmax())


def _estimands(asked: Question, one: Labeller, drawn: Any, names: list[tuple[str, str]]) -> list[Estimand]:
    """Each class, or each coefficient but the intercept, with what all methods say of it."""
    by_method = tried(asked, one.codes, drawn)
    runs = np.stack([naive(asked, run).values[0] for run in one.runs])
    places = [(0, at) if kind == "class" else (at + 1, 0) for at, (kind, _) in enumerate(names)]

    def at(place: tuple[int, int]) -> dict[str, Tried]:
        return {method: Tried(*(field[place] for field in of)) for method, of in by_method.items()}

    spread = runs.std(axis=0, ddof=1) if len(runs) > 1 else np.full(asked.truth.shape, np.nan)
    return [
        Estimand(
            name, float(asked.truth[place]), at(place), float(spread[place]), len(asked.gold), drawn.places.shape[1]
        )
        for place, (_, name) in zip(places, names, strict=True)
    ]


def _table(found: Mapping[Labels, list[Estimand]], what: str) -> pd.DataFrame:
    """A row per labels, estimand and method."""
    columns = ["kind", "labels", what, "method", "truth", *Tried._fields, "seeds_sd"]
    rows = [
        [
            *labels,
            one.name,
            method,
            one.truth,
            *(round(float(field), DIGITS) + 0.0 for field in of),
            one.spread if method == "naive" else np.nan,
        ]
        for labels, several in found.items()
        for one in several
        for method, of in one.methods.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def _summary(found: Mapping[Labels, list[Estimand]]) -> dict[str, Any]:
    """By kind of labels, name and method: means over estimands."""
    content: dict[str, Any] = {"annotator": {}, "students": {}}
    for labels, several in found.items():
        if several:
            content[labels.kind][labels.name] = {
                method: {
                    name: rounded(mean_over(several, method, name)) for name in ("rmse", "width", "coverage", "told")
                }
                for method in several[0].methods
            }
    return content


def _most_telling(found: Mapping[Labels, list[Estimand]]) -> dict[Labels, list[Estimand]]:
    """For a picture: two annotators, then the students that are furthest off, three in all."""
    people = [labels for labels in found if labels.kind == "annotator"][:2]
    students = [labels for labels in found if labels.kind == "students"]
    students.sort(key=lambda labels: -max((abs(one.methods["naive"].bias) for one in found[labels]), default=0))
    return {labels: found[labels] for labels in [*people, *students][:3] if found[labels]}
