"""How an annotator's errors reach its students: repeated, corrected, invented; systematic or random; and whose."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import over_rows_and_seeds, with_level
from labelrisk.explanations.propagation.claims import errors_claims
from labelrisk.explanations.propagation.followed_errors import Followed, followed_errors
from labelrisk.explanations.propagation.metrics import metrics_of
from labelrisk.explanations.propagation.part_sentences import about_parts
from labelrisk.explanations.propagation.parts import errors_on_parts
from labelrisk.explanations.propagation.picture import bars_of, draw_propagation
from labelrisk.explanations.propagation.sentences import about_all_treated, about_annotator, about_labels_as_they_are
from labelrisk.explanations.propagation.tables import parts_table, sources_table, terms_table, transitions_table
from labelrisk.explanations.propagation.term_sentences import about_terms

NOBODY = "No source is about an annotator other than gold, so that there are no errors of an annotator to follow."


def propagation(evidence: Evidence) -> Explanation:
    """By annotator and source; tables of sources, of parts of the test rows, of transitions and of the two terms."""
    study = evidence.study
    followed, lacking = followed_errors(evidence)
    parts = [one for of in followed for one in errors_on_parts(evidence, of.errors, of.learned)]
    by_part = parts_table(study, parts)
    tables = {"": sources_table(followed), "parts": by_part}
    tables |= {"transitions": transitions_table(study, followed), "terms": terms_table(followed)}
    says = [*(sentence for of in followed for sentence in _says(of)), *about_parts(by_part, followed), *lacking]
    over = f"of annotators over rows, of students {over_rows_and_seeds(study)}"
    bars = bars_of(followed)
    return Explanation(
        says=with_level(says or [NOBODY], study.settings.evaluate.confidence, over),
        metrics={"annotators": {of.errors.annotator: metrics_of(of) for of in followed}},
        tables={name: table for name, table in tables.items() if len(table)},
        pictures={"": partial(draw_propagation, bars=bars)} if bars else {},
        claims=errors_claims(evidence, followed),
    )


def _says(of: Followed) -> Iterator[str]:
    yield from about_annotator(of)
    for one in of.sources.values():
        if one.kind == "plain":
            yield from about_labels_as_they_are(of, one)
            yield from about_terms(of, one)
    yield from about_all_treated(of, [one for one in of.sources.values() if one.kind != "plain"])
