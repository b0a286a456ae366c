"""How good each ensemble is in each way, beside its mean and its best student: numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from labelrisk.comparison.claims.contract import Case, Finding, Lacking
from labelrisk.comparison.claims.judgements import judged
from labelrisk.comparison.claims.repairs import MOST
from labelrisk.explanations.ensembles.pools import NOTHING, TOGETHER, WAYS, Pool, Said, Way, pool_of
from labelrisk.statistics.contrasts import Contrast, decide
from labelrisk.statistics.gap_shares import share_of_gap
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.pseudo_runs import JointVariances, PseudoRuns, variances_of
from labelrisk.statistics.scores import accuracy, macro_f1

METRICS: dict[str, Metric] = {"macro_f1": macro_f1, "accuracy": accuracy}
Key = tuple[str, Way]  # of an ensemble and a way


class Gains(NamedTuple):
    """Scores by metric and key; in macro-F1, how far a key is above the ensemble's mean student, its best student by
    validation rows, and its plain vote.

    decided: what the votes' gains over the mean student say, with all of them looked at together.
    """

    scores: Mapping[str, Mapping[Key, Interval]]
    over_mean: Mapping[Key, Interval]
    over_best: Mapping[Key, Interval]
    over_vote: Mapping[Key, Interval]
    decided: Mapping[str, Contrast]


def gains(pools: Mapping[str, Pool], said: Mapping[str, Said], margin: float, confidence: float) -> Gains:
    """Intervals over other test rows and other seeds; one way's variance over seeds is pooled over ensembles."""
    scores: dict[str, dict[Key, Interval]] = {metric: {} for metric in METRICS}
    over: dict[Way, dict[Key, Interval]] = {"mean student": {}, "best student": {}, "vote": {}}
    for metric, score in METRICS.items():
        runs: dict[Way, dict[str, PseudoRuns]] = {}
        for way in WAYS:
            has = [name for name in pools if way == "mean student" or way in said[name].codes]
            runs[way] = {name: pools[name].runs(way, score, said[name]) for name in has}
            scores[metric] |= _intervals(way, runs[way], confidence)
            for base in over if metric == "macro_f1" and way in TOGETHER else ():
                if base != way:
                    common = [name for name in runs[way] if name in runs[base]]
                    less = {name: runs[way][name].plus(runs[base][name], -1.0) for name in common}
                    over[base] |= _intervals(way, less, confidence)
            if way not in over:
                del runs[way]
    of_votes = {name: over["mean student"][name, "vote"] for name in pools}
    decided = dict(zip(of_votes, decide(list(of_votes.values()), margin, confidence), strict=True))
    return Gains(scores, over["mean student"], over["best student"], over["vote"], decided)


def _intervals(way: Way, runs: Mapping[str, PseudoRuns], confidence: float) -> dict[Key, Interval]:
    if not runs:
        return {}
    variances = variances_of(runs)
    return {(name, way): variances.mean(name, confidence) for name in runs}


def closes_gap(case: Case, said: Said) -> Finding:
    """The vote over seeds of students of the annotator's labels closes most of their gap to students of gold.

    The number is the share of the gap between mean students.  said: of the annotator's plain source.  It goes
    beyond the papers, whose row '+ ensemble' is of labels that flip and are replaced (consistency_gold_recovers).
    """
    study, confidence = case.study, case.study.settings.evaluate.confidence
    if len(study.settings.seeds) < 2:
        raise Lacking("It needs two seeds or more.")
    plain, gold = (pool_of(study, name, (name,)) for name in (case.plain, case.gold))
    names = (f"vote of {case.plain}", case.plain, case.gold)
    runs = {
        names[0]: plain.runs("vote", macro_f1, said),
        names[1]: plain.runs("mean student", macro_f1, NOTHING),
        names[2]: gold.runs("mean student", macro_f1, NOTHING),
    }
    variances = JointVariances(runs, {names[0]: case.plain, names[1]: case.plain, names[2]: case.gold})
    if not variances.difference(case.gold, case.plain, confidence).low > 0:
        return Finding("not decided here", "It is not sure that there is a gap to gold.", sources=names)
    share = share_of_gap(variances, *names, confidence)
    return judged(
        share,
        [
            (share.low > MOST, "holds", "It is surely more than half of the gap."),
            (share.high < MOST, "does not hold", "It is surely less than half of the gap."),
        ],
        "The interval holds half of the gap.",
        names,
    )
