"""The rows on which an annotator and most coders differ, from which the codebook may be improved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.coders.sample_parts import Part
from labelrisk.coders.samples import EDIT
from labelrisk.statistics.agreement import majority


def disagreeing_rows(
    annotator: str,
    answers: pd.DataFrame,
    predicted: pd.Series,
    parts: Mapping[str, Part],
    labels: Sequence[str],
    texts: pd.Series,
) -> pd.DataFrame:
    """Rows of the part `edit`, never `held_out`, on which the annotator and most coders differ; ties are left out.

    answers: the annotator's labels by id, columns label, status and maybe reply; texts: text by id.
    Columns: annotator, id, text, annotator_label, status, majority_label, a column per coder, reply.
    """
    if EDIT not in parts:
        return pd.DataFrame(columns=["annotator", "id", "text", "annotator_label", "status", "majority_label", "reply"])
    part = parts[EDIT]
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
