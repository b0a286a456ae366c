"""The tables of followed errors: by source, by part of the test rows, transitions of labels, and the two terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.comparison.study import Study
from labelrisk.explanations.propagation.followed_errors import Followed
from labelrisk.explanations.propagation.look_alike_errors import LookAlikes
from labelrisk.explanations.propagation.parts import OnPart
from labelrisk.explanations.propagation.repeated_errors import Compared
from labelrisk.statistics.contrasts import ROUNDING, decide
from labelrisk.statistics.error_propagation import transitions
from labelrisk.statistics.intervals import Interval

NO_LABEL_NAME = "(none)"
Row = dict[str, Any]


def sources_table(followed: Sequence[Followed]) -> pd.DataFrame:
    """A row per annotator and source; columns of gold's students on the same rows begin with `gold_`."""
    return pd.DataFrame(
        {
            "annotator": of.errors.annotator,
            "source": one.name,
            "kind": one.kind,
            "wrong_rows": int(of.errors.wrong.sum()),
            "right_rows": int(of.errors.right.sum()),
            **_compared("repeated", one.repeats.repeated),
            "decision": one.taught.decision if one.taught else "",
            "chance": one.repeats.chance,
            "gold_chance": one.repeats.gold_chance,
            **_compared("excess", one.repeats.excess),
            **_compared("corrected", one.repeats.corrected),
            **_compared("invented", one.repeats.invented),
            **_compared("consistency", one.repeats.consistency),
            **_near(one.look_alikes),
        }
        for of in followed
        for one in of.sources.values()
    )


def parts_table(study: Study, parts: Sequence[OnPart]) -> pd.DataFrame:
    """A row per part of the test rows and source; decision: taught, with Holm over all parts and sources."""
    how = study.settings.evaluate
    asked = [place for place, one in enumerate(parts) if one.repeated.difference.error > ROUNDING]
    decided = decide([parts[place].repeated.difference for place in asked], how.margin, how.confidence)
    decisions = {place: one.decision for place, one in zip(asked, decided, strict=True)}
    return pd.DataFrame(
        {
            "annotator": one.annotator,
            "source": one.source,
            "by": one.part.column,
            "part": one.part.name,
            "rows": len(one.part.rows),
            "wrong_rows": one.wrong,
            **_named("repeated", one.repeated.own),
            **_named("gold_repeated", one.repeated.gold),
            **_named("taught", one.repeated.difference),
            "decision": decisions.get(place, "not judged"),
            **_named("corrected", one.corrected.own),
            **_named("gold_corrected", one.corrected.gold),
            **_named("invented", one.invented.own),
            **_named("gold_invented", one.invented.gold),
            **_near(one.look_alikes),
        }
        for place, one in enumerate(parts)
    )


def transitions_table(study: Study, followed: Sequence[Followed]) -> pd.DataFrame:
    """What students say by gold class and the annotator's label: the share of these rows, mean and sd over seeds."""
    rows: list[Row] = []
    names = [*study.classes, NO_LABEL_NAME]
    for of in followed:
        for source in of.errors.compared:
            counts = transitions(
                study.test.gold, of.errors.given, study.students[source].predictions, len(study.classes)
            )
            sizes = counts[0].sum(axis=-1)
            deviation = counts.std(axis=0, ddof=1) if len(counts) > 1 else np.full(counts.shape[1:], np.nan)
            mean = counts.mean(axis=0)
            rows += [
                {
                    "annotator": of.errors.annotator,
                    "source": source,
                    "gold": names[gold],
                    "annotator_label": names[given],
                    "student_label": names[said],
                    "rows": int(sizes[gold, given]),
                    "share": mean[gold, given, said] / sizes[gold, given],
                    "sd": deviation[gold, given, said] / sizes[gold, given],
                }
                for gold, given, said in np.argwhere(mean > 0)
            ]
    return pd.DataFrame(rows)


def terms_table(followed: Sequence[Followed]) -> pd.DataFrame:
    """A row per source and smoothing: the terms in nats."""
    return pd.DataFrame(
        {
            "annotator": of.errors.annotator,
            "source": one.name,
            "rows": terms.rows,
            "smoothing": terms.smoothing,
            "zeros": terms.zeros,
            **_named("total", terms.total),
            **_named("annotator_error", terms.annotator),
            **_named("estimation", terms.estimation),
            **_named("remainder", terms.remainder),
            **_named("larger", terms.larger),
            **(_named("at_least", terms.at_least) if terms.at_least else {}),
            **_named("misses", terms.misses),
        }
        for of in followed
        for one in of.sources.values()
        for terms in one.terms
    )


def _near(near: LookAlikes) -> Row:
    found: Row = {"near_wrong_rows": near.wrong_rows, **_named("near_corrected", near.corrected.own)}
    found |= _named("gold_near_corrected", near.corrected.gold)
    found |= {"near_right_rows": near.right_rows, **_named("near_invented", near.invented.own)}
    return found | _named("gold_near_invented", near.invented.gold)


def _compared(name: str, found: Compared) -> Row:
    return _named(name, found.own) | _named(f"gold_{name}", found.gold) | _named(f"{name}_difference", found.difference)


def _named(name: str, found: Interval) -> Row:
    return {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
