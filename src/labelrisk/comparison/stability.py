"""How far the seeds of each source agree, and whether that is less than the reference's do."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from labelrisk.comparison.study import Study
from labelrisk.comparison.training_length import failed_seeds
from labelrisk.statistics.agreement import krippendorff_alpha
from labelrisk.statistics.agreement_variances import AgreementVariances
from labelrisk.statistics.contrasts import holm, p_below
from labelrisk.statistics.intervals import Interval

FEWEST = 3  # seeds: two have a single pair, whose luck can't be told from the source


class Stability(NamedTuple):
    """Agreement of a source's seeds, alpha minus the reference's, and the verdict on it.

    without_failed: alpha of the seeds that did not fail, where some did and two are left.
    """

    alpha: Interval
    p_uc: Interval
    alpha_difference: Interval
    without_failed: float | None
    unstable: bool


@lru_cache(maxsize=1)
def stabilities(study: Study) -> dict[str, Stability]:
    """By source; nothing with fewer than three seeds.

    unstable: alpha is lower than the reference's for sure (Holm over the sources), and by more than the margin.
    """
    how, classes = study.settings.evaluate, len(study.classes)
    if len(study.settings.seeds) < FEWEST:
        return {}
    runs = {source: students.predictions for source, students in study.students.items()}
    alphas, shares = AgreementVariances(runs, classes, "alpha"), AgreementVariances(runs, classes, "p_uc")
    differences = {source: alphas.difference(source, how.reference, how.confidence) for source in runs}
    others = [source for source in runs if source != how.reference]
    p = dict(zip(others, holm([p_below(differences[source], 0.0) for source in others]), strict=True))
    failed = failed_seeds(study)
    return {
        source: Stability(
            alpha=alphas.of(source, how.confidence),
            p_uc=shares.of(source, how.confidence),
            alpha_difference=differences[source],
            without_failed=_alpha_without(study, source, failed[source]),
            unstable=bool(
                source in p
                and p[source] < (1 - how.confidence) / 2
                and differences[source].estimate < -how.stability_margin
            ),
        )
        for source in runs
    }


def _alpha_without(study: Study, source: str, failed: list[int]) -> float | None:
    kept = [place for place, seed in enumerate(study.settings.seeds) if seed not in failed]
    if not failed or len(kept) < 2:
        return None
    return krippendorff_alpha(study.students[source].predictions[kept], len(study.classes))
