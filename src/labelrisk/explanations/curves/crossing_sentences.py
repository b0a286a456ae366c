"""What is said of where one learning curve passes another."""

from __future__ import annotations

from labelrisk.explanations.curves.points import Curves
from labelrisk.statistics.curve_shapes import Crossing

SURELY = {1: "surely ahead of", -1: "surely behind"}
BETTER = {1: "surely better", -1: "surely worse"}


def overtaking(gold: str, plain: str, cross: Crossing | None, worth: Crossing | None, curves: Curves) -> list[str]:
    """From how many rows on gold is ahead, and how many labels of gold are worth all of the annotator's."""
    says = []
    if cross is not None:
        says.append(_overtakes(gold, plain, cross))
    if worth is not None:
        rows = int(curves.points.rows[curves.points.of(plain)[-1]])
        says.append(_is_worth(gold, f"all {rows:,} rows of {plain}", worth))
    return says


def _overtakes(gold: str, plain: str, found: Crossing) -> str:
    start, end = found.start, found.end
    if start == end == 0:
        return (
            f"Whether students of {gold} or those of {plain} are ahead at equal numbers of rows is not told "
            f"{_span(found, 'from', 'to')} rows."
        )
    at = f"At equal numbers of rows students of {gold} are {SURELY[end or start]} those of {plain}"
    if start == end and found.low is None:
        return f"{at} at every size."
    if start == end:
        return f"{at} with few rows and with many, but {_span(found, 'from', 'to')} rows that is not sure."
    if end == 0:
        return f"{at} with fewer than {found.low:,.0f} rows; with more it is not told which is ahead."
    if start == 0:
        return f"{at} from {found.high:,.0f} rows on; with fewer it is not told which is ahead."
    before = {1: "surely ahead of them", -1: "surely behind"}[start]
    return f"{at} from {found.high:,.0f} rows on; {before} with fewer than {found.low:,.0f}."


def _is_worth(gold: str, whole: str, found: Crossing) -> str:
    start, end = found.start, found.end
    if start == end and found.low is None:
        if end > 0:
            return f"Even the fewest rows of {gold} that were tried give surely better students than {whole}."
        return f"No number of rows of {gold} that was tried gives as good students as {whole}."
    if start < 0 < end:
        between = _span(found, "between", "and")
        return f"About {found.rows:,.0f} rows of {gold}, {between}, give as good students as {whole}."
    if start == 0 < end:
        return f"With {found.high:,.0f} rows of {gold}, or fewer, students pass those of {whole} for sure."
    told = []
    if start:
        told.append(f"with fewer than {found.low:,.0f} they are {BETTER[start]}")
    if end:
        told.append(f"with more than {found.high:,.0f} they are {BETTER[end]}")
    but = f"; {', '.join(told)}" if told else ""
    return f"With how many rows of {gold} students pass those of {whole} is not told{but}."


def _span(found: Crossing, low: str, high: str) -> str:
    return f"{low} {found.low:,.0f} {high} {found.high:,.0f}"
