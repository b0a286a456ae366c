"""Annotators against human coders, part by part: what goes into validation/<annotator>.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.coders.accuracy import scores_against
from labelrisk.coders.agreement import agreement_of_coders
from labelrisk.coders.alternative_annotator_test import FEWEST_ROWS, alternative_annotator_test
from labelrisk.coders.sample_parts import Part
from labelrisk.coders.samples import HELD_OUT
from labelrisk.statistics.agreement import TIE, majority
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes

NO_HELD_OUT = (
    "No held-out test exists: all rows are in the part 'edit', on which the codebook may have been edited. "
    "Draw a sample with --holdout for a test."
)


def validation(
    annotator: str,
    predicted: pd.Series,
    parts: Mapping[str, Part],
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
        "held_out": HELD_OUT in parts,
        "epsilon": epsilon,
        "seed": seed,
        "parts": {
            name: _validation_of_part(part, predicted[part.ids].to_numpy(), labels, epsilon, seed)
            for name, part in parts.items()
        },
        "notes": notes(parts),
    }


def notes(parts: Mapping[str, Part]) -> list[str]:
    """What a reader must know of the sample before reading numbers, one sentence or two each."""
    sentences = [] if HELD_OUT in parts else [NO_HELD_OUT]
    for name, part in parts.items():
        labelled = int((part.codes != NO_LABEL).any(axis=0).sum())
        if labelled < FEWEST_ROWS:
            sentences.append(f"The part '{name}' has {labelled} labelled rows, fewer than {FEWEST_ROWS}: code more.")
        if np.isnan(part.probabilities).any():
            sentences.append(f"The part '{name}' has rows without a sampling probability: nothing is weighted.")
    return sentences


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
