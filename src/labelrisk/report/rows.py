"""The rows that matter as the page holds them: few enough for its size, with all that was said of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.evidence import Given, OnTrain
from labelrisk.report.material import Material
from labelrisk.report.reasons import REASONS, Mark, Reason, certainty
from labelrisk.report.security import script_json, visible
from labelrisk.report.texts import Texts, fitting
from labelrisk.sources.controls import resolved

MOST = 10_000  # rows of one reason that the page holds: the highest of all sources in turn
LONGEST_VALUE = 100  # characters of the value of a slice
SPLITS = ("test", "train")
NONE = Texts([], [], 0)
Positions = NDArray[np.int64]


class Chosen(NamedTuple):
    """The rows of one reason that the page holds, by source or annotator, and how many matter in all."""

    reason: Reason
    marks: Sequence[Mark]
    held: Positions
    total: int


def rows_that_matter(material: Material, prepared: Prepared, size: int, with_texts: bool) -> dict[str, Any]:
    """All that the page needs to show and filter rows, as JSON of at most about `size` bytes.

    Where texts are long they are cut, and where even short ones don't fit, fewer rows of each reason are held.
    with_texts: whether the page may hold texts; else ids alone stand for them.
    """
    found = [(reason, list(reason.marks(material))) for reason in REASONS]
    most, texts = MOST, dict[str, pd.Series]()
    while True:
        chosen = [_chosen(reason, marks, most) for reason, marks in found]
        places = {split: _held(chosen, split) for split in SPLITS}
        content = _content(material, prepared, chosen, places)
        room = size - len(script_json(content).encode())
        ids = {split: _ids(material, split, places[split]) for split in SPLITS if with_texts}
        texts = texts or {split: prepared.texts(split, of) for split, of in ids.items()}  # others are among the first
        held = fitting([text for split in ids for text in texts[split].reindex(ids[split])], room)
        if held is not None or most == 1:
            return content | (held or NONE)._asdict()
        most = max(1, most // 2)


def _chosen(reason: Reason, marks: Sequence[Mark], most: int) -> Chosen:
    """The first rows of every mark in turn, until there are `most`."""
    rows = np.concatenate([mark.rows for mark in marks]) if marks else np.array([], dtype=np.int64)
    ranks = np.concatenate([np.arange(len(mark.rows)) for mark in marks]) if marks else rows
    best = pd.Series(ranks).groupby(rows).min().sort_values(kind="stable")
    return Chosen(reason, marks, best.index.to_numpy(dtype=np.int64)[:most], len(best))


def _held(chosen: Iterable[Chosen], split: str) -> Positions:
    """The rows of a split that are held for any reason: in the order of the reasons, of each the most telling first."""
    found = [one.held for one in chosen if one.reason.split == split]
    return np.array(list(dict.fromkeys(np.concatenate(found).tolist())) if found else [], dtype=np.int64)


def _content(
    material: Material, prepared: Prepared, chosen: Sequence[Chosen], places: Mapping[str, Positions]
) -> dict[str, Any]:
    evidence, study = material.evidence, material.evidence.study
    annotators, sources = list(evidence.given["test"]), list(study.students)
    test, train = places["test"], places["train"]
    in_train = prepared.slices(_ids(material, "train", train))
    number = {"test": {row: place for place, row in enumerate(test.tolist())}}
    number["train"] = {row: len(test) + place for place, row in enumerate(train.tolist())}
    gold = [*study.test.gold[test].tolist(), *evidence.train.gold[train].tolist()]
    return {
        "classes": [visible(name) for name in study.classes],
        "seeds": len(study.settings.seeds),
        "reasons": [
            {"key": one.reason.key, "title": one.reason.title, "reading": one.reason.reading}
            | {"total": one.total, "left_out": one.total - _shown(one, number[one.reason.split])}
            for one in chosen
        ],
        "marks": [
            {"reason": place, "who": mark.who, "by": mark.by, "rows": _numbers(mark, number[one.reason.split])}
            for place, one in enumerate(chosen)
            for mark in one.marks
        ],
        "test_rows": len(test),
        "ids": [visible(str(one)) for split in SPLITS for one in _ids(material, split, places[split])],
        "gold": gold,
        "slices": {visible(name): _values([*of[test], *in_train[name]]) for name, of in study.test.slices.items()},
        "annotators": {name: _said(material, name, places) for name in annotators},
        "sources": {
            name: {
                "annotator": resolved(study.settings.sources, name).annotator,
                "labels": material.votes[name].labels[test].tolist(),
                "agree": material.votes[name].agreeing[test].tolist(),
            }
            for name in sources
        },
    }


def _ids(material: Material, split: str, rows: Positions) -> pd.Index:
    if split == "test":
        return material.evidence.study.test.ids[rows]
    return pd.Index(material.evidence.train.ids.some(rows))


def _shown(chosen: Chosen, number: Mapping[int, int]) -> int:
    """How many rows of a reason are held, for this reason or another."""
    return len({row for mark in chosen.marks for row in _numbers(mark, number)})


def _numbers(mark: Mark, number: Mapping[int, int]) -> list[int]:
    """The held rows of a mark in their order, by their place on the page."""
    return [number[row] for row in mark.rows.tolist() if row in number]


def _said(material: Material, name: str, places: Mapping[str, Positions]) -> dict[str, list[int]]:
    """An annotator's labels of the held rows as codes, -1 for none, and how sure it is in per cent, -1 for unknown."""
    labels: list[int] = []
    sure: list[int] = []
    every: dict[str, Given | OnTrain] = {
        "test": material.evidence.given["test"][name],
        "train": material.evidence.on_train[name],
    }
    for split, given in every.items():
        codes = given.codes[places[split]]
        labels += codes.tolist()
        known = certainty(codes, None if given.probabilities is None else given.probabilities[places[split]])
        sure += np.floor(100 * np.nan_to_num(known, nan=-0.01) + 1e-9).astype(int).tolist()
    return {"labels": labels, "sure": sure}


def _values(of_rows: Sequence[str | None]) -> dict[str, list[Any]]:
    """The values of a column of slices, the most frequent first, and the place there of each held row's."""
    found = [None if value is None else visible(str(value)[:LONGEST_VALUE]) for value in of_rows]
    counts: dict[str, int] = {}
    for value in found:
        if value is not None:
            counts[value] = counts.get(value, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    place = {name: number for number, name in enumerate(names)}
    return {"names": names, "of": [-1 if value is None else place[value] for value in found]}
