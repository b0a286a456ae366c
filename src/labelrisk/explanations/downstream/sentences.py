"""What the explanation `downstream` says: sentences about estimates from labels, and what corrects them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from labelrisk.errors import shown
from labelrisk.explanations.downstream.repeated_draws import (
    ALONE,
    METHODS,
    NAIVE,
    POWERED,
    SUPERVISED,
    Tried,
    rows_worth,
)

TOLD = 3  # annotators of which sentences tell; the tables hold all


class Labels(NamedTuple):
    """Whose labels: kind is annotator or students."""

    kind: str
    name: str

    @property
    def words(self) -> str:
        """As a sentence names them."""
        return (
            shown(self.name, 40) if self.kind == "annotator" else f"the vote of the students of {shown(self.name, 40)}"
        )


class Estimand(NamedTuple):
    """A class share or a coefficient: its truth on these rows, by method what is told of it (Tried of numbers), the
    standard deviation of the naive estimate over seeds, how many rows there are, and how many are drawn.
    """

    name: str
    truth: float
    methods: Mapping[str, Tried]
    spread: float
    rows: int
    chosen: int


def sentences(
    facts: Mapping[str, Any],
    wanted: str,
    shares: Mapping[Labels, list[Estimand]],
    slopes: Mapping[Labels, list[Estimand]],
    confidence: float,
) -> list[str]:
    """For each annotator its worst share, what corrects it and how often; then students, then the regression."""
    how = "at random" if facts["design"] == "random" else f"by the uncertainty of {facts['uncertainty_of']}"
    says = [
        f"Of the {facts['rows']:,} test rows with gold {facts['gold_rows']} are drawn {how}, {facts['draws']} times "
        "over; an estimate may use the gold of drawn rows alone, as do PPI++ (prediction-powered inference) and DSL "
        "(design-based supervised learning), which correct an annotator's labels by it, and the gold of all rows says "
        f"how far off it is ({100 * confidence:.4g} % intervals throughout, over rows alone)."
    ]
    if wanted != facts["design"]:
        says.append("No annotator gave probabilities, so that rows could not be drawn by uncertainty.")
    if facts["few_labels"]:
        says.append(f"Too few test rows have labels of {_names(facts['few_labels'])} to estimate anything from them.")
    annotators = [labels for labels in shares if labels.kind == "annotator"]
    for labels in annotators[:TOLD]:
        says += _of_annotator(labels, shares[labels], confidence)
    says += _of_students({labels: of for labels, of in shares.items() if labels.kind == "students"})
    says += _of_slopes(facts, {labels: of for labels, of in slopes.items() if of}, confidence)
    return says


def _of_annotator(labels: Labels, several: list[Estimand], confidence: float) -> Iterator[str]:
    worst = _furthest_off(several)
    naive, powered = worst.methods[NAIVE], worst.methods[POWERED]
    yield (
        f"The share of class {shown(worst.name, 40)} is {100 * worst.truth:.1f} % in gold; {labels.words} says "
        f"{100 * naive.estimate:.1f} %; with {worst.chosen} gold rows PPI++ says {_bounded(powered)}, DSL "
        f"{_bounded(worst.methods[SUPERVISED])}, and the gold rows alone {_bounded(worst.methods[ALONE])} (one draw)."
    )
    yield _over_draws(several, f"the labels of {labels.words} as they are", confidence)
    squares = {method: float(np.mean([one.methods[method].rmse ** 2 for one in several])) for method in METHODS}
    rows, chosen = worst.rows, worst.chosen
    alone = rows_worth(squares[NAIVE], squares[ALONE], chosen, rows)
    worth = {method: rows_worth(squares[method], squares[ALONE], chosen, rows) for method in (POWERED, SUPERVISED)}
    if not np.isnan(alone):
        yield (
            f"So {chosen} gold rows tell as much with PPI++ as {worth[POWERED]:.0f} alone, and with DSL as "
            f"{worth[SUPERVISED]:.0f}; the labels of {labels.words} as they are tell as much as {alone:.0f} gold rows."
        )


def _over_draws(several: list[Estimand], naive: str, confidence: float) -> str:
    rmse = {method: 100 * mean_over(several, method, "rmse") for method in METHODS}
    held = {method: 100 * mean_over(several, method, "coverage") for method in METHODS}
    return (
        f"Over draws{f' and {len(several)} estimates' * (len(several) > 1)}, PPI++ is off by {rmse[POWERED]:.1f} "
        f"points, DSL by {rmse[SUPERVISED]:.1f}, gold rows alone by {rmse[ALONE]:.1f} and {naive} by {rmse[NAIVE]:.1f} "
        f"(root mean square); {100 * confidence:.4g} % intervals hold the truth in {held[POWERED]:.0f}, "
        f"{held[SUPERVISED]:.0f}, {held[ALONE]:.0f} and {held[NAIVE]:.0f} % of the cases."
    )


def _of_students(shares: Mapping[Labels, list[Estimand]]) -> Iterator[str]:
    if shares:
        labels = max(shares, key=lambda one: abs(_furthest_off(shares[one]).methods[NAIVE].bias))
        worst = _furthest_off(shares[labels])
        seeds = "" if np.isnan(worst.spread) else f" (standard deviation over seeds {100 * worst.spread:.1f})"
        yield (
            f"Of all students, those of {shown(labels.name, 40)} are furthest off: their vote says "
            f"{100 * worst.methods[NAIVE].estimate:.1f} % of class {shown(worst.name, 40)}{seeds}, which is "
            f"{100 * worst.truth:.1f} % in gold; PPI++ says {_bounded(worst.methods[POWERED])}, DSL "
            f"{_bounded(worst.methods[SUPERVISED])} (one draw)."
        )


def _of_slopes(facts: Mapping[str, Any], slopes: Mapping[Labels, list[Estimand]], confidence: float) -> Iterator[str]:
    left_out = ", ".join(shown(name, 30) for name in facts["left_out"])
    if not slopes and not facts["covariates"]:
        yield f"No regression is told: there is no covariate that varies and {facts['gold_rows']} gold rows can bear."
        return
    if left_out:
        yield (
            f"Left out of the regression, for they do not vary, repeat others, or need more than {facts['gold_rows']} "
            f"gold rows: {left_out}."
        )
    if facts["too_few_for_regression"]:
        yield f"The rows labelled by {_names(facts['too_few_for_regression'])} can't bear this regression."
    annotators = [labels for labels in slopes if labels.kind == "annotator"] or list(slopes)
    for labels in annotators[:TOLD]:
        worst = _furthest_off(slopes[labels])
        naive, powered, supervised = (worst.methods[name] for name in (NAIVE, POWERED, SUPERVISED))
        yield (
            f"In the regression of being {shown(facts['outcome'], 40)} on {len(facts['covariates'])} "
            f"covariate{'s' * (len(facts['covariates']) > 1)}, the coefficient of {worst.name} is "
            f"{100 * worst.truth:+.1f} points in gold and "
            f"{_bounded(naive, '+', 'points')} by {labels.words}; PPI++ says "
            f"{_bounded(powered, '+', 'points')}, DSL {_bounded(supervised, '+', 'points')} (one draw)."
        )
        yield _over_draws(slopes[labels], f"the labels of {labels.words} as they are", confidence)


def _furthest_off(several: list[Estimand]) -> Estimand:
    return max(several, key=lambda one: np.nan_to_num(abs(one.methods[NAIVE].bias), nan=-1.0))


def _names(names: Sequence[str]) -> str:
    return ", ".join(shown(name, 40) for name in names)


def mean_over(several: Sequence[Estimand], method: str, field: str) -> float:
    """The mean of a field of Tried over estimates; of root mean squares, the root of the mean of their squares."""
    values = np.array([getattr(one.methods[method], field) for one in several])
    return float(np.sqrt(np.nanmean(values**2)) if field == "rmse" else np.nanmean(values))


def _bounded(one: Tried, sign: str = "", unit: str = "%") -> str:
    if np.isnan(one.estimate):
        return "nothing"
    return f"{100 * one.estimate:{sign}.1f} [{100 * one.low:{sign}.1f}, {100 * one.high:{sign}.1f}] {unit}"
