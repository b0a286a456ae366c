"""Learning curves: where they flatten, what more labels would buy, and when gold passes an annotator's labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from labelrisk.comparison.claims.contract import Lacking, cases
from labelrisk.comparison.labels_spent import rows_and_gold
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.curves import sentences as sentences
from labelrisk.explanations.curves.crossing_sentences import overtaking
from labelrisk.explanations.curves.picture import draw_curves
from labelrisk.explanations.curves.plan import curve_plan, plain_sources
from labelrisk.explanations.curves.points import Curves, curves_of
from labelrisk.explanations.curves.premature_plateau import plateau_claims
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.curve_shapes import Crossing, crossing, worth
from labelrisk.statistics.power_laws import FEWEST, PowerLaw, Range, power_law
from labelrisk.statistics.scores import rounded


def curves(evidence: Evidence) -> Explanation:
    """What students of fewer rows say; without them, how to get them."""
    study = evidence.study
    if not evidence.smaller:
        return _without(evidence)
    how = study.settings.evaluate
    found = curves_of(evidence)
    laws = _laws(found)
    claims = plateau_claims(study, found)
    pairs = _pairs(evidence, found)
    says = [
        *sentences.course(found, f"{100 * how.confidence:g}"),
        *(sentences.shape(found, laws, source, how.margin) for source in found.sources),
        *sentences.next_labels(found, laws),
        *(sentence for names, of in pairs.items() for sentence in overtaking(*names, *of, found)),
        sentences.training(found),
        *sentences.claimed(claims),
    ]
    table = found.table()
    gains = sentences.next_gains(found, laws)
    metrics: dict[str, Any] = {
        "sources": {
            source: {
                "points": [_json(row) for row in table[table["source"] == source].to_dict("records")],
                "law": _law(laws[source], how.margin) if source in laws else None,
                "next_hundred": _range(gains[source]) if source in gains else None,
            }
            for source in found.sources
        },
        "gold_passes": {
            plain: {"gold": gold, "at_equal_rows": _crossing(of[0]), "worth_all_rows": _crossing(of[1])}
            for (gold, plain), of in pairs.items()
        },
    }
    draw = partial(draw_curves, table=table, laws=laws, reference=how.reference, confidence=how.confidence)
    return Explanation(says=says, metrics=metrics, tables={"": table}, pictures={"": draw}, claims=claims)


def _without(evidence: Evidence) -> Explanation:
    settings = evidence.study.settings
    rows = {name: rows_and_gold(evidence.study, name)[0] for name in plain_sources(settings)}
    plan = curve_plan(settings, rows, small=False)
    own = len(settings.sources) * len(settings.seeds)
    says = sentences.how_to(plan.students(rows), own, plan.sizes, plan.sources)
    metrics = {"sizes": list(plan.sizes), "sources": list(plan.sources), "students": plan.students(rows)}
    return Explanation(says=says, metrics={"needs": metrics}, claims=plateau_claims(evidence.study, None))


def _laws(found: Curves) -> dict[str, PowerLaw]:
    """Of the sources with enough sizes, and more than one seed of each, whose scores vary."""
    points, laws = found.points, {}
    for source in found.sources:
        places = points.of(source)
        covariance = points.covariance(places)
        if len(places) >= FEWEST and min(found.seeds[at] for at in places) > 1 and covariance.any():
            size, scores = points.rows[places], points.scores[places]
            laws[source] = power_law(size, scores, covariance, points.degrees[source], found.confidence)
    return laws


def _pairs(evidence: Evidence, found: Curves) -> dict[tuple[str, str], tuple[Crossing | None, Crossing | None]]:
    """By gold's source and the annotator's: where gold passes it, and how much gold all of its labels are worth."""
    pairs = {}
    for case in cases(evidence.study):
        try:
            names = (case.gold, case.plain)
        except Lacking:
            continue
        if set(names) <= set(found.sources):
            of = (found.points, *names, found.confidence)
            pairs[names] = (crossing(*of), worth(*of))
    return pairs


def _json(row: Mapping[Any, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in ("rows", "seeds")} | {"converged": row["converged"]}
    return plain | {name: rounded(row[name]) for name in ("macro_f1", "low", "high", "steps", "fit", "to_come")}


def _law(law: PowerLaw, margin: float) -> dict[str, Any]:
    return {
        "plateau": _range(law.plateau),
        "told": law.told,
        "power": _range(law.range_of(lambda one: one.power)),
        "flat_from_rows": _range(law.flat_from(margin)),
        "p": rounded(law.p),
    }


def _range(found: Range) -> dict[str, float | None]:
    return {name: rounded(value) for name, value in found._asdict().items()}


def _crossing(found: Crossing | None) -> dict[str, float | int | None] | None:
    if found is None:
        return None
    return {name: rounded(value) if isinstance(value, float) else value for name, value in found._asdict().items()}
