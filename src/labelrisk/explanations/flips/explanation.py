"""Which rows flip between seeds, and is that where the annotator was wrong?"""

from __future__ import annotations

from functools import partial
from typing import Any

from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.flips.covariates import covariates
from labelrisk.explanations.flips.picture import draw_flips
from labelrisk.explanations.flips.relations import Related, related, spreads_of
from labelrisk.explanations.flips.sentences import flip_sentences
from labelrisk.explanations.flips.tables import bins_table, relations_table, rows_table
from labelrisk.explanations.numbers import interval_json
from labelrisk.statistics.agreement_variances import AgreementVariances
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded


def flips(evidence: Evidence) -> Explanation:
    """The votes of each source's seeds by row, and their relation to what is known of the row."""
    study = evidence.study
    seeds, how = len(study.settings.seeds), study.settings.evaluate
    if seeds < 2:
        return Explanation(says=["With one seed no row can flip: train two seeds or more."], metrics={"seeds": seeds})
    spreads, known = spreads_of(evidence), covariates(evidence)
    runs = {name: of.predictions for name, of in study.students.items()}
    agreement = AgreementVariances(runs, len(study.classes), "p_uc")
    flipped = {name: _flipped(agreement.of(name, how.confidence)) for name in runs}
    lines = related(evidence, spreads, known)
    bins = bins_table(evidence, spreads, known)
    by_source = {
        name: {"flipped": _told(share), "pairs_disagree": rounded(spreads.pairs[name].mean())}
        | {"mean_entropy": rounded(spreads.entropy[name].mean())}
        for name, share in flipped.items()
    }
    return Explanation(
        says=flip_sentences(evidence, flipped, spreads, lines),
        metrics={"seeds": seeds, "sources": by_source, "relations": [_relation(line) for line in lines]},
        tables={
            "": relations_table(lines),
            "bins": bins,
            "rows": rows_table(evidence, spreads, known),
        },
        pictures={"": partial(draw_flips, bins=bins, reference=how.reference, confidence=how.confidence)},
    )


def _flipped(unchanged: Interval) -> Interval:
    """The share of rows on which not all seeds agree, from that on which they do."""
    return unchanged._replace(
        estimate=1 - unchanged.estimate, low=max(1 - unchanged.high, 0.0), high=min(1 - unchanged.low, 1.0)
    )


def _told(found: Interval | Contrast | None) -> dict[str, float | None] | None:
    return None if found is None else interval_json(found)


def _relation(line: Related) -> dict[str, Any]:
    told: dict[str, Any] = {
        "covariate": line.covariate.name,
        "annotator": line.covariate.annotator,
        "source": line.source,
        "rows": line.rows,
        "spearman": _told(line.rho),
        "spearman_against_reference": _told(line.rho_difference),
    }
    if line.covariate.is_event:
        told |= {"auc": _told(line.area), "auc_against_reference": _told(line.area_difference)}
    if line.gap is not None:
        told |= {
            "disagree_where_wrong": rounded(line.gap.wrong),
            "disagree_where_right": rounded(line.gap.right),
            "gap": _told(line.gap.gap),
            "gap_against_reference": _told(line.gap_difference),
        }
    return told
