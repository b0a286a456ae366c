"""The kinds of corpora.  A new kind is a new file with a class like RawCorpus, and its name here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Protocol

from pydantic import Field

from labelrisk.corpora.apidocs.corpus import ApidocsCorpus
from labelrisk.corpora.files import FilesCorpus
from labelrisk.corpora.hub import HubCorpus
from labelrisk.corpora.raw_rows import RawRows

Corpus = Annotated[ApidocsCorpus | FilesCorpus | HubCorpus, Field(discriminator="kind")]


class RawCorpus(Protocol):
    """The section `corpus` of params.yaml: its keys, and how its rows are read."""

    kind: Any
    path: str  # what the corpus depends on: DVC prepares again when it changes
    slices: Any  # columns by whose values scores are told

    def rows(self, most: int | None = None) -> tuple[Iterator[RawRows], dict[str, Any]]:
        """The raw rows, some at a time, and their origin, whose counts are complete once all rows were read.

        most: of each file or split, to look at the first ones.  gold may be missing; split is train, validation, test,
        or None where it is to be drawn.
        """
