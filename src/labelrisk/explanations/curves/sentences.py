"""What learning curves say in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labelrisk.comparison.claims.contract import Finding
from labelrisk.comparison.verdicts import points
from labelrisk.explanations.curves.points import Curves
from labelrisk.statistics.curve_shapes import difference
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.power_laws import FEWEST, MISFIT, PowerLaw, Range

NEXT = 100  # labels
FAR = 10  # times the rows that a study has: what a law says beyond is no number
Laws = Mapping[str, PowerLaw]


def span(found: Range | Interval) -> str:
    """An estimate with its interval, in points."""
    return f"{points(found.estimate)} [{points(found.low)}, {points(found.high)}]"


def course(curves: Curves, percent: str) -> list[str]:
    """What each source's students score with the fewest rows, and with all."""
    says: list[str] = []
    over = "over rows and seeds" if min(curves.seeds) > 1 else "over rows, and seeds where there are several"
    for source in curves.sources:
        first, *_, last = curves.points.of(source)
        level = "" if says else f" ({percent} % intervals throughout, {over})"
        says.append(
            f"Students of {source} score a macro-F1 of {span(curves.mean(first))} with {_rows(curves, first)} and of "
            f"{span(curves.mean(last))} with all {_rows(curves, last)}{level}."
        )
    if min(curves.seeds) == 1:
        says.append("Some points have a single seed: their intervals are about other test rows alone.")
    return says


def shape(curves: Curves, laws: Laws, source: str, margin: float) -> str:
    """Where a curve ends, and from where on it is flat; or why that can't be told."""
    places = curves.points.of(source)
    law, last = laws.get(source), int(curves.points.rows[places[-1]])
    if law is None:
        if len(places) < FEWEST:
            return (
                f"No plateau can be told for {source}: it has {len(places)} sizes, and a power law with a plateau "
                f"needs {FEWEST} or more."
            )
        return f"No plateau can be told for {source}: it needs two seeds or more, whose scores differ."
    if law.p < MISFIT:
        return f"The scores of {source} follow no power law (p = {law.p:.3f}), so that nothing is foreseen from one."
    flat = _flat(law.flat_from(margin), last, margin)
    if law.told:
        return f"With ever more labels students of {source} would reach {span(law.plateau)}; {flat}."
    return (
        f"No plateau can be told for {source}: it lies above {points(law.plateau.low)}, and a curve that rises without "
        f"end fits as well; {flat}."
    )


def _flat(found: Range, last: int, margin: float) -> str:
    small = f"less than {points(margin)} points"
    if found.high <= 1.0:
        return f"twice as many labels buy {small} at any size"
    if found.low > FAR * last:
        return f"twice as many labels buy more than {points(margin)} points far beyond {last:,} rows"
    low = f"{found.low:,.0f}"
    if found.high > FAR * last:
        but = f", but not from fewer than {low}" if found.low > 1 else ""
        return f"from how many rows on twice as many labels buy {small} is not told{but}"
    start = f"from about {found.estimate:,.0f} rows on, between {low} and {found.high:,.0f}"
    return f"{start}, twice as many labels buy {small}"


def next_labels(curves: Curves, laws: Laws) -> list[str]:
    """What the next hundred labels buy, and on which source most."""
    gains = next_gains(curves, laws)
    if not gains:
        return []
    listed = "; ".join(f"{name} {span(gain)}" for name, gain in gains.items())
    says = [
        f"The next {NEXT} labels, beyond all rows, would buy so many points if the curves go on as they are: {listed}."
    ]
    if len(gains) > 1:
        most, *others = sorted(gains, key=lambda name: -gains[name].estimate)
        sure = all(difference(gains[most], gains[other]).low > 0 for other in others)
        says.append(
            f"They surely buy most on {most}."
            if sure
            else f"On which source they buy most is not sure; the estimate is highest on {most}."
        )
    return says


def next_gains(curves: Curves, laws: Laws) -> dict[str, Range]:
    """By source whose points follow a law."""
    return {name: law.gain(law.largest, law.largest + NEXT) for name, law in laws.items() if not law.p < MISFIT}


def training(curves: Curves) -> str:
    """Whether all students of all sizes have converged."""
    young = curves.unconverged(curves.sources)
    if not any(curves.lengths):
        return "How long the students trained is not known."
    if not young:
        return "Students of all sizes have converged, by the check that the verdict makes, too."
    listed = ", ".join(f"{name} with {rows:,}" for name, rows in young)
    return (
        f"Not trained enough, so that their points may lie too low: {listed} rows; raise train.steps, or curve.steps "
        "where it is set."
    )


def claimed(claims: Mapping[str, Mapping[str, Finding]]) -> list[str]:
    """Whether an annotator's curve flattens earlier than that of gold."""
    says = []
    for annotator, found in claims.items():
        for one in found.values():
            number = ""
            if one.estimate is not None and one.low is not None and one.high is not None:
                number = f": {span(Range(one.estimate, one.low, one.high))} points per doubling"
            says.append(f"That the curve of {annotator} flattens earlier than that of gold {_word(one)}{number}.")
    return says


def _word(found: Finding) -> str:
    return "is not decided here" if found.finding == "not decided here" else str(found.finding)


def _rows(curves: Curves, place: int) -> str:
    return f"{int(curves.points.rows[place]):,} rows"


def how_to(students: int, own: int, sizes: Sequence[int], sources: Sequence[str]) -> list[str]:
    """What to do for learning curves, and what it costs; there are none."""
    if not sizes:
        return [
            "There are too few train rows for learning curves: sizes double from 50, and all must be smaller than all."
        ]
    return [
        "This study has students of one number of train rows for each source: it shows no learning curve, says of no "
        "source what more labels would buy, and doesn't tell whether the annotator's labels flatten early.",
        f"`labelrisk curves` trains {students:,} students on {', '.join(f'{size:,}' for size in sizes)} rows of "
        f"{', '.join(sources)}, each for as many steps as those of all rows: about {students / own:.1f} times the time "
        f"that the {own:,} students of this study took.",
        "`labelrisk curves --small` trains fewer of them, for a first look.",
    ]
