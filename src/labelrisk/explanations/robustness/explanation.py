"""Do labels flip when a text is edited so that they should not?  By edit, along chains of edits, and by source."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.edited_texts import EditedTexts, edited_texts
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.numbers import interval_json
from labelrisk.explanations.robustness.measures import TURNS, Edited, Robustness, robustness_of
from labelrisk.explanations.robustness.picture import draw_robustness
from labelrisk.explanations.robustness.sentences import robustness_sentences, without_edits
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded
from labelrisk.statistics.withstood_edits import median_edits

MEASURES = ("flipped", *TURNS, "accuracy_before", "accuracy_after", "accuracy_change")
COLUMNS = ["rows", *(f"{measure}{bound}" for measure in MEASURES for bound in ("", "_low", "_high"))]


def robustness(evidence: Evidence) -> Explanation:
    """Flips by edit and chain with intervals over rows and seeds, against the reference, and accuracy under edits.

    No paper that this project follows makes a claim of it, so that it decides none.
    """
    texts = edited_texts(evidence)
    if texts is None:
        return Explanation(says=[without_edits(evidence)], metrics={"rows": 0, "sources": {}})
    found = robustness_of(evidence, texts)
    study = evidence.study
    edits, chains = _by_edit(found), _by_length(found)
    draw = partial(
        draw_robustness, edits=edits, chains=chains, reference=study.settings.evaluate.reference,
        confidence=study.settings.evaluate.confidence,
    )  # fmt: skip
    return Explanation(
        says=robustness_sentences(evidence, texts, found),
        metrics={
            "rows": texts.rows,
            "seeds": texts.seeds,
            "edits": {name: _coverage(texts, place) for name, place in texts.edits.items()},
            "chains": [_coverage(texts, place) for place in texts.chains],
            "sources": {name: _metrics(found, name) for name in texts.edited},
        },
        tables={"": edits, "chains": chains},
        pictures={"": draw},
    )


def _coverage(texts: EditedTexts, place: int) -> dict[str, float | None]:
    """The shares of rows that a variant changed, that students read otherwise then, and that lost their end."""
    return {name: rounded(of[place].mean()) for name, of in vars(texts).items() if name in ("changed", "read", "cut")}


def _metrics(found: Robustness, name: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if found.any_edit:
        told["any_edit"] = interval_json(found.any_edit[name])
        told["edits"] = {edit: _edited(one) for edit, one in found.by_edit[name].items()}
    if found.by_then:
        told["flipped_by_edits_of_chain"] = [interval_json(one) for one in found.by_then[name]]
        told["chains"] = [_edited(one) for one in found.at_length[name]]
        told["withstood"] = interval_json(found.withstood[name])
        told["median_edits_to_flip"] = median_edits([one.estimate for one in found.by_then[name]])
    told["against_reference"] = {what: _contrast(of[name]) for what, of in found.against.items() if name in of}
    return told


def _edited(one: Edited) -> dict[str, Any]:
    return {
        "flipped": interval_json(one.flipped),
        **{turn: rounded(of.estimate) for turn, of in one.turns.items()},
        "accuracy_change": interval_json(one.change),
    }


def _contrast(found: Contrast) -> dict[str, Any]:
    more = {"better": "more", "worse": "less"}  # of shares of flips
    return interval_json(found) | {
        "p_holm": rounded(found.p_different),
        "decision": more.get(found.decision, found.decision),
    }


def _by_edit(found: Robustness) -> pd.DataFrame:
    """A row per source and edit."""
    rows = [
        {"source": name, "edit": edit, **_columns(one)}
        for name, of in found.by_edit.items()
        for edit, one in of.items()
    ]
    return pd.DataFrame(rows, columns=["source", "edit", *COLUMNS])


def _by_length(found: Robustness) -> pd.DataFrame:
    """A row per source and length of chain; by_then: what has flipped by then, of all rows."""
    rows = []
    for name, lengths in found.by_then.items():
        for edits, (then, one) in enumerate(zip(lengths, found.at_length[name], strict=True), start=1):
            about: dict[str, Any] = {"source": name, "edits": edits}
            rows.append(about | _bounds("by_then", then) | _columns(one))
    return pd.DataFrame(rows, columns=["source", "edits", "by_then", "by_then_low", "by_then_high", *COLUMNS])


def _bounds(name: str, found: Interval) -> dict[str, Any]:
    return {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}


def _columns(one: Edited) -> dict[str, Any]:
    turns = {key: value for turn, of in one.turns.items() for key, value in _bounds(turn, of).items()}
    return {
        "rows": one.rows,
        **_bounds("flipped", one.flipped),
        **turns,
        **_bounds("accuracy_before", one.before),
        **_bounds("accuracy_after", one.after),
        **_bounds("accuracy_change", one.change),
    }
