"""A regression of being of one class on columns of the corpus, from an annotator's labels and coded rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labelrisk.coders.estimates import HEADER, NAIVE, Population, by_method
from labelrisk.statistics.drawn_rows import half_width
from labelrisk.statistics.scores import Floats
from labelrisk.text_tables import text_table

NAME = 12  # columns that a covariate's name keeps


def coefficients(rows: Population, code: int, confidence: float, beyond: bool) -> dict[str, Floats]:
    """By method, estimate, low and high (C, 3) of a linear probability model with an intercept and rows.covariates.

    beyond: about the world that the rows are a sample of; the naive interval always is, for the labels of all rows are
    known.  nan where the rows that an estimate takes can't tell a coefficient.
    """
    design = np.column_stack([np.ones(len(rows.human)), rows.covariates])
    gold, given = ((codes[:, None] == code).astype(np.float64) for codes in (rows.human, rows.predicted))
    features = np.column_stack([design, rows.predicted[:, None] == np.unique(rows.predicted)])
    bounded = {}
    for method, of in by_method(rows, design, gold, given, features).items():
        errors = (of.beyond if beyond or method == NAIVE else of.errors)[0, 1:, 0]
        values, half = of.values[0, 1:, 0], half_width(errors, of.degrees[0, 1:, 0], confidence)
        bounded[method] = np.column_stack([values, values - half, values + half])
    return bounded


def coefficients_table(outcome: str, found: Mapping[str, Floats], covariates: Sequence[str], width: int = 80) -> str:
    """Lay out the coefficients in points, at most `width` columns wide."""
    rows = [[name, *(_cell(found[method][place]) for method in HEADER)] for place, name in enumerate(covariates)]
    return text_table([outcome, *HEADER], rows, width, NAME)


def _cell(bounded: Floats) -> str:
    value, low, high = 100 * bounded
    return "-" if np.isnan(low) else f"{value:+.1f} [{low:.0f}, {high:.0f}]"
