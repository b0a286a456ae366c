"""Which rows a second opinion is asked about, and with which probability each of them was taken."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelrisk.annotators.asked_rows import ASKED_SPLIT, AskedRows
from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.rows import drawn_number
from labelrisk.errors import LabelRiskError
from labelrisk.second_opinions.section import SecondOpinion
from labelrisk.sources.doubts import Evidence, doubts_of
from labelrisk.sources.material import read_answers
from labelrisk.sources.selection import chosen
from labelrisk.statistics.class_codes import NO_LABEL, codes_of

COLUMNS = ["label", "entropy", "probabilities", "votes"]


def asked_rows(name: str, opinion: SecondOpinion, prepared: Prepared, labels: Path, seed: int) -> AskedRows:
    """The rows that are asked: the selected ones at probability 1, and random ones of the others that have a label.

    Of these n of N are taken, each with probability n / N; their order is that of hashes of their ids, so that a row
    more in the corpus, or one more that is selected, moves few others.
    labels: the labels file of `opinion.of`; seed: of what is drawn.
    Raises LabelRiskError where these labels can't say which rows are doubtful, or no row is.
    """
    ids = prepared.split(ASKED_SPLIT, ["id"])
    answers = read_answers(labels, ASKED_SPLIT, ids["id"], COLUMNS)
    classes = tuple(prepared.classes)
    codes = codes_of(answers["label"], classes)
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    doubts = doubts_of(opinion.select.by, Evidence(codes, answers, classes), generator)
    selected = chosen(opinion.select, doubts, codes, generator)
    if not len(selected):
        raise LabelRiskError(
            f"second_opinions.{name} selects none of the {len(ids):,} train rows by {opinion.select.by} of "
            f"'{opinion.of}'; select more of them, or leave it out"
        )
    probabilities = np.full(len(ids), np.nan)
    probabilities[selected] = 1.0
    if opinion.random_share is not None:
        others = np.isnan(probabilities) & (codes != NO_LABEL)
        add_random(probabilities, others, opinion.random_share, ids["id"].tolist(), f"{name} {seed}")
    return AskedRows(prepared, probabilities)


def add_random(
    probabilities: NDArray[np.float64], others: NDArray[np.bool_], share: float, ids: Sequence[str], salt: str
) -> None:
    """Take a share of the rows `others`, n of N, and write n / N as the probability of each."""
    order = sorted(np.flatnonzero(others).tolist(), key=lambda row: drawn_number(salt, ids[row]))
    taken = order[: round(share * len(order))]
    probabilities[taken] = len(taken) / max(1, len(order))


def every_train_row(prepared: Prepared) -> AskedRows:
    """All train rows, as if all of them were asked."""
    return AskedRows(prepared, np.ones(len(prepared.split(ASKED_SPLIT, ["id"]))))


def expected_share(opinion: SecondOpinion, rows: int) -> float | None:
    """The share of so many train rows that is asked, before `of` has labelled them; None where only its labels tell."""
    select = opinion.select
    if select.share is None and select.rows is None:
        return None
    selected = select.size(rows, 0) / max(1, rows)
    return selected + (opinion.random_share or 0.0) * (1 - selected)
