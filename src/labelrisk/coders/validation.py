"""Annotators against human coders, part by part: what goes into validation/<annotator>.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.coders.accuracy import scores_against
from labelrisk.coders.agreement import TIE, agreement_of_coders, majority
from labelrisk.coders.alternative_annotator_test import FEWEST_ROWS, alternative_annotator_test
from labelrisk.coders.samples import EDIT, HELD_OUT
from labelrisk.statistics.scores import NO_LABEL, Codes, Floats

NO_HELD_OUT = (
    "No held-out test exists: all rows are in the part 'edit', on which the codebook may have been edited. "
    "Draw a sample with --holdout for a test."
)


class Part(NamedTuple):
    """The rows of one part: their ids (N,), coders' names and codes (R, N), and sampling probabilities (N,)."""

    ids: list[str]
    names: list[str]
    codes: NDArray[np.int64]
    probabilities: Floats


def parts(marks: pd.DataFrame, labels: Sequence[str]) -> dict[str, Part]:
    """The parts that have rows, `edit` first; rows of files without parts are in `edit`.

    marks: columns coder, id, label, part, probability, as read_coders gives them.
    """
    part_of = marks.groupby("id", sort=False)["part"].first().fillna(EDIT)
    probability_of = marks.groupby("id", sort=False)["probability"].first()
    codes = marks["label"].map({name: code for code, name in enumerate(labels)}).fillna(NO_LABEL).astype(np.int64)
    table = marks.assign(code=codes).pivot(index="coder", columns="id", values="code").fillna(NO_LABEL).astype(np.int64)
    table = table.loc[marks["coder"].drop_duplicates(), part_of.index]
    found = {}
    for part in (EDIT, HELD_OUT):
        ids = part_of.index[part_of == part]
        if len(ids):
            probabilities = probability_of[ids].to_numpy(dtype=np.float64)
            found[part] = Part(list(ids), list(table.index), table[ids].to_numpy(), probabilities)
    return found


def validation(
    annotator: str,
    predicted: pd.Series,
    found: dict[str, Part],
    labels: Sequence[str],
    *,
    epsilon: float,
    seed: int,
    codebook_hash: str,
) -> dict[str, Any]:
    """All numbers about one annotator, part by part.

    predicted: code of each id (index), -1 where the annotator gave no label.
    codebook_hash: of the codebook that the annotator read, so that others can tell what was validated; the held-out
    test of this codebook exists if `held_out` is true.
    """
    return {
        "annotator": annotator,
        "codebook_hash": codebook_hash,
        "held_out": HELD_OUT in found,
        "epsilon": epsilon,
        "seed": seed,
        "parts": {
            name: _validation_of_part(part, predicted[part.ids].to_numpy(), labels, epsilon, seed)
            for name, part in found.items()
        },
        "notes": notes(found),
    }


def notes(found: dict[str, Part]) -> list[str]:
    """What a reader must know of the sample before reading numbers, one sentence or two each."""
    said = [] if HELD_OUT in found else [NO_HELD_OUT]
    for name, part in found.items():
        labelled = int((part.codes != NO_LABEL).any(axis=0).sum())
        if labelled < FEWEST_ROWS:
            said.append(f"The part '{name}' has {labelled} labelled rows, fewer than {FEWEST_ROWS}: code more.")
        if np.isnan(part.probabilities).any():
            said.append(f"The part '{name}' has rows without a sampling probability: nothing is weighted.")
    return said


def _validation_of_part(
    part: Part, predicted: Codes, labels: Sequence[str], epsilon: float, seed: int
) -> dict[str, Any]:
    most = majority(part.codes, len(labels))

    def against(human: Codes) -> dict[str, Any]:
        rows = human >= 0
        return scores_against(human[rows], predicted[rows], part.probabilities[rows], labels, seed)

    return {
        "rows": len(part.ids),
        "unlabelled": int((most == NO_LABEL).sum()),
        "ties": int((most == TIE).sum()),
        "labelled_by": {name: int((row != NO_LABEL).sum()) for name, row in zip(part.names, part.codes, strict=True)},
        "coders": agreement_of_coders(part.codes, part.names, len(labels)),
        "against_majority": against(most),
        "against_coders": {name: against(row) for name, row in zip(part.names, part.codes, strict=True)},
        "alternative_annotator_test": alternative_annotator_test(predicted, part.codes, part.names, epsilon),
    }


def disagreements(
    annotator: str,
    answers: pd.DataFrame,
    predicted: pd.Series,
    found: dict[str, Part],
    labels: Sequence[str],
    texts: pd.Series,
) -> pd.DataFrame:
    """Rows of the part `edit`, never `held_out`, on which the annotator and most coders differ; ties are left out.

    answers: the annotator's labels by id, columns label, status and maybe reply; texts: text by id.
    Columns: annotator, id, text, annotator_label, status, majority_label, a column per coder, reply.
    """
    if EDIT not in found:
        return pd.DataFrame(columns=["annotator", "id", "text", "annotator_label", "status", "majority_label", "reply"])
    part = found[EDIT]
    most = majority(part.codes, len(labels))
    rows = np.flatnonzero((most >= 0) & (most != predicted[part.ids].to_numpy()))
    ids = [part.ids[row] for row in rows]
    names = [*labels, None]  # -1, no label, is the last
    listed: dict[str, Any] = {"annotator": annotator, "id": ids, "text": texts[ids].to_numpy()}
    listed |= {"annotator_label": answers.loc[ids, "label"].to_numpy(), "status": answers.loc[ids, "status"].to_numpy()}
    listed |= {"majority_label": [names[code] for code in most[rows]]}
    for name, codes in zip(part.names, part.codes, strict=True):
        listed[f"coder {name}"] = [names[code] for code in codes[rows]]
    replies = answers.loc[ids, "reply"].to_numpy() if "reply" in answers.columns else None
    return pd.DataFrame(listed | {"reply": replies})
