"""Different texts from all over a table, by which something is tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labelrisk.applying.inputs import check_texts, open_input
from labelrisk.classifiers.labelling import reason_of, whole_text

MOST = 2_300
SEED = 0


def some_texts(path: Path, column: str) -> list[str]:
    """At most MOST different texts of a table, drawn at random from all of its rows, in memory that holds no more.

    Raises LabelRiskError for a file that can't be read, and a column that holds no texts.
    """
    from labelrisk.applying.chunks import texts_of

    source = open_input(str(path))
    check_texts(str(path), source, column)
    generator = np.random.default_rng(SEED)
    drawn: dict[float, str] = {}
    for batch in source.batches([column]):
        for text in texts_of(batch, column):
            place = float(generator.random())
            if reason_of(text) is None:
                drawn[place] = whole_text(str(text))
        drawn = {place: drawn[place] for place in sorted(drawn)[: 2 * MOST]}
    return list(dict.fromkeys(drawn.values()))[:MOST]
