"""The verdict on a source: one of a few words, and a sentence with its reason; the gravest that holds."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from labelrisk.comparison.class_losses import ClassLoss, weakest_class
from labelrisk.comparison.stability import Stability
from labelrisk.settings.evaluate import EvaluateSettings
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.convergence import LEARNED, Convergence
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.resolution import Needed, both_needed, rows_needed, seeds_needed
from labelrisk.statistics.variance_shares import Shares

Word = Literal[
    "reference", "not trained enough", "risky", "loses a class", "unstable", "no better than random", "safe",
    "can't tell",
]  # fmt: skip

FEW_SEEDS = 0.1  # part of the seeds in the variance of a difference up to which more rows alone are advised
FEWER_SEEDS = 0.8  # of those that seeds alone would take: more rows are named beside seeds if they save as many


class Verdict(NamedTuple):
    """The verdict and its reason; where undecided, the seeds and test rows in total that would tell, cheapest first."""

    word: Word
    because: str
    ways: tuple[Needed, ...] = ()


class Evidence(NamedTuple):
    """What a verdict on a source looks at.

    difference: macro-F1 minus the reference's, shares: what its variance consists of; against_twin: macro-F1 minus
    that of the twin that selects at random; stability, reference_stability: None with fewer than three seeds; seeds:
    how many.
    """

    length: Convergence
    reference_length: Convergence
    failed: list[int]
    difference: Interval
    shares: Shares
    classes: dict[str, ClassLoss]
    reference_classes: dict[str, ClassLoss]
    stability: Stability | None
    reference_stability: Stability | None
    against_twin: Contrast | None
    seeds: int


def points(value: float, sign: str = "") -> str:
    """A share as points of 100."""
    return f"{100 * round(value, 4):{sign}.1f}"  # as the metrics files have it, so that tables say the same


def bounds(found: Interval | Contrast) -> str:
    """An estimate with its interval, in points."""
    return f"{points(found.estimate, '+z')} [{points(found.low, '+z')}, {points(found.high, '+z')}]"


def judge_reference(length: Convergence, failed: list[int]) -> Verdict:
    """The reference is judged for its training alone."""
    if not length.converged:
        return Verdict("not trained enough", _too_short(length) + _failures(failed))
    return Verdict("reference", "what the others are held against" + _failures(failed))


def judge(seen: Evidence, how: EvaluateSettings) -> Verdict:
    """The gravest verdict that the evidence gives on a source that is not the reference; failed seeds are named."""
    found = _gravest(seen, how)
    alone = "; of one seed alone" if seen.seeds == 1 else ""
    return found._replace(because=found.because + alone + _failures(seen.failed))


def _gravest(seen: Evidence, how: EvaluateSettings) -> Verdict:
    """A source whose students, or the reference's, have not converged gets no other: its gap may be one of training."""
    if not seen.length.converged:
        return Verdict("not trained enough", _too_short(seen.length))
    if not seen.reference_length.converged:
        return Verdict("not trained enough", "the reference is not, so that there is nothing to hold it against")
    margin, remarks = points(how.margin).removesuffix(".0"), _spending(seen, how)
    if seen.difference.high < -how.margin:
        lost = f"{points(-seen.difference.high)} to {points(-seen.difference.low)}"
        return Verdict("risky", f"loses {lost} points of macro-F1, more than the {margin} accepted{remarks}")
    if lost_class := _lost_class(seen, how.class_margin):
        return Verdict("loses a class", lost_class + remarks)
    if seen.stability and seen.stability.unstable and seen.reference_stability:
        both = (seen.stability, seen.reference_stability)
        alphas = " against ".join(f"{one.alpha.estimate:.2f}" for one in both)
        shares = [f"{100 * one.p_uc.estimate:.0f} %" for one in both]
        agree = f"seeds agree on {shares[0]} of rows, the reference's on {shares[1]}"
        return Verdict("unstable", f"{agree} (alpha {alphas}){remarks}")
    if seen.difference.low > -how.margin:
        return Verdict("safe", f"loses less than {margin} points of macro-F1{remarks}")
    undecided = _undecided(seen, how)
    if spending := _spending(seen, how):
        return undecided._replace(word="no better than random", because=spending.removeprefix("; "))
    return undecided


def _spending(seen: Evidence, how: EvaluateSettings) -> str:
    """Whether a choice of rows gains less than the margin over a random one, for sure."""
    if seen.against_twin is None or seen.against_twin.high >= how.margin:
        return ""
    return f"; choosing its rows gains {bounds(seen.against_twin)} points over random ones"


def _too_short(length: Convergence) -> str:
    if length.fit < LEARNED:
        return f"after {length.steps:.0f} steps its students have learned nothing"
    if math.isnan(length.gain):
        return "one validation a run can't tell; lower train.validate_every"
    return (
        f"at {length.steps:.0f} steps {100 * (1 - length.fit):.0f} % of its labels are unlearned, and validation F1 "
        f"still rises ({points(length.gain, '+')} late in training, some {points(length.to_come)} to come)"
    )


def _failures(failed: list[int]) -> str:
    return f"; failed: seed {', '.join(map(str, failed))}" if failed else ""


def _lost_class(seen: Evidence, margin: float) -> str | None:
    """A class that is never predicted though the reference finds it, or loses more recall than the margin for sure."""
    finds = {name: one.recall.estimate > margin for name, one in seen.reference_classes.items()}
    never = [name for name, one in seen.classes.items() if one.predicted == 0 and finds[name]]
    lost = [name for name, one in seen.classes.items() if one.lost]
    if not never and not lost:
        return None
    names = never or lost
    worst = weakest_class({name: seen.classes[name] for name in names})
    recall, reference = seen.classes[worst].recall.estimate, seen.reference_classes[worst].recall.estimate
    what = f"never predicts {worst}" if never else f"loses {worst}"
    more = f", and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{what}: recall {recall:.2f} against {reference:.2f}{more}"


def _undecided(seen: Evidence, how: EvaluateSettings) -> Verdict:
    """What would decide it, if the truth is what was seen: seeds cost machine time, rows people's.

    Rows alone are advised where seeds hardly count: elsewhere such advice seldom holds (docs/verdict.md).
    """
    shares = seen.shares
    asked = (shares, seen.difference.estimate, -how.margin, how.confidence, how.power)
    now = Needed(shares.run_count, shares.row_count)
    seeds = seeds_needed(*asked)
    ways = [now._replace(seeds=seeds)] if seeds is not None else []
    if shares.seeds <= FEW_SEEDS * (shares.rows + shares.chance + shares.seeds):
        rows = rows_needed(*asked)
        ways += [now._replace(rows=rows)] if rows is not None else []
    elif (both := both_needed(*asked)) is not None and (seeds is None or both.seeds <= FEWER_SEEDS * seeds):
        ways.append(both)
    if not ways:
        return Verdict("can't tell", f"the gap is too close to the margin: {bounds(seen.difference)} points")
    return Verdict("can't tell", " or ".join(_more(way, now) for way in ways) + " would", tuple(ways))


def _more(way: Needed, now: Needed) -> str:
    """What a study lacks that has so many seeds and rows now."""
    seeds = f"{way.seeds - now.seeds:,} more seeds" if way.seeds > now.seeds else ""
    rows = f"{way.rows - now.rows:,} more test rows" if way.rows > now.rows else ""
    return " and ".join(part for part in (seeds, rows) if part)
