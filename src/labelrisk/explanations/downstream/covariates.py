"""Covariates of regressions: the length of the texts, and the columns of the corpus as numbers or levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.slices import NO_VALUE
from labelrisk.errors import shown
from labelrisk.statistics.scores import Floats

LENGTH = "doubled length"
LEVELS = 10  # of a column, at most; rarer ones count as one
LEAST = 5  # drawn rows that a level must expect
PER_COEFFICIENT = 10  # drawn rows that a coefficient must have
OTHER = "other"
LETTERS = 24  # of a value
SAME = 1e-9  # spreads and eigenvalues below it are rounding


class Covariates(NamedTuple):
    """By name, the covariates (N, C): length in doublings, numbers in standard deviations, levels as 0 and 1.

    bases: by column, the level that its others are compared with; left_out: names of what says nothing more here, or is
    too much for so few rows.
    """

    names: list[str]
    values: Floats
    bases: Mapping[str, str]
    left_out: list[str]


def covariates_of(words: NDArray[np.int64], columns: Mapping[str, NDArray[np.object_]], drawn: int) -> Covariates:
    """Length, then the columns in their order, as long as so many drawn rows can tell all coefficients apart.

    words (N,); columns: by name, texts or None for none, (N,).  A column is numeric if every value is a number.
    """
    names: list[str] = []
    values = np.empty((len(words), 0))
    bases: dict[str, str] = {}
    left_out: list[str] = []
    most = drawn // PER_COEFFICIENT
    # a doubling counts alike wherever it starts; a few long texts would decide the coefficient of the number itself
    candidates = [(LENGTH, {LENGTH: np.log2(np.maximum(words, 1))}, "")]
    candidates += [(name, *_of_column(name, column, LEAST / drawn)) for name, column in columns.items()]
    for name, found, base in candidates:
        together = np.column_stack([values, *found.values()])
        if not found or together.shape[1] > most or not _tell_apart(together):
            left_out.append(name)
            continue
        names, values = [*names, *found], together
        bases |= {name: base} if base else {}
    return Covariates(names, values, bases, left_out)


def _tell_apart(values: Floats) -> bool:
    """Whether no column is constant, or follows from the others: (N, C), by the eigenvalues of their correlations."""
    spread = values.std(axis=0)
    if (spread < SAME).any():
        return False
    standard = (values - values.mean(axis=0)) / spread
    return bool(np.linalg.eigvalsh(standard.T @ standard / len(values)).min() > SAME)


def _of_column(name: str, column: NDArray[np.object_], least: float) -> tuple[dict[str, Floats], str]:
    """A column as covariates by name, and its base, '' where it is numeric."""
    numbers = _numbers(column)
    return _levels(name, column, least) if numbers is None else ({name: numbers}, "")


def _numbers(column: NDArray[np.object_]) -> Floats | None:
    """The values in standard deviations from their mean; 0 where they are all alike, None if one is no number."""
    try:
        values = np.array([float(value) for value in column])
    except (TypeError, ValueError):
        return None
    if not np.isfinite(values).all():
        return None
    spread = values.std()
    return np.asarray((values - values.mean()) / spread) if spread > 0 else np.zeros(len(values))


def _levels(name: str, column: NDArray[np.object_], least: float) -> tuple[dict[str, Floats], str]:
    """An indicator for each level but the most frequent one, which is the base.

    least: share of rows of a level; rarer ones are pooled, and count to the base where they are too few even so.
    """
    texts = np.array([NO_VALUE if value is None else str(value) for value in column], dtype=object)
    levels, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(levels)), -counts))
    kept = [code for code in order[:LEVELS] if counts[code] >= least * len(texts)]
    if not kept:
        return {}, ""
    found = {f"{name}: {shown(levels[code], LETTERS)}": (codes == code).astype(np.float64) for code in kept[1:]}
    rest = ~np.isin(codes, kept)
    if rest.mean() >= least:
        found[f"{name}: {OTHER}"] = rest.astype(np.float64)
    return found, shown(levels[kept[0]], LETTERS)
