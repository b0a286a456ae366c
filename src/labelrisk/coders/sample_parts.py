"""The parts of a sample as arrays: one on which the codebook may be edited, one that is held out for its test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.coders.samples import EDIT, HELD_OUT
from labelrisk.statistics.class_codes import NO_LABEL, codes_of
from labelrisk.statistics.scores import Floats


class Part(NamedTuple):
    """The rows of one part: their ids (N,), coders' names and codes (R, N), and sampling probabilities (N,)."""

    ids: list[str]
    names: list[str]
    codes: NDArray[np.int64]
    probabilities: Floats


def parts_of(coded: pd.DataFrame, labels: Sequence[str]) -> dict[str, Part]:
    """The parts that have rows, `edit` first; rows of files without parts are in `edit`.

    coded: columns coder, id, label, part, probability, as read_coded_files gives them.
    """
    part_of = coded.groupby("id", sort=False)["part"].first().fillna(EDIT)
    probability_of = coded.groupby("id", sort=False)["probability"].first()
    codes = coded.assign(code=codes_of(coded["label"], labels)).pivot(index="coder", columns="id", values="code")
    table = codes.fillna(NO_LABEL).astype(np.int64)
    table = table.loc[coded["coder"].drop_duplicates(), part_of.index]
    parts = {}
    for part in (EDIT, HELD_OUT):
        ids = part_of.index[part_of == part]
        if len(ids):
            probabilities = probability_of[ids].to_numpy(dtype=np.float64)
            parts[part] = Part(list(ids), list(table.index), table[ids].to_numpy(), probabilities)
    return parts
