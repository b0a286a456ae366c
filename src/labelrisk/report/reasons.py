"""Why a row matters: the reasons, and which rows each of them ranks highest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.report.doubted_rows import doubted_train_rows
from labelrisk.report.material import Material
from labelrisk.sources.controls import resolved
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes

Positions = NDArray[np.int64]


class Mark(NamedTuple):
    """The rows that matter for one reason to one source or annotator, the most telling first, by position in their
    split; by: what ranks them.
    """

    who: str
    rows: Positions
    by: str


class Reason(NamedTuple):
    """key: in links; split: of its rows; title and reading: for the reader; marks: finds the rows."""

    key: str
    split: str
    title: str
    reading: str
    marks: Callable[[Material], Iterator[Mark]]


def wrong_and_sure(material: Material) -> Iterator[Mark]:
    """By annotator: its wrong labels of which it is surer than of half of all its labels; all, where it tells none."""
    gold = material.evidence.study.test.gold
    for name, given in material.evidence.given["test"].items():
        labelled = given.codes != NO_LABEL
        wrong = labelled & (given.codes != gold)
        if not wrong.any():
            continue
        sure = certainty(given.codes, given.probabilities)
        known = labelled & ~np.isnan(sure)
        if not known.any():
            yield Mark(name, np.flatnonzero(wrong), "in their order; it does not tell how sure it is")
            continue
        wrong &= sure >= np.median(sure[known])
        yield Mark(name, _ranked(np.flatnonzero(wrong), sure), "how sure it is")


def repeated_errors(material: Material) -> Iterator[Mark]:
    """By source: rows on which the vote of its students repeats its annotator's wrong label."""
    study = material.evidence.study
    for source, votes in material.votes.items():
        declared = resolved(study.settings.sources, source)
        given = material.evidence.given["test"].get(declared.annotator)
        if declared.labels == "gold" or given is None:
            continue
        repeated = (given.codes != NO_LABEL) & (given.codes != study.test.gold) & (votes.labels == given.codes)
        if repeated.any():
            yield Mark(source, _ranked(np.flatnonzero(repeated), votes.agreeing), "seeds that repeat the error")


def disagreements(material: Material) -> Iterator[Mark]:
    """By source: rows on which its seeds do not all agree."""
    for source, votes in material.votes.items():
        split = votes.agreeing < votes.seeds
        if split.any():
            yield Mark(source, _ranked(np.flatnonzero(split), votes.entropy), "entropy of the seeds' labels")


def worth_buying(material: Material) -> Iterator[Mark]:
    """By source: train rows that still have the annotator's label and that its selection, or the doubt that is known,
    ranks highest.
    """
    for source, rows, by in doubted_train_rows(material):
        yield Mark(source, rows, by)


def certainty(codes: Codes, probabilities: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """The probability of each label that was given, (N,); NaN where it is not known."""
    if probabilities is None:
        return np.full(len(codes), np.nan)
    found = probabilities[np.arange(len(codes)), np.maximum(codes, 0)].astype(float)
    return np.where(codes == NO_LABEL, np.nan, found)


def _ranked(rows: Positions, values: NDArray[np.floating] | NDArray[np.int64]) -> Positions:
    """The rows by their values, the highest first; equals stay in their order."""
    return rows[np.argsort(-values[rows], kind="stable")]


REASONS = (
    Reason(
        "wrong",
        "test",
        "The annotator is wrong and sure",
        "The annotator's label is not gold's, though it is surer of it than of half of all its labels. Look first for "
        "what the codebook does not say, then for gold that is wrong.",
        wrong_and_sure,
    ),
    Reason(
        "repeated",
        "test",
        "Students repeat the annotator's error",
        "Most seeds of the source say the annotator's wrong label. Students of gold beside them tell whether the "
        "labels taught it, or the text is hard.",
        repeated_errors,
    ),
    Reason(
        "disagree",
        "test",
        "Seeds disagree",
        "Students that differ by their seed alone say different labels: which one you get is luck.",
        disagreements,
    ),
    Reason(
        "buy",
        "train",
        "Worth buying gold for",
        "Of the train rows that still have the annotator's label the most doubtful quarter: by what the source selects "
        "by, else by what is known of the doubt. Gold or a second opinion pays most here, if choosing pays at all.",
        worth_buying,
    ),
)
