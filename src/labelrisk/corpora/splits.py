"""Stratified splits and caps, drawn from a seed; a row more, or a higher cap, moves few rows or none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelrisk.corpora.keys import ANY, Keys, drawn_numbers
from labelrisk.corpora.prepared import SPLITS
from labelrisk.errors import LabelRiskError
from labelrisk.settings.prepare import PrepareSettings
from labelrisk.statistics.class_codes import NO_LABEL

TRAIN = SPLITS.index("train")
POOL = 10_000  # rows that demonstrations are chosen from


def with_splits(rows: Keys, settings: PrepareSettings) -> Keys:
    """Give every row a split: declared ones stay, rows without gold train, missing splits are drawn from train.

    Raises LabelRiskError for a class with too few gold rows to be in every split.
    """
    splits = np.where(rows.splits == ANY, TRAIN, rows.splits).astype(np.int8)
    graded = rows.golds != NO_LABEL
    classes = _by_name(rows)
    order: NDArray[np.uint64] | None = None
    for name, share in (("test", settings.test_share), ("validation", settings.validation_share)):
        place = SPLITS.index(name)
        if not (splits == place).any():
            order = drawn_numbers(f"{settings.seed}:split", rows.ids) if order is None else order
            pool = np.flatnonzero((splits == TRAIN) & graded)
            splits[pool[stratified(classes[pool], round(share * int(graded.sum())), order[pool], least=1)]] = place
    return rows.with_splits(splits)


def check_classes(rows: Keys, labels: Sequence[str]) -> None:
    """Every label of the codebook must have gold rows in validation and in test, and train must have rows.

    Raises LabelRiskError that names the class.
    """
    graded = rows.golds != NO_LABEL
    cells = rows.golds[graded].astype(np.int64) * len(SPLITS) + rows.splits[graded]
    counts = np.bincount(cells, minlength=len(labels) * len(SPLITS)).reshape(len(labels), len(SPLITS))
    for name, of in zip(labels, counts, strict=True):
        absent = [split for split in ("validation", "test") if of[SPLITS.index(split)] == 0]
        if absent:
            raise LabelRiskError(
                f"the class '{name}' has {of.sum()} gold rows and none in {' and '.join(absent)}: a class needs one "
                "in each of the splits train, validation and test; add gold rows or take the label out of the codebook"
            )
    if not rows.of_split("train").any():
        raise LabelRiskError(
            "no row is left in train; add rows, or lower prepare.validation_share or prepare.test_share in params.yaml"
        )


def capped(rows: Keys, settings: PrepareSettings) -> Keys:
    """Cut each split to its cap, keeping the shares of the classes (rows without gold count as one class).

    Raises LabelRiskError for a cap that takes all rows of a class out of validation or test.
    """
    caps = {"train": settings.train_rows, "validation": settings.validation_rows, "test": settings.test_rows}
    kept = np.ones(len(rows), dtype=bool)
    by_name = _by_name(rows)
    for name, cap in caps.items():
        members = np.flatnonzero(rows.of_split(name))
        if cap is not None and len(members) > cap:
            classes = by_name[members]
            order = drawn_numbers(f"{settings.seed}:cap", rows.ids[members])
            chosen = stratified(classes, cap, order, least=1, spared=int(name == "train"))
            lost = np.setdiff1d(classes, classes[chosen])
            if len(lost) and name != "train":
                raise LabelRiskError(
                    f"prepare.{name}_rows is {cap}, which leaves none of the {len(members)} {name} rows of the class "
                    f"'{sorted(rows.labels)[lost[0]]}' ({len(lost)} such classes); raise it in params.yaml"
                )
            kept[np.delete(members, chosen)] = False
    return rows[kept]


def stratified(classes: np.ndarray, size: int, order: np.ndarray, least: int = 0, spared: int = 1) -> np.ndarray:
    """Positions of a sample of `size` rows with the class shares of the whole, sorted.

    classes: (n,) class of each row, a code or a name; order: (n,) random numbers, of which each class gives its lowest.
    Seats are given by largest remainder; `least` is the smallest number for a class, as long as that leaves `spared`
    rows of the class outside the sample.
    """
    names, codes = np.unique(classes, return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    exact = counts * size / max(len(classes), 1)
    seats = np.floor(exact).astype(int)
    by_remainder = np.argsort(-(exact - seats), kind="stable")
    seats[by_remainder[: size - int(seats.sum())]] += 1
    for code in np.flatnonzero((seats < least) & (counts >= least + spared)):
        seats[code] = least
        seats[np.argmax(seats)] -= least
    ranked = np.lexsort((order, codes))
    starts = np.cumsum(counts) - counts
    drawn = [ranked[start : start + of] for start, of in zip(starts, seats, strict=True)]
    return np.sort(np.concatenate([np.zeros(0, dtype=np.intp), *drawn]))


def demonstration_pool(rows: Keys, settings: PrepareSettings) -> Keys:
    """Train rows with gold that prompts may show, drawn before train is capped: another cap changes no prompt."""
    graded = np.flatnonzero(rows.of_split("train") & (rows.golds != NO_LABEL))
    ranked = np.argsort(drawn_numbers(f"{settings.seed}:demonstrations", rows.ids[graded]), kind="stable")
    return rows[np.sort(graded[ranked[:POOL]])]


def _by_name(rows: Keys) -> NDArray[np.int32]:
    """The place of each row's gold label in the alphabet, -1 without one: draws don't hang on the codebook's order."""
    places = np.argsort(np.argsort(np.array([*rows.labels], dtype=str), kind="stable"), kind="stable")
    found: NDArray[np.int32] = np.append(places, NO_LABEL).astype(np.int32)[rows.golds]
    return found
