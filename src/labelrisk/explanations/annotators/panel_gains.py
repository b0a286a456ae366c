"""What a panel adds to its members: scores of its labels minus those of the best and of the mean member."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.study import Study
from labelrisk.explanations.annotators.pairs import compared
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.contrasts import ROUNDING, Contrast, decide
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Floats, accuracy, macro_f1
from labelrisk.statistics.shares import Share, wilson


class PanelGain(NamedTuple):
    """A panel on the gold test rows, a row without a label counted as wrong, as everywhere.

    best: the member that is right on most gold rows of `chosen_on`.  Differences: the panel minus that member, and
    minus the mean of the members that labelled test rows; those of macro-F1 are decided by Holm over all panels.
    any_right: share of rows where a member is right, which no choice among their labels can pass; all_right: where
    all are.
    """

    panel: str
    members: list[str]
    best: str
    chosen_on: str
    coverage: Share
    coverage_of_mean: float
    accuracy: Share
    accuracy_over_best: Interval
    accuracy_over_mean: Interval
    f1_over_best: Contrast
    f1_over_mean: Contrast
    any_right: Share
    all_right: Share


def panel_gains(study: Study) -> list[PanelGain]:
    """Panels with test labels, two members of which have test labels too, in the order of params.yaml."""
    how, given = study.settings.evaluate, study.annotators_used_directly
    found = []
    for panel in study.settings.panels:
        members = [name for name in study.settings.members(panel) if name in given]
        if panel in given and len(members) > 1 and len(study.test.gold) > 1:
            best, chosen_on = _best(study, members)
            found.append((panel, members, best, chosen_on))
    f1 = [_over(study, macro_f1, panel, others) for panel, members, best, _ in found for others in ([best], members)]
    decided = decide(f1, how.margin, how.confidence) if f1 else []
    return [
        PanelGain(
            panel=panel,
            members=members,
            best=best,
            chosen_on=chosen_on,
            coverage=_share(study, given[panel].codes != NO_LABEL),
            coverage_of_mean=float(np.mean([(given[name].codes != NO_LABEL).mean() for name in members])),
            accuracy=_share(study, given[panel].codes == study.test.gold),
            accuracy_over_best=_over(study, accuracy, panel, [best]),
            accuracy_over_mean=_over(study, accuracy, panel, members),
            f1_over_best=decided[2 * place],
            f1_over_mean=decided[2 * place + 1],
            any_right=_share(study, np.any([given[name].codes == study.test.gold for name in members], axis=0)),
            all_right=_share(study, np.all([given[name].codes == study.test.gold for name in members], axis=0)),
        )
        for place, (panel, members, best, chosen_on) in enumerate(found)
    ]


def _best(study: Study, members: list[str]) -> tuple[str, str]:
    """The member that is right most often where gold is known and no test row is looked at, and where that is.

    Chosen on the test rows, the best of several would look better than it will be; only where no gold row of train was
    labelled there is no other way.
    """
    for split in ("train", "test"):
        given = compared(study, split)
        right = {name: int(np.trace(given[name].counts[:, :-1])) for name in members if name in given}
        if right:
            break
    return max(right, key=lambda name: right[name]), split


def _share(study: Study, hits: NDArray[np.bool_]) -> Share:
    return wilson(int(hits.sum()), len(hits), study.settings.evaluate.confidence)


def _over(study: Study, metric: Metric, panel: str, others: list[str]) -> Interval:
    """The panel's score minus the mean of others', paired on the test rows; sure where no row tells them apart."""
    values: list[float] = []
    influences: list[Floats] = []
    for name in (panel, *others):
        given = study.annotators_on_test[name]
        values.append(float(metric(given.counts)))
        influences.append(row_influences(study.test.gold, given.codes[None], given.counts[None], metric)[0])
    moved = influences[0] - np.mean(influences[1:], axis=0)
    moved[np.abs(moved) < ROUNDING] = 0.0
    return rows_interval(values[0] - float(np.mean(values[1:])), moved, study.settings.evaluate.confidence)
