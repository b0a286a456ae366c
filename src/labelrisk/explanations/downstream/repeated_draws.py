"""Gold rows drawn again and again from rows whose gold is known: how far each way to estimate is off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from labelrisk.coders.sampling_designs import inclusion_probabilities, systematic_draw, uncertainty_sizes
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.design_supervised import design_supervised
from labelrisk.statistics.drawn_rows import Drawn, Estimates, gold_rows_alone, half_width
from labelrisk.statistics.prediction_powered import prediction_powered
from labelrisk.statistics.scores import Codes, Floats

NAIVE, ALONE, POWERED, SUPERVISED = METHODS = ("naive", "gold rows", "PPI++", "DSL")
TOGETHER = 50  # draws that are held at once
ROUNDING = 1e-9  # where labels are gold an interval has no width


class Question(NamedTuple):
    """What is estimated from all N rows: the regression of K outcomes on a design (N, P), from gold codes (N,).

    classes: the codes that are outcomes, (K,); covariates (N, C) that a model of gold may use; truth (P, K): what the
    gold of all rows says; confidence of intervals; bounds: of what can be true.
    """

    design: Floats
    gold: Codes
    classes: Codes
    covariates: Floats
    truth: Floats
    confidence: float
    bounds: tuple[float, float]


class Tried(NamedTuple):
    """A method, by coefficient and outcome, (P, K) each: what the first draw says, with bounds, and over all draws the
    mean error, its root mean square, the mean width of intervals, and the share of them that hold the truth.

    told: the share of draws that can tell; the numbers are about these.
    """

    estimate: Floats
    low: Floats
    high: Floats
    bias: Floats
    rmse: Floats
    width: Floats
    coverage: Floats
    told: Floats


def question(
    design: Floats, gold: Codes, classes: Codes, covariates: Floats, confidence: float, *, shares: bool
) -> Question:
    """A question with its truth; shares: whether it is about shares, which lie between 0 and 1."""
    truth = np.asarray(np.linalg.lstsq(design, _indicators(gold, classes), rcond=None)[0], dtype=np.float64)
    bounds = (0.0, 1.0) if shares else (-np.inf, np.inf)
    return Question(design, gold, classes, covariates, truth, confidence, bounds)


def draws_of(rows: int, chosen: int, draws: int, entropies: Floats | None, classes: int, seed: int) -> Drawn:
    """Draw `chosen` of the rows so many times: at random, or where entropies (N,) are given by uncertainty, as
    `labelrisk sample` does.
    """
    generator = np.random.default_rng(seed)
    if entropies is None:
        places = [generator.choice(rows, chosen, replace=False) for _ in range(draws)]
        return Drawn(np.stack(places), np.full(rows, chosen / rows))
    probabilities = inclusion_probabilities(uncertainty_sizes(entropies, classes), chosen)
    return Drawn(np.stack([systematic_draw(probabilities, generator) for _ in range(draws)]), probabilities)


def naive(asked: Question, codes: Codes) -> Estimates:
    """What the labels (N,) say as they are; rows without one are left out, as they would be."""
    places = np.flatnonzero(codes != NO_LABEL)
    return gold_rows_alone(
        asked.design, _indicators(codes, asked.classes), Drawn(places[None], np.ones(len(codes), dtype=np.float64))
    )


def tried(asked: Question, codes: Codes, drawn: Drawn) -> dict[str, Tried]:
    """All methods by name, with labels (N,) of all rows, -1 for none, and the gold of drawn rows alone."""
    parts: Mapping[str, list[Estimates]] = {method: [] for method in (ALONE, POWERED, SUPERVISED)}
    gold, given = _indicators(asked.gold, asked.classes), _indicators(codes, asked.classes)
    features = np.column_stack([np.ones(len(codes)), _labels_given(codes), asked.covariates])
    for start in range(0, len(drawn.places), TOGETHER):
        some = drawn._replace(places=drawn.places[start : start + TOGETHER])
        parts[ALONE].append(gold_rows_alone(asked.design, gold, some))
        parts[POWERED].append(prediction_powered(asked.design, gold, given, some))
        parts[SUPERVISED].append(design_supervised(asked.design, gold, given, some, features))
    as_they_are = naive(asked, codes)
    found = {NAIVE: judged(as_they_are._replace(errors=as_they_are.beyond), asked)}
    for method, several in parts.items():
        joined = Estimates(*(np.concatenate(fields) for fields in zip(*several, strict=True)))
        found[method] = judged(joined, asked)
    return found


def judged(found: Estimates, asked: Question) -> Tried:
    """Estimates of several draws (B, P, K) held against the truth."""
    half = half_width(found.errors, found.degrees, asked.confidence)
    low, high = (np.clip(found.values + side * half, *asked.bounds) for side in (-1, 1))
    told = np.isfinite(found.values)
    off = found.values - asked.truth
    holds = (low <= asked.truth + ROUNDING) & (high >= asked.truth - ROUNDING)

    def mean(values: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(told, values, 0).sum(axis=0) / told.sum(axis=0))

    return Tried(
        estimate=np.clip(found.values[0], *asked.bounds),
        low=low[0],
        high=high[0],
        bias=mean(off),
        rmse=np.sqrt(mean(off**2)),
        width=mean(high - low),
        coverage=mean(holds.astype(np.float64)),
        told=told.mean(axis=0),
    )


def rows_worth(square: float, gold_square: float, chosen: int, rows: int) -> float:
    """How many gold rows alone have this mean square error, where `chosen` of `rows` rows have gold_square.

    S^2 (1 / m - 1 / N): 0 for an error without bounds, N for none.
    """
    spread = gold_square / (1 / chosen - 1 / rows)
    return 1 / (square / spread + 1 / rows) if spread > 0 else float("nan")


def _indicators(codes: Codes, classes: Codes) -> Floats:
    return np.asarray(codes[:, None] == classes, dtype=np.float64)


def _labels_given(codes: Codes) -> Floats:
    """An indicator for each label that occurs, `no label` too."""
    return _indicators(codes, np.unique(codes))
