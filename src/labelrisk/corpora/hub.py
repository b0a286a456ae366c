"""The corpus of kind `hub`: a data set of the hub, or of a local folder that `datasets` can load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from labelrisk.corpora.prepared import SLICE
from labelrisk.errors import LabelRiskError, nearest
from labelrisk.settings.section import Columns, Section

if TYPE_CHECKING:
    import datasets


class HubCorpus(Section):
    """A data set of the hub at a pinned revision."""

    kind: Literal["hub"]  # a data set of the hub
    path: str  # the lock file: the data set itself is pinned by `revision`
    name: str  # its name on the hub
    revision: str  # the commit of the data set
    configuration: str | None = None  # of data sets that have several
    text: str = "text"  # the column of the texts
    gold: str = "label"  # the column of the gold labels
    splits: dict[Literal["train", "validation", "test"], str] = {"train": "train"}  # what the data set calls each split
    slices: Columns = ()  # columns by whose values all scores are told, too

    def rows(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """The raw rows (see RawCorpus) of the declared splits and their origin."""
        return hub_rows(self), {"corpus": self.name, "revision": self.revision}


def hub_rows(corpus: HubCorpus) -> pd.DataFrame:
    """Rows of the declared splits as `text, gold, split, where` and slices; class numbers become their names.

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
        for column in (corpus.text, corpus.gold, *corpus.slices):
            if column not in loaded.column_names:
                advice = nearest(column, loaded.column_names)
                raise LabelRiskError(f"{corpus.name}, split {theirs}, has no column '{column}'; {advice}")
        named = {"gold": corpus.gold} | {f"{SLICE}{column}": column for column in corpus.slices}
        values = {name: _values(loaded, column) for name, column in named.items()}
        frames.append(pd.DataFrame({"text": loaded[corpus.text][:]} | values))
        frames[-1]["split"] = split
        frames[-1]["where"] = [f"{corpus.name}, {theirs}, row {number}" for number in range(1, len(loaded) + 1)]
    return pd.concat(frames, ignore_index=True)


def _values(loaded: datasets.Dataset, column: str) -> pd.Series:
    """The values of a column, with the names of classes for their numbers."""
    import datasets

    values, feature = loaded[column][:], loaded.features[column]
    if isinstance(feature, datasets.ClassLabel):  # -1 is the hub's mark for a hidden label
        values = [None if code is None or code < 0 else feature.int2str(code) for code in values]
    return pd.Series(values, dtype=object)
