"""The corpus of kind `hub`: a data set of the hub, or of a local folder that `datasets` can load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from labelrisk.corpora.raw_rows import RawRows
from labelrisk.errors import LabelRiskError, nearest
from labelrisk.settings.section import Columns, Section

if TYPE_CHECKING:
    import datasets

ROWS_OF_PART = 16_000


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

    def rows(self, most: int | None = None) -> tuple[Iterator[RawRows], dict[str, Any]]:
        """See RawCorpus: the rows of the declared splits."""
        return hub_rows(self, most), {"corpus": self.name, "revision": self.revision}


def hub_rows(corpus: HubCorpus, most: int | None = None) -> Iterator[RawRows]:
    """Rows of the declared splits, some ten thousand at a time; class numbers become their names.

    Raises LabelRiskError when the data set, its revision, a split or a column is not there.
    """
    for split, theirs in corpus.splits.items():
        loaded = _loaded(corpus, theirs)
        for column in (corpus.text, corpus.gold, *corpus.slices):
            if column not in loaded.column_names:
                advice = nearest(column, loaded.column_names)
                raise LabelRiskError(f"{corpus.name}, split {theirs}, has no column '{column}'; {advice}")
        last = len(loaded) if most is None else min(most, len(loaded))
        for start in range(0, last, ROWS_OF_PART):
            end = min(start + ROWS_OF_PART, last)
            values = loaded[start:end]
            yield RawRows(
                values[corpus.text],
                _names(loaded, corpus.gold, values[corpus.gold]),
                [split] * (end - start),
                {column: _names(loaded, column, values[column]) for column in corpus.slices},
                f"{corpus.name}, {theirs}, row",
                np.arange(start + 1, end + 1),
            )


def _loaded(corpus: HubCorpus, theirs: str) -> datasets.Dataset:
    import datasets

    try:
        return datasets.load_dataset(
            corpus.name, corpus.configuration, revision=corpus.revision, split=theirs, trust_remote_code=False
        )
    except Exception as error:  # datasets raises many kinds for an absent name, revision, split or network
        reason = " ".join(str(error).split())[:200]
        raise LabelRiskError(
            f"params.yaml: corpus '{corpus.name}' at revision '{corpus.revision}', split '{theirs}', can't be "
            f"loaded ({type(error).__name__}: {reason}); check the name, revision, split and the network"
        ) from None


def _names(loaded: datasets.Dataset, column: str, values: list[Any]) -> list[Any]:
    """Values of a column, with the names of classes for their numbers."""
    import datasets

    feature = loaded.features[column]
    if isinstance(feature, datasets.ClassLabel):  # -1 is the hub's mark for a hidden label
        return [None if code is None or code < 0 else feature.int2str(code) for code in values]
    return values
