"""Class shares of all rows of a split, from an annotator's labels and the rows of it that people coded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.coders.sample_parts import Part
from labelrisk.coders.samples import EDIT, HELD_OUT
from labelrisk.errors import LabelRiskError, shown, such_rows
from labelrisk.statistics.agreement import majority
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.design_supervised import design_supervised
from labelrisk.statistics.drawn_rows import Drawn, Estimates, gold_rows_alone, half_width
from labelrisk.statistics.prediction_powered import prediction_powered
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import Share, wilson
from labelrisk.text_tables import text_table

FEWEST = 15  # coded rows with which an interval means anything
HEADER = NAIVE, ALONE, *_ = ("naive", "gold rows", "PPI++", "DSL")
OFF = 0.15  # of the number of rows, by which weights may miss it before that is told
NAME = 8  # columns that a name keeps
ROUNDING = 1e-9  # an error below it is none
NO_INTERVAL = (
    "where the coded rows have none of a class, or only that, or show no error of the labels, they say nothing of how "
    "the other rows vary: the gold rows then have Wilson's interval, or - if they were drawn with unequal "
    "probabilities, and PPI++ and DSL have -"
)


class Population(NamedTuple):
    """All N rows of a split: people's codes (N,) and probabilities (N,) of coded rows, else -1 and nan; an annotator's
    codes (N,), -1 for none; covariates (N, C) that a model of people's labels may use.
    """

    human: Codes
    probabilities: Floats
    predicted: Codes
    covariates: Floats

    def part(self, rows: NDArray[np.int64]) -> Population:
        """Those rows alone, by their positions."""
        return Population(self.human[rows], self.probabilities[rows], self.predicted[rows], self.covariates[rows])


def coded_population(
    parts: Mapping[str, Part], ids: pd.Index[str], classes: int, split: str
) -> tuple[Codes, Floats, list[str]]:
    """People's codes and sampling probabilities of rows `ids` (N,), and what to tell about them.

    A held-out part stands alone: on the rows of the other the codebook may have been edited, so that an annotator errs
    less there than elsewhere.  Of several coders the majority counts; rows without one count as not drawn, and the
    probabilities of the others shrink by their share: whether a row has a majority must not go with its label.
    Raises LabelRiskError for a row of another split, one without a probability, and too few coded rows.
    """
    notes = []
    share = 1.0
    if set(parts) == {EDIT, HELD_OUT}:
        share = len(parts[HELD_OUT].ids) / sum(len(part.ids) for part in parts.values())
        notes.append(f"the part {HELD_OUT} alone is used, for on the part {EDIT} the codebook may have been edited")
        parts = {HELD_OUT: parts[HELD_OUT]}
    drawn = pd.Index([one for part in parts.values() for one in part.ids])
    places = ids.get_indexer(drawn)
    if (places < 0).any():
        where = f"the row '{shown(drawn[places < 0][0])}' {such_rows(int((places < 0).sum()))} is not of {split}"
        raise LabelRiskError(f"{where}, as others are; give coders' files of one sample, drawn from one split")
    probabilities = np.concatenate([part.probabilities for part in parts.values()])
    if np.isnan(probabilities).any():
        where = f"the row '{shown(drawn[np.isnan(probabilities)][0])}' has no sampling_probability"
        raise LabelRiskError(
            f"{where} {such_rows(int(np.isnan(probabilities).sum()))}; restore it as `sample` wrote it"
        )
    codes = np.concatenate([majority(part.codes, classes) for part in parts.values()])
    coded = codes >= 0
    if coded.sum() < FEWEST:
        raise LabelRiskError(f"{int(coded.sum())} rows are coded, too few for an estimate; code {FEWEST} or more")
    if not coded.all():
        notes.append(
            f"{int((~coded).sum())} drawn rows have no label, or no majority; the others are taken for a random part"
        )
    probabilities = probabilities * share * coded.mean()
    whole = float((1 / probabilities[coded]).sum())
    if abs(whole / len(ids) - 1) > OFF:
        notes.append(
            f"by their probabilities the coded rows stand for {whole:,.0f} rows, but {split} has {len(ids):,}; if rows "
            "of an earlier sample were left out of the draw, the estimates are about the rows that were left"
        )
    human, of_all = np.full(len(ids), NO_LABEL), np.full(len(ids), np.nan)
    human[places[coded]], of_all[places[coded]] = codes[coded], probabilities[coded]
    return human, of_all, notes


def class_shares(rows: Population, classes: int, confidence: float, beyond: bool) -> dict[str, list[Share]]:
    """By method, the share of each class among the rows; beyond: about the world that the rows are a sample of.

    The naive interval is always about that world, for the labels of all rows are known.  Bounds are nan where the rows
    that an estimate takes do not vary, so that a normal approximation would promise certainty; of labels or gold rows
    with equal probabilities they are Wilson's then.
    """
    ones, every = np.ones((len(rows.human), 1)), np.arange(classes)
    gold, given = ((codes[:, None] == every).astype(np.float64) for codes in (rows.human, rows.predicted))
    features = np.column_stack([ones, rows.predicted[:, None] == np.unique(rows.predicted), rows.covariates])
    shares = {}
    for method, of in by_method(rows, ones, gold, given, features).items():
        codes, known, outcomes, world = (
            (rows.predicted, np.ones(len(ones)), given, True)
            if method == NAIVE
            else (rows.human, rows.probabilities, gold, beyond)
        )
        alike = np.ptp(outcomes[codes >= 0], axis=0) == 0
        probabilities = known[codes >= 0]
        shares[method] = _bounded(of, alike, probabilities, world, confidence, alone=method in (NAIVE, ALONE))
    return shares


def by_method(rows: Population, design: Floats, gold: Floats, given: Floats, features: Floats) -> dict[str, Estimates]:
    """The coefficients of a design (N, P) by each method of HEADER; gold, given (N, K): outcomes by people and labels.

    features (N, D): what a model of people's labels may use.
    """
    drawn = Drawn(np.flatnonzero(rows.human >= 0)[None], rows.probabilities)
    labelled = Drawn(np.flatnonzero(rows.predicted >= 0)[None], np.ones(len(design)))
    found = (
        gold_rows_alone(design, given, labelled),
        gold_rows_alone(design, gold, drawn),
        prediction_powered(design, gold, given, drawn),
        design_supervised(design, gold, given, drawn, features),
    )
    return dict(zip(HEADER, found, strict=True))


def _bounded(
    of: Estimates, alike: NDArray[np.bool_], probabilities: Floats, world: bool, confidence: float, *, alone: bool
) -> list[Share]:
    """The share of each class between its bounds.

    alike: the classes (K,) that none or all of the known rows have; probabilities: of these rows; alone: whether
    nothing else is used; world: whether it is about the world.
    """
    errors = (of.beyond if world else of.errors)[0, 0]
    values, half = of.values[0, 0], half_width(errors, of.degrees[0, 0], confidence)
    bounded = np.clip([values, values - half, values + half], 0, 1)
    shares = [Share(*map(float, one)) for one in bounded.T]
    silent = alike | (of.errors[0, 0] < ROUNDING)
    if (probabilities == 1).all():  # all rows are known: without an error about these, for there is none
        silent = alike & world
    for code in np.flatnonzero(silent):
        shares[code] = Share(shares[code].share, float("nan"), float("nan"))
        if alone and np.ptp(probabilities) < ROUNDING:
            worth = len(probabilities) / (1.0 if world else 1 - float(probabilities[0]))
            shares[code] = wilson(round(shares[code].share) * worth, worth, confidence)
    return shares


def lacks_interval(shares: Mapping[str, Sequence[Share]]) -> bool:
    """Whether an estimate has no bounds, for the rows that it takes do not vary."""
    return any(np.isnan(one.low) and not np.isnan(one.share) for of in shares.values() for one in of)


def shares_table(name: str, shares: Mapping[str, Sequence[Share]], labels: Sequence[str], width: int = 80) -> str:
    """Lay out the shares of one part of the rows, x100, at most `width` columns wide."""
    rows = [[label, *(_cell(shares[method][code]) for method in HEADER)] for code, label in enumerate(labels)]
    return text_table([name, *HEADER], rows, width, NAME)


def _cell(share: Share) -> str:
    return "-" if np.isnan(share.low) else f"{100 * share.share:.1f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"
