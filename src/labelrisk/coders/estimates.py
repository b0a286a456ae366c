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
from labelrisk.statistics.drawn_rows import Drawn, gold_rows_alone, half_width
from labelrisk.statistics.prediction_powered import prediction_powered
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import Share
from labelrisk.text_tables import text_table

FEWEST = 15  # coded rows with which an interval means anything
HEADER = ("naive", "gold rows", "PPI++", "DSL")
OFF = 0.15  # of the number of rows, by which weights may miss it before that is told
NAME = 8  # columns that a name keeps


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

    The naive interval is always about that world, for the labels of all rows are known.
    """
    ones, every = np.ones((len(rows.human), 1)), np.arange(classes)
    gold, given = ((codes[:, None] == every).astype(np.float64) for codes in (rows.human, rows.predicted))
    features = np.column_stack([ones, rows.predicted[:, None] == np.unique(rows.predicted), rows.covariates])
    drawn = Drawn(np.flatnonzero(rows.human >= 0)[None], rows.probabilities)
    labelled = Drawn(np.flatnonzero(rows.predicted >= 0)[None], np.ones(len(ones)))
    found = (
        gold_rows_alone(ones, given, labelled),
        gold_rows_alone(ones, gold, drawn),
        prediction_powered(ones, gold, given, drawn),
        design_supervised(ones, gold, given, drawn, features),
    )
    shares = {}
    for method, of in zip(HEADER, found, strict=True):
        half = half_width(of.beyond if beyond or method == HEADER[0] else of.errors, of.degrees, confidence)[0, 0]
        values = of.values[0, 0]
        low, high = np.clip(values - half, 0, 1), np.clip(values + half, 0, 1)
        shares[method] = [Share(*map(float, one)) for one in zip(values, low, high, strict=True)]
    return shares


def shares_table(name: str, shares: Mapping[str, Sequence[Share]], labels: Sequence[str], width: int = 80) -> str:
    """Lay out the shares of one part of the rows, x100, at most `width` columns wide."""
    rows = [[label, *(_cell(shares[method][code]) for method in HEADER)] for code, label in enumerate(labels)]
    return text_table([name, *HEADER], rows, width, NAME)


def _cell(share: Share) -> str:
    return "-" if np.isnan(share.share) else f"{100 * share.share:.1f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"
