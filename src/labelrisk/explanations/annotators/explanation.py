"""annotators: how far annotators agree, which errors they share, what panels add, and what students make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pandas as pd

from labelrisk.comparison.outputs import Picture
from labelrisk.comparison.study import Study
from labelrisk.explanations.annotators.pairs import Judged, alpha_of_all, compared, judged_pairs
from labelrisk.explanations.annotators.panel_gains import PanelGain, panel_gains
from labelrisk.explanations.annotators.picture import draw_pairs, draw_students
from labelrisk.explanations.annotators.sentences import about_pairs, about_panel, about_students
from labelrisk.explanations.annotators.students import Taught, rank_correlation, taught, taught_pairs
from labelrisk.explanations.annotators.tables import (
    as_json,
    pair_row,
    pairs_table,
    panel_row,
    taught_pair_row,
    taught_row,
)
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import over_rows_and_seeds, with_level
from labelrisk.statistics.scores import rounded

SPLITS = ("test", "train")
ORDERS = ("same", "opposite", "not decided")
IN_SHORT = ["rows", "unlabelled", "agreement", "kappa", "alpha", "both_wrong", "both_wrong_expected"]
IN_SHORT += [f"{kind}_ratio{end}" for kind in ("both_wrong", "same_wrong") for end in ("", "_low", "_high")]
IN_SHORT += ["decision"]
Pairs = Mapping[str, Sequence[Judged]]


def annotators(evidence: Evidence) -> Explanation:
    """By pair of annotators and split, by panel, by annotator with students, and by two of these."""
    study = evidence.study
    level = 1 - study.settings.evaluate.confidence
    pairs = {split: judged_pairs(study, split) for split in SPLITS}
    panels, learned = panel_gains(study), taught(study)
    of_students = taught_pairs(study, learned)
    correlation = rank_correlation(learned)
    rows = {
        "panels": [panel_row(one) for one in panels],
        "students": [taught_row(one) for one in learned],
        "students_pairs": [taught_pair_row(one) for one in of_students],
    }
    says = [
        *_about_pairs(study, pairs, level),
        *_about_panels(study, panels),
        *about_students(learned, of_students, correlation),
    ]
    return Explanation(
        says=with_level(says, 1 - level, f"of annotators over rows, of students {over_rows_and_seeds(study)}"),
        metrics={
            "alpha": {split: rounded(alpha_of_all(study, split)) for split in SPLITS},
            "pairs": {split: {_name(one): _in_short(one, level) for one in pairs[split]} for split in SPLITS},
            "panels": {row["panel"]: as_json(row) for row in rows["panels"]},
            "students": {row["annotator"]: as_json(row) for row in rows["students"]},
            "orders": {order: sum(pair.order == order for pair in of_students) for order in ORDERS},
            "spearman": rounded(correlation),
        },
        tables={"": pairs_table([one for split in SPLITS for one in pairs[split]], level)}
        | {name: pd.DataFrame(of) for name, of in rows.items() if of},
        pictures=_pictures(study, pairs, learned),
    )


def _about_pairs(study: Study, pairs: Pairs, level: float) -> Iterator[str]:
    """Of the test rows, or of the train rows where no two annotators labelled test rows."""
    names = list(dict.fromkeys(name for split in SPLITS for name in compared(study, split)))
    if len(names) < 2:
        alone = f"A single annotator, {names[0]}," if names else "No annotator but gold"
        yield f"{alone} labelled rows that have gold, so that there are no two to compare."
        return
    told = next((pairs[split] for split in SPLITS if pairs[split]), None)
    if told is None:
        yield "No two annotators labelled two gold rows in common, so that nothing is said of their agreement."
    elif all(one.p_wrong is None for one in told):
        yield "All pairs of annotators are a panel and its members, which agree by construction."
    else:
        yield from about_pairs(told, level)


def _about_panels(study: Study, panels: Sequence[PanelGain]) -> Iterator[str]:
    for gain in panels:
        yield from about_panel(gain)
    judged = {gain.panel for gain in panels}
    for name in study.settings.panels:
        if name not in judged:
            yield f"What the panel {name} adds is not known: it, or all but one of its members, labelled no test row."


def _name(one: Judged) -> str:
    return f"{one.pair.one} and {one.pair.other}"


def _in_short(one: Judged, level: float) -> dict[str, object]:
    row = as_json(pair_row(one, level))
    return {name: row[name] for name in IN_SHORT}


def _pictures(study: Study, pairs: Pairs, learned: Sequence[Taught]) -> dict[str, Picture]:
    pictures: dict[str, Picture] = {}
    level = 1 - study.settings.evaluate.confidence
    if told := next((pairs[split] for split in SPLITS if pairs[split]), None):
        pictures[""] = partial(draw_pairs, table=pairs_table(told, level), confidence=1 - level)
    known = [one for one in learned if one.accuracy is not None]
    if len(known) > 1:
        table = pd.DataFrame([taught_row(one) for one in known])
        pictures["students"] = partial(draw_students, table=table, confidence=1 - level)
    return pictures
