"""Rows whose label flipped between two revisions, by class and direction, and what the labels cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from labelrisk.annotators.asked_rows import NOT_ASKED
from labelrisk.corpora.prepared import SPLITS
from labelrisk.revisions.revision import same_file
from labelrisk.revisions.snapshot import Snapshot


class Flip(NamedTuple):
    """Rows that went from one label to another (None: no label), and how many became right and wrong against gold."""

    before: str | None
    after: str | None
    rows: int
    became_right: int
    became_wrong: int


class SplitFlips(NamedTuple):
    """Of one split: rows with labels in both revisions' files, those that flipped, and of these against gold."""

    split: str
    rows: int
    flipped: int
    with_gold: int
    became_right: int
    became_wrong: int


class Example(NamedTuple):
    """A row that flipped; text and gold None where they are not known."""

    id: str
    split: str
    text: str | None
    before: str | None
    after: str | None
    gold: str | None


class Side(NamedTuple):
    """One revision's labels: rows asked about, the share with a label, requests and cost; None where unknown."""

    rows: int
    coverage: float | None
    requests: int | None
    cost: float | None


class LabelChange(NamedTuple):
    """One annotator's labels in both revisions, matched by row; sides None where it is not declared or not read.

    is_same: the files are the same.  flips is None where one of them can't be read.
    """

    annotator: str
    before: Side | None
    after: Side | None
    is_same: bool
    only_before: int
    only_after: int
    flips: list[Flip] | None
    splits: list[SplitFlips]
    examples: list[Example]

    @property
    def is_changed(self) -> bool:
        """Whether any label differs, or may, for one side was not read."""
        return not self.is_same and not (self.flips == [] and self.only_before == self.only_after == 0)

    @property
    def flipped(self) -> int:
        """Rows whose label is another one."""
        return sum(flip.rows for flip in self.flips or ())


def label_changes(before: Snapshot, after: Snapshot, examples: int, with_texts: bool = True) -> list[LabelChange]:
    """All annotators, panels and second opinions of either revision; examples: rows shown of each, by id or text."""
    names = dict.fromkeys([*after.labellers, *before.labellers])
    return [_changed(name, before, after, examples, with_texts) for name in names]


def _changed(name: str, before: Snapshot, after: Snapshot, examples: int, with_texts: bool) -> LabelChange:
    path = f"data/labels/{name}.parquet"
    if name in before.labellers and name in after.labellers and same_file(path, before.revision, after.revision):
        return LabelChange(name, _side(before, name), _side(after, name), True, 0, 0, [], [], [])
    frames = [study.labels(name) if name in study.labellers else None for study in (before, after)]
    sides = [_side(study, name, frame) for study, frame in zip((before, after), frames, strict=True)]
    one, other = frames
    if one is None or other is None:
        return LabelChange(name, sides[0], sides[1], False, 0, 0, None, [], [])
    keys = ["id", "split"]
    rows = one[one["status"] != NOT_ASKED].merge(
        other[other["status"] != NOT_ASKED], on="id", suffixes=("_before", "_after"), how="outer", indicator="side"
    )
    counts = rows["side"].value_counts()
    both = rows[rows["side"] == "both"]
    both = both.rename(columns={"split_after": "split"})[[*keys, "label_before", "label_after"]].reset_index(drop=True)
    both = both.astype(object).where(both.notna(), None)
    both["gold_before"], both["gold_after"] = _gold(both["id"], before, after), _gold(both["id"], after, before)
    both["flipped"] = [a != b for a, b in zip(both["label_before"], both["label_after"], strict=True)]
    known = both["gold_before"].notna() & both["gold_after"].notna()
    right = [both[f"label_{side}"] == both[f"gold_{side}"] for side in ("before", "after")]
    both["known"], both["became_right"], both["became_wrong"] = (
        known,
        known & right[1] & ~right[0],
        known & right[0] & ~right[1],
    )
    flipped = both[both["flipped"]]
    return LabelChange(
        name,
        sides[0],
        sides[1],
        is_same=False,
        only_before=int(counts.get("left_only", 0)),
        only_after=int(counts.get("right_only", 0)),
        flips=_flips(flipped),
        splits=[found for split in SPLITS if (found := _of_split(split, both)).rows],
        examples=_examples(flipped, before, after, examples, with_texts),
    )


def _side(study: Snapshot, name: str, frame: pd.DataFrame | None = None) -> Side | None:
    """By the totals in git, and for what lacks them by the labels."""
    if name not in study.labellers:
        return None
    totals = study.totals(name)
    if frame is not None:
        asked = frame[frame["status"] != NOT_ASKED]
        rows, labelled = len(asked), int(asked["label"].notna().sum())
    elif isinstance(totals.get("status"), dict):
        counts = {key: count for key, count in totals["status"].items() if isinstance(count, int) and key != NOT_ASKED}
        rows, labelled = sum(counts.values()), counts.get("ok", 0)
    else:
        return None
    coverage = labelled / rows if rows else None
    return Side(rows, coverage, _number(totals.get("requests"), int), _number(totals.get("cost"), float))


def _number(value: Any, kind: type) -> Any:
    return kind(value) if isinstance(value, (int, float)) else None


def _gold(ids: Iterable[str], own: Snapshot, other: Snapshot) -> list[str | None]:
    """Gold labels of rows, as one revision has them; where it has none as the other."""
    gold = own.gold if own.gold is not None else other.gold
    found = {} if gold is None else dict(zip(gold.index, gold, strict=True))
    return [found.get(key) for key in ids]


def _flips(flipped: pd.DataFrame) -> list[Flip]:
    """The most frequent first, then by the alphabet."""
    pairs: dict[tuple[str | None, str | None], list[int]] = {}
    columns = (flipped[name] for name in ("label_before", "label_after", "became_right", "became_wrong"))
    for one, other, right, wrong in zip(*columns, strict=True):
        counts = pairs.setdefault((one, other), [0, 0, 0])
        for place, count in enumerate((1, int(right), int(wrong))):
            counts[place] += count
    ordered = sorted(pairs.items(), key=lambda of: (-of[1][0], str(of[0])))
    return [Flip(*pair, *counts) for pair, counts in ordered]


def _of_split(split: str, both: pd.DataFrame) -> SplitFlips:
    rows = both[both["split"] == split]
    flipped = rows[rows["flipped"]]
    counts = (int(flipped[name].sum()) for name in ("known", "became_right", "became_wrong"))
    return SplitFlips(split, len(rows), len(flipped), *counts)


def _examples(flipped: pd.DataFrame, before: Snapshot, after: Snapshot, most: int, with_texts: bool) -> list[Example]:
    """Of each direction in turn, the most frequent first; within one by id, which says nothing about a row."""
    if not most or flipped.empty:
        return []
    order = {(flip.before, flip.after): place for place, flip in enumerate(_flips(flipped))}
    pairs = list(zip(flipped["label_before"], flipped["label_after"], strict=True))
    ranked = flipped.assign(pair=[order[pair] for pair in pairs]).sort_values(["pair", "id"])
    ranked = ranked.assign(turn=ranked.groupby("pair").cumcount()).sort_values(["turn", "pair"]).head(most)
    names = ("id", "split", "label_before", "label_after", "gold_after")
    rows = zip(*(ranked[name] for name in names), strict=True)
    texts = {**before.texts, **after.texts} if with_texts else {}
    return [Example(key, split, texts.get(key), one, other, gold) for key, split, one, other, gold in rows]
