"""How often labels flip under edits, by source and edit, against the reference, and what it does to accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.explanations.edited_texts import EditedTexts
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.contrasts import Contrast, decide
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.row_means import mean_variances
from labelrisk.statistics.withstood_edits import Flags, flipped_by, flips, share_of_few, turned, withstood

NOTHING = Interval(np.nan, np.nan, np.nan, np.nan, np.nan)  # of fewer than two rows
NEVER = Interval(0.0, 0.0, 0.0, 0.0, np.inf)  # not estimated: what reads the same has the same label
TURNS = ("right_to_wrong", "wrong_to_right", "wrong_to_other")


@dataclass(frozen=True)
class Edited:
    """One variant for one source, on the rows that it changed: shares of labels with intervals over rows and seeds.

    rows: how many it changed.  flipped; turns: by TURNS, of all rows; before, after: accuracy; change: after - before.
    """

    rows: int
    flipped: Interval
    turns: Mapping[str, Interval]
    before: Interval
    after: Interval
    change: Interval


@dataclass(frozen=True)
class Robustness:
    """By source: `any_edit`, the share of labels that at least one single edit flips; by edit, what it does.

    by_then: shares that have flipped by 1, 2, ... edits of a chain; at_length: what chains of that length do;
    withstood: of the longest chain, the edits before the first flip, on average.  against: by 'any_edit' and 'chain'
    the difference of the source to the reference, all of them one family; of chains the mean over lengths.
    """

    any_edit: Mapping[str, Interval]
    by_edit: Mapping[str, Mapping[str, Edited]]
    by_then: Mapping[str, list[Interval]]
    at_length: Mapping[str, list[Edited]]
    withstood: Mapping[str, Interval]
    against: Mapping[str, Mapping[str, Contrast]]


def robustness_of(evidence: Evidence, texts: EditedTexts) -> Robustness:
    """All of it; sources in the order of the study."""
    level, reference = evidence.study.settings.evaluate.confidence, evidence.study.settings.evaluate.reference
    flipped = {name: flips(texts.unedited[name], of) for name, of in texts.edited.items()}
    singles, chains = list(texts.edits.values()), texts.chains
    any_flip: dict[str, Flags] = {name: np.any(of[:, singles], axis=1) for name, of in flipped.items()}
    by_then = {name: flipped_by(of[:, chains]) for name, of in flipped.items()}
    lasted = {name: withstood(of[:, chains]) for name, of in flipped.items()}
    edited = {place: _edited(texts, place, level) for place in [*singles, *chains]}
    lengths = [_shares({name: of[:, at] for name, of in by_then.items()}, level) for at in range(len(chains))]
    compared = {
        **({"any_edit": any_flip} if singles else {}),
        **({"chain": {name: of.mean(axis=1) for name, of in by_then.items()}} if chains else {}),
    }
    return Robustness(
        any_edit=_shares(any_flip, level) if singles else {},
        by_edit={
            name: {edit: edited[place][name] for edit, place in texts.edits.items()} for name in flipped if singles
        },
        by_then={name: [of[name] for of in lengths] for name in flipped if chains},
        at_length={name: [edited[place][name] for place in chains] for name in flipped if chains},
        withstood=_means(lasted, level, 0.0, float(len(chains))) if chains else {},
        against=_against(compared, reference, evidence.settings.robustness.margin, level),
    )


def _edited(texts: EditedTexts, place: int, level: float) -> dict[str, Edited]:
    """What one variant does to the labels of the rows that it changed, by source."""
    rows = np.flatnonzero(texts.changed[place])
    gold = texts.gold[rows]
    was = {name: of[:, rows] for name, of in texts.unedited.items()}
    stays = {name: of[:, place][:, rows] for name, of in texts.edited.items()}
    never = len(rows) > 1 and not texts.read[place].any()
    flipped = dict.fromkeys(was, NEVER) if never else _shares({n: was[n] != stays[n] for n in was}, level)
    each = {name: turned(gold, was[name], stays[name]) for name in was}
    turns = [
        dict.fromkeys(was, NEVER) if never else _shares({name: of[number] for name, of in each.items()}, level)
        for number in range(len(TURNS))
    ]
    before = _shares({name: of == gold for name, of in was.items()}, level)
    after = _shares({name: of == gold for name, of in stays.items()}, level)
    gains = {name: (stays[name] == gold).astype(np.int8) - (was[name] == gold) for name in was}
    change = _means(gains, level, -1.0, 1.0)
    return {
        name: Edited(
            rows=len(rows),
            flipped=flipped[name],
            turns={turn: of[name] for turn, of in zip(TURNS, turns, strict=True)},
            before=before[name],
            after=after[name],
            change=change[name],
        )
        for name in was
    }


def _shares(values: Mapping[str, Flags], level: float) -> dict[str, Interval]:
    """The share of True by source, values (R, N)."""
    runs, rows = next(iter(values.values())).shape
    if rows < 2:
        return dict.fromkeys(values, NOTHING)
    variances = mean_variances(values)
    return {name: share_of_few(variances.mean(name, level), rows, runs, level) for name in values}


def _means(values: Mapping[str, NDArray[Any]], level: float, least: float, most: float) -> dict[str, Interval]:
    """The mean by source, values (R, N) from `least` to `most`."""
    if next(iter(values.values())).shape[1] < 2:
        return dict.fromkeys(values, NOTHING)
    variances = mean_variances(values)
    found = {name: variances.mean(name, level) for name in values}
    return {name: one._replace(low=max(one.low, least), high=min(one.high, most)) for name, one in found.items()}


def _against(
    compared: Mapping[str, Mapping[str, NDArray[Any]]], reference: str, margin: float, level: float
) -> dict[str, dict[str, Contrast]]:
    """By what is compared and source: its mean minus the reference's on the same rows, all judged together."""
    asked = [(what, name) for what, values in compared.items() for name in values if name != reference]
    variances = {what: mean_variances(values) for what, values in compared.items()}
    decided = decide([variances[what].difference(name, reference, level) for what, name in asked], margin, level)
    found: dict[str, dict[str, Contrast]] = {what: {} for what in compared}
    for (what, name), contrast in zip(asked, decided, strict=True):
        found[what][name] = contrast
    return found
