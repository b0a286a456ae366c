"""What is said of prediction sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labelrisk.explanations.certificates.certified_sets import SetScores
from labelrisk.explanations.phrases import bounded, percent, short


def about_sets(
    sets: Mapping[str, Sequence[SetScores]], classes: Sequence[str], risk: float, reference: str
) -> Iterator[str]:
    """Of the reference's sets, and of the largest of all others; the table has the rest."""
    told = [name for name, (whole, _) in sets.items() if not whole.few]
    if few := [name for name in sets if name not in told]:
        names = short(few, "certificates_sets.csv", between=", ")
        held = f"the gold class of {percent_of(1 - risk)} of rows"
        yield f"Prediction sets of {names} need more test rows to hold {held}."
    if not told:
        return
    worst = max(told, key=lambda name: sets[name][0].size.estimate)
    for name in dict.fromkeys([reference, worst] if reference in told else [worst]):
        largest = ", the largest," if name == worst and len(told) > 1 else ""
        yield _of_source(name, largest, sets[name], classes, risk)


def _of_source(name: str, largest: str, every: Sequence[SetScores], classes: Sequence[str], risk: float) -> str:
    whole, by_class = every
    least, share = min(
        ((label, share) for label, share in zip(classes, whole.by_class, strict=True) if share is not None),
        key=lambda pair: pair[1].share,
    )
    few = f", as too few test rows show {by_class.few} of {len(classes)} classes" if by_class.few else ""
    return (
        f"For {name}, sets of classes{largest} that promise to hold the gold one for {percent_of(1 - risk)} of new "
        f"rows have {bounded(whole.size, '.2f', 1)} classes, and {percent(whole.single)} of them a single one; of the "
        f"test rows they held it for {percent(whole.coverage)}, least often for {least}, {percent(share)}; to promise "
        f"as much for each class alone takes sets of {bounded(by_class.size, '.2f', 1)} classes{few}."
    )


def percent_of(share: float) -> str:
    """A share that has no interval."""
    return f"{100 * share:.1f} %".replace(".0 %", " %")
