"""Copies of a text: one stays, and each that goes is counted by the reason."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelrisk.corpora.keys import ANY, Keys
from labelrisk.corpora.prepared import SPLITS
from labelrisk.statistics.class_codes import NO_LABEL

KEPT_FIRST = ("test", "validation", "train")  # where the same text stays when it is in two splits


def without_duplicates(rows: Keys) -> tuple[Keys, dict[str, int]]:
    """Keep each text once, in the order of the input, and count what was left out by reason.

    Of several copies the one in test stays before validation before train, and one with gold before one without.
    """
    order = np.lexsort((preference(rows), rows.ids))
    ids = rows.ids[order]
    begins = np.ones(len(ids), dtype=bool)
    begins[1:] = ids[1:] != ids[:-1]
    kept = order[begins]
    kept_split = np.repeat(rows.splits[kept], np.diff(np.append(np.flatnonzero(begins), len(ids))))[~begins]
    elsewhere = elsewhere_of(kept_split, rows.splits[order[~begins]])
    dropped = {"duplicate": len(ids) - len(kept) - elsewhere, "duplicate_of_another_split": elsewhere}
    return rows[np.sort(kept)], dropped


def preference(rows: Keys) -> NDArray[np.int8]:
    """Which of alike rows stays: that of the lowest number, and of these the first; (N,)."""
    places = np.array([KEPT_FIRST.index(name) for name in SPLITS] + [len(KEPT_FIRST)], dtype=np.int8)
    preferred: NDArray[np.int8] = 2 * places[rows.splits] + (rows.golds == NO_LABEL)
    return preferred


def elsewhere_of(kept: NDArray[np.int8], own: NDArray[np.int8]) -> int:
    """How many rows are in another split than the row that is kept for them, both declared."""
    return int(((kept != ANY) & (own != ANY) & (kept != own)).sum())
