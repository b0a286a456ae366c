"""How well the probabilities of students, of their votes and of annotators are calibrated, as they are and tempered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.settings.calibration import CalibrationSettings
from labelrisk.sources.learning import HOTTEST, at_temperature, temperature
from labelrisk.statistics.calibration import (
    Bin,
    TopLabels,
    binned_errors,
    brier_rows,
    log_loss_rows,
    log_temperature_influences,
    reliability,
    top_labels,
)
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import Codes, Floats

MEASURES = ("overconfidence", "squared_error", "brier", "log_loss")
GAINS = ("brier", "log_loss")  # of which the change by a temperature is told
EDGE = 0.98  # a temperature so close to the bounds of what is tried (in logarithms) has not been found


class Runs(NamedTuple):
    """What several runs say of the test rows (R, N, K), and of the validation rows (R, V, K), nan for a row without."""

    test: NDArray[Any]
    validation: NDArray[Any]


class Values(NamedTuple):
    """The measures of each run: scores (R,) and influences of the rows (R, N), by measure.

    confidence, accuracy, plain and by_chance (see BinnedErrors) are means over the runs; curve: of all runs together.
    """

    scores: Mapping[str, Floats]
    influences: Mapping[str, NDArray[np.float32]]
    confidence: float
    accuracy: float
    plain: float
    by_chance: float
    curve: list[Bin]


class Temperatures(NamedTuple):
    """The temperature of each run (R,), how much validation rows move their logarithms (R, V), the fewest rows used."""

    of_runs: Floats
    influences: Floats
    rows: int

    @property
    def found(self) -> bool:
        """Whether each run has a temperature within the bounds of what was tried."""
        inside = np.abs(np.log(self.of_runs)) < EDGE * np.log(HOTTEST)
        return bool(inside.all() and np.isfinite(self.influences).all())


def values_of(test: NDArray[Any], heats: Floats | None, gold: Codes, how: CalibrationSettings, level: float) -> Values:
    """The measures of runs (R, N, K) on test rows, at temperatures (R,) if there are any; level: of the bands."""
    rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in MEASURES}
    scores: dict[str, list[float]] = {name: [] for name in MEASURES}
    tops, plain, by_chance = [], [], []
    for run, probabilities in enumerate(test):
        if heats is not None:
            probabilities = at_temperature(probabilities.astype(np.float64), float(heats[run]))
        top = top_labels(probabilities, gold)
        errors = binned_errors(top, how.bins, how.bin_rows)
        means = {
            "overconfidence": top.confidence - top.right,
            "brier": brier_rows(probabilities, gold),
            "log_loss": log_loss_rows(probabilities, gold),
        }
        for name, values in means.items():
            scores[name].append(float(values.mean()))
            rows[name].append((values - values.mean()).astype(np.float32))
        scores["squared_error"].append(errors.squared)
        rows["squared_error"].append(errors.influences.astype(np.float32))
        tops.append(top)
        plain.append(errors.plain)
        by_chance.append(errors.by_chance)
    every = TopLabels(*(np.stack(part) for part in zip(*tops, strict=True)))
    return Values(
        {name: np.array(of) for name, of in scores.items()},
        {name: np.stack(of) for name, of in rows.items()},
        float(every.confidence.mean()),
        float(every.right.mean()),
        float(np.mean(plain)),
        float(np.mean(by_chance)),
        reliability(every, how.bins, how.bin_rows, level),
    )


def temperatures_of(validation: NDArray[Any], gold: Codes, least: int) -> Temperatures | None:
    """Each run's temperature, fitted on the validation rows (R, V, K) with gold (V,); None with fewer than `least`.

    A row that a run says nothing of moves nothing: the others count for it.
    """
    heats, moved, used = [], np.zeros(validation.shape[:2]), []
    for run, probabilities in enumerate(validation):
        known = ~np.isnan(probabilities[:, 0])
        used.append(int(known.sum()))
        if used[-1] < least:
            return None
        given = probabilities[known].astype(np.float64)
        heats.append(temperature(given, gold[known]))
        moves = log_temperature_influences(at_temperature(given, heats[-1]), gold[known])
        moved[run, known] = moves * len(gold) / used[-1]
    return Temperatures(np.array(heats), moved - moved.mean(axis=1, keepdims=True), min(used))


def variances(values: Mapping[str, Values], measure: str) -> RunVariances:
    """What a measure varies by, over all systems on the same rows."""
    return RunVariances.of_influences(
        {name: of.scores[measure] for name, of in values.items()},
        {name: of.influences[measure] for name, of in values.items()},
    )


def intervals(values: Mapping[str, Values], level: float) -> dict[str, dict[str, Interval]]:
    """By system and measure, the mean over its runs.

    A square varies with seeds as it is large: of the squared error each system's own seeds count, pooled with no other.
    """
    pooled = {one: variances(values, one) for one in MEASURES if one != "squared_error"} if values else {}
    own = {name: variances({name: of}, "squared_error") for name, of in values.items()}
    return {name: {one: pooled.get(one, own[name]).mean(name, level) for one in MEASURES} for name in values}


def changes(before: Mapping[str, Values], after: Mapping[str, Values], level: float) -> dict[str, dict[str, Interval]]:
    """By system and measure, what its temperature changes: each run against itself."""
    by_measure = {
        measure: RunVariances.of_influences(
            {name: of.scores[measure] - before[name].scores[measure] for name, of in after.items()},
            {name: of.influences[measure] - before[name].influences[measure] for name, of in after.items()},
        )
        for measure in (GAINS if after else ())
    }
    return {name: {measure: of.mean(name, level) for measure, of in by_measure.items()} for name in after}


def mean_temperatures(fitted: Mapping[str, Temperatures], level: float) -> dict[str, Interval]:
    """By system the geometric mean over its runs, with an interval over validation rows and runs."""
    sure = {name: of for name, of in fitted.items() if of.found}
    found = {
        name: Interval(float(np.exp(np.log(of.of_runs).mean())), *[float("nan")] * 4) for name, of in fitted.items()
    }
    if not sure:
        return found
    of_all = RunVariances.of_influences(
        {name: np.log(of.of_runs) for name, of in sure.items()}, {name: of.influences for name, of in sure.items()}
    )
    for name in sure:
        log = of_all.mean(name, level)
        found[name] = log._replace(
            estimate=float(np.exp(log.estimate)), low=float(np.exp(log.low)), high=float(np.exp(log.high))
        )
    return found
