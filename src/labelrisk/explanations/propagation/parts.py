"""Parts of the test rows in which repeated errors are told apart: class, entropy, length and slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.slices import Slice, slices_of
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import AnnotatorErrors
from labelrisk.explanations.propagation.look_alike_errors import LookAlikes, look_alikes_of
from labelrisk.explanations.propagation.repeated_errors import Compared, compared_shares
from labelrisk.statistics.scores import Floats

DECILES, QUARTILES = 10, 4


class OnPart(NamedTuple):
    """A source's students on a part of the test rows; wrong: how many of its rows the annotator has wrong."""

    part: Slice
    annotator: str
    source: str
    wrong: int
    repeated: Compared
    corrected: Compared
    invented: Compared
    look_alikes: LookAlikes


def errors_on_parts(evidence: Evidence, of: AnnotatorErrors, shares: Mapping[str, Floats | None]) -> Iterator[OnPart]:
    """Of each part and each source that is about the annotator; shares: Neighbourhoods.of_sources."""
    study, gold = evidence.study, evidence.study.test.gold
    for part in parts_of(evidence, of):
        wrong, right = part.rows[of.wrong[part.rows]], part.rows[of.right[part.rows]]
        runs = {name: study.students[name].predictions for name in of.compared}
        values: list[dict[str, NDArray[Any]]] = [
            {name: run[:, wrong] == of.given[wrong] for name, run in runs.items()},
            {name: run[:, wrong] == gold[wrong] for name, run in runs.items()},
            {name: run[:, right] != gold[right] for name, run in runs.items()},
        ]
        repeated, corrected, invented = (compared_shares(study, of, one) for one in values)
        for source in of.sources:
            near = look_alikes_of(evidence, of, source, shares[source], part.rows)
            found = (repeated[source], corrected[source], invented[source], near)
            yield OnPart(part, of.annotator, source, len(wrong), *found)


def parts_of(evidence: Evidence, of: AnnotatorErrors) -> list[Slice]:
    """Classes of gold, deciles of the annotator's entropy where it gives probabilities, quartiles of length, slices."""
    rows, study = evidence.rows["test"], evidence.study
    parts = [Slice("class", name, np.flatnonzero(rows.gold == code)) for code, name in enumerate(study.classes)]
    given = evidence.given["test"][of.annotator].probabilities
    if given is not None:
        parts += quantile_parts("entropy", entropy(given), DECILES, "{:.3f} nats")
    parts += quantile_parts("length", rows.words.astype(np.float64), QUARTILES, "{:.0f} words")
    for column, values in rows.columns.items():
        parts += slices_of(f"slice {column}", values, study.settings.evaluate.slice_rows)
    return [part for part in parts if len(part.rows)]


def quantile_parts(name: str, values: Floats, number: int, words: str) -> list[Slice]:
    """Rows by quantile of values (N,), nan left out; equal values stay together, so that there may be fewer parts."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return []
    edges = np.unique(np.quantile(values[known], np.arange(1, number) / number))
    codes = np.searchsorted(edges, values[known], side="left")
    groups = [known[codes == code] for code in np.unique(codes)]
    return [Slice(name, _range(values[rows], words), rows) for rows in groups]


def _range(values: Floats, words: str) -> str:
    low, high = (words.format(value) for value in (values.min(), values.max()))
    return high if low == high else f"{low.split()[0]} to {high}"


def entropy(probabilities: Floats) -> Floats:
    """-sum p log p in nats, 0 log 0 = 0: (N, K) -> (N,); nan for a row without."""
    terms = np.where(probabilities > 0, probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0)), 0.0)
    found: Floats = np.abs(terms.sum(axis=1))
    found[np.isnan(probabilities).any(axis=1)] = np.nan
    return found
