"""A corpus on the hub, or in a local folder that `datasets` can load."""

from __future__ import annotations

import pandas as pd

from labelrisk.errors import LabelRiskError, nearest
from labelrisk.settings import HubCorpus


def hub_rows(corpus: HubCorpus) -> pd.DataFrame:
    """Rows of the declared splits as `text, gold, split, where`; class numbers become their names.

    Raises LabelRiskError when the data set, its revision, a split or a column is not there.
    """
    import datasets

    frames = []
    for split, theirs in corpus.splits.items():
        try:
            loaded = datasets.load_dataset(
                corpus.name, corpus.configuration, revision=corpus.revision, split=theirs, trust_remote_code=False
            )
        except Exception as error:  # datasets raises many kinds for an absent name, revision, split or network
            reason = " ".join(str(error).split())[:200]
            raise LabelRiskError(
                f"params.yaml: corpus '{corpus.name}' at revision '{corpus.revision}', split '{theirs}', can't be "
                f"loaded ({type(error).__name__}: {reason}); check the name, revision, split and the network"
            ) from None
        for column in (corpus.text, corpus.gold):
            if column not in loaded.column_names:
                advice = nearest(column, loaded.column_names)
                raise LabelRiskError(f"{corpus.name}, split {theirs}, has no column '{column}'; {advice}")
        gold = loaded[corpus.gold][:]
        feature = loaded.features[corpus.gold]
        if isinstance(feature, datasets.ClassLabel):  # -1 is the hub's mark for a hidden label
            gold = [None if code is None or code < 0 else feature.int2str(code) for code in gold]
        frames.append(pd.DataFrame({"text": loaded[corpus.text][:], "gold": pd.Series(gold, dtype=object)}))
        frames[-1]["split"] = split
        frames[-1]["where"] = [f"{corpus.name}, {theirs}, row {number}" for number in range(1, len(loaded) + 1)]
    rows = pd.concat(frames, ignore_index=True)
    return rows
