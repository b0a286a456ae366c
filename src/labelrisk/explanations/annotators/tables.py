"""The tables of `annotators`: a row per pair, per panel, per annotator with students, and per two of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.explanations.annotators.pairs import Judged
from labelrisk.explanations.annotators.panel_gains import PanelGain
from labelrisk.explanations.annotators.students import Taught, TaughtPair
from labelrisk.statistics.contrasts import ROUNDING, Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded
from labelrisk.statistics.shared_errors import Shared
from labelrisk.statistics.shares import Share

Row = dict[str, Any]
ENDS = ("", "_low", "_high")
KINDS = ("both_wrong", "same_wrong")
PAIR = ["split", "one", "other", "rows"]  # what matters most first: a terminal shows as many columns as fit
PAIR += [f"{name}{end}" for name in ("kappa", "both_wrong_ratio") for end in ENDS] + ["decision"]
PAIR += [f"same_wrong_ratio{end}" for end in ENDS] + ["unlabelled"]
PAIR += [f"{name}{end}" for name in ("agreement", "alpha") for end in ENDS]
PAIR += [f"{kind}{name}" for kind in KINDS for name in ("", "_expected", *(f"_excess{end}" for end in ENDS), "_p")]


def pairs_table(found: Sequence[Judged], level: float) -> pd.DataFrame:
    """A row per pair and split: agreement, shared errors, their excess and ratio with bounds, p adjusted by Holm."""
    return pd.DataFrame([pair_row(one, level) for one in found], columns=PAIR)


def pair_row(one: Judged, level: float) -> Row:
    """What pairs_table says of a pair."""
    pair = one.pair
    row: Row = {"split": pair.split, "one": pair.one, "other": pair.other}
    row |= {"rows": pair.rows, "unlabelled": pair.unlabelled}
    row |= _bounded("agreement", pair.agreement.agreement)
    row |= _bounded("kappa", pair.agreement.kappa) | _bounded("alpha", pair.agreement.alpha)
    row |= _shared("both_wrong", pair.wrong, one.p_wrong) | _shared("same_wrong", pair.alike, one.p_alike)
    row |= {"decision": one.says(level)}
    return {name: row[name] for name in PAIR}


def panel_row(gain: PanelGain) -> Row:
    """A panel: its scores, and what it adds to the best member and to the mean one."""
    row: Row = {"panel": gain.panel, "members": len(gain.members), "best_member": gain.best}
    row |= {"best_by": gain.chosen_on} | _bounded("coverage", gain.coverage)
    row |= {"coverage_of_mean": gain.coverage_of_mean} | _bounded("accuracy", gain.accuracy)
    for name in ("accuracy_over_best", "accuracy_over_mean"):
        row |= _bounded(name, getattr(gain, name))
    for name in ("f1_over_best", "f1_over_mean"):
        row |= _decided(name, getattr(gain, name))
    return row | _bounded("any_right", gain.any_right) | _bounded("all_right", gain.all_right)


def taught_row(one: Taught) -> Row:
    """An annotator, how good its train labels are, and how good students of these are."""
    row: Row = {"annotator": one.annotator, "source": one.source, "labelled_with_gold": one.labelled}
    row |= _bounded("train_accuracy", one.accuracy)
    return row | {"annotator_macro_f1": one.annotator_f1} | _bounded("student_macro_f1", one.student_f1)


def taught_pair_row(pair: TaughtPair) -> Row:
    """Two annotators, one minus the other."""
    row: Row = {"one": pair.one, "other": pair.other}
    row |= _decided("train_accuracy", pair.accuracy) | _decided("student_macro_f1", pair.student_f1)
    return row | {"order": pair.order}


def as_json(row: Mapping[str, Any]) -> Row:
    """A row as a metrics file has it."""
    return {name: rounded(value) if isinstance(value, float) else value for name, value in row.items()}


def _bounded(name: str, found: Interval | Share | None) -> Row:
    """Estimate and bounds; no bounds where nothing varies, for other rows surely would."""
    if found is None:
        return dict.fromkeys([f"{name}{end}" for end in ENDS], np.nan)
    if isinstance(found, Interval) and found.error < ROUNDING:
        return {name: float(found.estimate), f"{name}_low": np.nan, f"{name}_high": np.nan}
    return {f"{name}{end}": float(value) for end, value in zip(ENDS, found, strict=False)}


def _decided(name: str, found: Contrast | None) -> Row:
    if found is None:
        return _bounded(name, None) | {f"{name}_decision": "not known"}
    numbers = {f"{name}{end}": float(value) for end, value in zip(ENDS, found, strict=False)}
    return numbers | {f"{name}_decision": found.decision}


def _shared(name: str, found: Shared, p: float | None) -> Row:
    row: Row = {name: found.share, f"{name}_expected": found.expected}
    row |= _bounded(f"{name}_excess", found.excess) | _bounded(f"{name}_ratio", found.ratio)
    return row | {f"{name}_p": np.nan if p is None else float(p)}
