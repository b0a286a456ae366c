"""What is done to the doubtful rows: dropped, given gold or another annotator's label, or left to nobody."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from labelrisk.errors import LabelRiskError
from labelrisk.repairs.contract import Codes
from labelrisk.sources.doubts import RANDOM, Evidence, doubts_of
from labelrisk.sources.material import Material
from labelrisk.sources.row_labels import GOLD, RowLabels
from labelrisk.sources.selection import chosen
from labelrisk.sources.source import Source
from labelrisk.statistics.class_codes import NO_LABEL

UNASKED = ("missing", "not_asked")  # statuses of rows that nobody has answered yet


def act(
    name: str,
    source: Source,
    rows: RowLabels,
    known: Material,
    generator: np.random.Generator,
    of_doubts: np.random.Generator,
) -> Mapping[str, float]:
    """Choose the rows and do to them what the source says; returns what the kind of doubt measured about itself.

    of_doubts: for doubts that are drawn.
    Raises LabelRiskError where the labels or doubts that it needs are not there.
    """
    selected, notes = _selected(name, source, rows, known, generator, of_doubts)
    why = _reason(source)
    if source.action == "gold":
        _refuse_absent_gold(name, known, selected)
        rows.give(selected, known.gold[selected], GOLD, GOLD, why)
    elif source.action == "relabel":
        _relabel(name, source, rows, known, selected, why)
    else:
        rows.take(selected, "abstained" if source.action == "abstain" else "dropped_selected", why)
    return notes


def _reason(source: Source) -> str:
    if source.select is None:
        return f"{source.relabel_by} was asked"
    return f"selected by {RANDOM if source.control else source.select.by}"


def _selected(
    name: str,
    source: Source,
    rows: RowLabels,
    known: Material,
    generator: np.random.Generator,
    of_doubts: np.random.Generator,
) -> tuple[Codes, Mapping[str, float]]:
    if source.select is None:  # those that the second opinion was asked about
        assert source.relabel_by is not None
        answers = known.answers(source.relabel_by, "train")
        asked = answers["sampling_probability"].to_numpy(float, na_value=np.nan) == 1
        return np.flatnonzero(asked & rows.labelled), {}
    answers = known.answers(source.annotator, "train")
    others = [known.labels_of(one) for one in source.select.of or ()]
    evidence = Evidence(rows.codes, answers, known.classes, others, known.vectors)
    doubts = doubts_of(source.select.by, evidence, of_doubts)
    if (np.isnan(doubts.values) | ~rows.labelled).all():
        raise LabelRiskError(
            f"sources.{name} selects by {source.select.by}, but the labels of annotator '{source.annotator}' come "
            f"without {NEEDS.get(source.select.by, 'what that needs')}; select by random, or use an annotator with "
            "logprobs or votes"
        )
    at_random = source.control == "random"
    return chosen(source.select, doubts, rows.codes, generator, at_random), {} if at_random else doubts.notes


NEEDS = {
    "entropy": "class probabilities",
    "margin": "class probabilities",
    "flips": "several votes",
    "disagreement": "two annotators' labels of one row",
}


def _refuse_absent_gold(name: str, known: Material, selected: Codes) -> None:
    absent = selected[known.gold[selected] == NO_LABEL]
    if len(absent):
        raise LabelRiskError(
            f"sources.{name} has action: gold, but {len(absent)} of its {len(selected)} selected train rows have no "
            f"gold label (the first has the id {known.train['id'].iloc[absent[0]]}); label them, or use action: drop"
        )


def _relabel(name: str, source: Source, rows: RowLabels, known: Material, selected: Codes, why: str) -> None:
    """A row that the other annotator was asked about, and gave no label to, keeps the one it has."""
    assert source.relabel_by is not None
    answers: pd.DataFrame = known.answers(source.relabel_by, "train")
    unasked = selected[answers["status"].isin(UNASKED).to_numpy()[selected]]
    if len(unasked):
        raise LabelRiskError(
            f"sources.{name} has action: relabel, but {len(unasked)} of its {len(selected)} selected train rows have "
            f"no answer of '{source.relabel_by}' yet (the first has the id {known.train['id'].iloc[unasked[0]]}); "
            f"let it label them: `labelrisk sample --source {name} --out FILE.csv` writes these rows for people"
        )
    codes = known.labels_of(source.relabel_by)
    given = selected[codes[selected] != NO_LABEL]
    without = selected[codes[selected] == NO_LABEL]
    rows.give(given, codes[given], "relabelled", source.relabel_by, why)
    rows.reasons.put(without, f"{why}, and no label came of {source.relabel_by}")
