"""Rows at the door: every text and gold label is checked once, named if wrong, and counted if left out."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.corpora.keys import Identities, Keys
from labelrisk.corpora.keys_collected import CollectedKeys
from labelrisk.corpora.raw_rows import Mistake, RawRows, plain
from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.statistics.class_codes import NO_LABEL


def content_id(text: str) -> str:
    """The id of a row: the first 16 hexadecimal digits of the SHA-256 of its normalised text."""
    return hashlib.sha256(normalised(text).encode()).hexdigest()[:16]


def drawn_number(salt: str, identity: str) -> int:
    """A number of 64 bits that stands for a row in a draw: rows in its order are a random sample at every length, and
    a row more in the corpus moves no other.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}:{identity}".encode()).digest()[:8], "big")


def normalised(text: str) -> str:
    """Text by which rows count as the same: Unicode NFC, white space collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def checked_rows(
    parts: Iterable[RawRows],
    labels: Sequence[str],
    is_whole: bool = True,
    keep: Callable[[list[str]], object] = lambda texts: None,
) -> Keys:
    """Check texts, gold labels and splits, some rows at a time; is_whole: False where these are the first of a corpus.

    keep: is given the texts, in their order; what is returned holds everything else.  Values of slices become strings,
    none where missing or blank.
    Raises LabelRiskError for a missing or blank text, a gold label outside the codebook, a test or validation row
    without gold, and a text with two gold labels.
    """
    blank, unknown, ungraded = Mistake(), Mistake(), Mistake()
    collected = CollectedKeys(labels)
    for raw in parts:
        texts = plain(raw.texts)
        blank.add(raw, [row for row, text in enumerate(texts) if _says_nothing(text)], texts)
        golds, splits = collected.golds_of(raw, unknown), collected.splits_of(raw)
        without = np.flatnonzero((golds == NO_LABEL) & (splits > 0))
        ungraded.add(raw, without, plain(raw.splits) if len(without) else ())
        if not blank.rows:
            collected.add(raw, _content_numbers(texts), golds, splits)
            keep(texts)
    _refuse(blank, unknown, ungraded, labels)
    rows = collected.keys()
    _refuse_two_golds(rows)
    present = np.unique(rows.golds[rows.golds != NO_LABEL])
    if is_whole and len(present) < 2:
        only = f"only the class '{labels[present[0]]}'" if len(present) else "no gold label at all"
        raise LabelRiskError(f"{rows.where(0)} and on: gold holds {only}; two classes or more are needed")
    return rows


def _refuse(blank: Mistake, unknown: Mistake, ungraded: Mistake, labels: Sequence[str]) -> None:
    if blank.rows:
        what = "is missing or blank"
        advice = "write the text or delete the row"
        if not isinstance(blank.first, str) and not pd.isna(blank.first):
            what, advice = f"is {shown(blank.first)}, which is no text", "write texts"
        raise LabelRiskError(f"{blank.where[0]}: the text {what} {blank.such_rows}; {advice}")
    if unknown.rows:
        raise LabelRiskError(
            f"{unknown.where[0]}: the gold label '{shown(unknown.first)}' is not in the codebook {unknown.such_rows}; "
            f"{nearest(unknown.first, labels)}"
        )
    if ungraded.rows:
        raise LabelRiskError(
            f"{ungraded.where[0]}: a {ungraded.first} row has no gold label {ungraded.such_rows}; add the label or "
            "move the row to train"
        )


def _refuse_two_golds(rows: Keys) -> None:
    graded = rows[rows.golds != NO_LABEL]
    order = np.argsort(graded.ids, kind="stable")
    ids, golds = graded.ids[order], graded.golds[order]
    differs = (ids[1:] == ids[:-1]) & (golds[1:] != golds[:-1])
    if differs.any():
        texts = np.unique(ids[1:][differs])
        first = np.flatnonzero(np.isin(graded.ids, texts))[0]
        of_first = np.flatnonzero(graded.ids == graded.ids[first])
        other = of_first[graded.golds[of_first] != graded.golds[first]][0]
        one, another = (rows.labels[graded.golds[row]] for row in (first, other))
        raise LabelRiskError(
            f"{graded.where(first)} and {graded.where(other)}: the same text has the gold labels '{one}' and "
            f"'{another}' ({len(texts)} such texts); keep one of them"
        )


def _says_nothing(text: Any) -> bool:
    # most begin with a letter, which is told at once
    return not isinstance(text, str) or not (text[:1].isalnum() or not is_blank(text))


def is_blank(text: str) -> bool:
    """Whether nothing in a text can be seen: space, marks of width 0, soft hyphens, control characters."""
    return not any(one.isprintable() and not one.isspace() for one in text)


def _content_numbers(texts: Sequence[str]) -> Identities:
    """content_id of each text as a number: (N,)."""
    digests = [hashlib.sha256(normalised(text).encode()).digest()[:8] for text in texts]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)
