"""The claim that the learning curve of an annotator's labels flattens earlier than that of gold.  Lu & Smith (2025)."""

from __future__ import annotations

from labelrisk.comparison.claims.contract import Case, Finding, Lacking, cases
from labelrisk.comparison.claims.judgements import lower
from labelrisk.comparison.study import Study
from labelrisk.explanations.curves.points import Curves
from labelrisk.statistics.curve_shapes import late_rows, slope

NAME = "plateau_early"
HOW_TO = "It needs students of several numbers of rows; `labelrisk curves` trains them."
FEWEST = 2  # numbers of rows that have a slope
PART = 4.2  # the late part of a curve: the last two doublings, and a little, for a source lacks some labels


def plateau_claims(study: Study, curves: Curves | None) -> dict[str, dict[str, Finding]]:
    """By annotator; None: there are no curves."""
    found = {}
    for case in cases(study):
        try:
            finding = plateau_early(case, curves)
        except Lacking as lacking:
            finding = Finding("not decided here", str(lacking))
        found[case.annotator] = {NAME: finding}
    return found


def plateau_early(case: Case, curves: Curves | None) -> Finding:
    """Late in the curves, over the last two doublings that both have, twice as many rows buy less with the annotator's
    labels than with gold: at the same numbers of rows, for a concave curve is flatter further on.

    Yes: for sure.  No: that they buy less by the margin or more is ruled out.  Not decided where students of one of
    these points have not converged, for they would flatten for another reason.
    """
    if curves is None:
        raise Lacking(HOW_TO)
    for name in (case.gold, case.plain):
        if name not in curves.sources:
            raise Lacking(f"It needs students of several numbers of rows of {name}; name it in curve.sources.")
    points, margin = curves.points, case.study.settings.evaluate.margin
    rows = late_rows(points, case.plain, case.gold, PART)
    if len(rows) < FEWEST:
        end = rows[-1]
        raise Lacking(f"It needs two sizes or more from {end / PART:,.0f} to {end:,.0f} rows, of both sources.")
    weights = slope(points, case.plain, rows) - slope(points, case.gold, rows)
    found = lower(points.contrast(weights, curves.confidence), margin, (case.plain, case.gold))
    if young := curves.unconverged([case.plain, case.gold], float(rows[0])):
        name, size = young[0]
        because = f"Students of {name} with {size:,} rows have not converged, and could rise with more steps."
        return found._replace(finding="not decided here", because=because)
    because = (
        f"{found.because}  The number is what doubling the rows buys with {case.plain}, less what it buys with gold."
    )
    return found._replace(because=because)
