"""The corpus as `labelrisk check` sees it: its rows, prepared as the stage would, or the first of very many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    import pandas as pd

    from labelrisk.params import Settings

HEAD = 50_000  # rows of a file that are looked at: about a second


@dataclass(frozen=True)
class CorpusHead:
    """What is known of the corpus without running anything.

    said: how many rows there are; prepared: the rows `id, gold, split` that the stage would write, None where they
    are not known (a built-in corpus, one of the hub, or a file of more than HEAD rows).
    """

    said: str
    prepared: pd.DataFrame | None = None

    def count(self, settings: Settings) -> int | None:
        """Rows that annotators label: as prepared, or by the caps; None where there is no cap."""
        if self.prepared is not None:
            return len(self.prepared)
        caps = (settings.prepare.train_rows, settings.prepare.validation_rows, settings.prepare.test_rows)
        return sum(cap for cap in caps if cap) if all(caps) else None

    def train_count(self, settings: Settings) -> int | None:
        """Rows that students learn from, at most; None where that is not known."""
        if self.prepared is not None:
            return int((self.prepared["split"] == "train").sum())
        return settings.prepare.train_rows


def look_at(settings: Settings, labels: list[str], params: Path) -> CorpusHead:
    """Read what can be read within a second or two.

    Raises LabelRiskError as the stage `prepare` would, of the rows that are read.
    """
    from labelrisk.corpora.duplicates import without_duplicates
    from labelrisk.corpora.files import FilesCorpus
    from labelrisk.corpora.rows import checked_rows
    from labelrisk.corpora.splits import capped, check_classes, with_splits

    corpus = settings.corpus
    if not Path(corpus.path).exists():
        raise LabelRiskError(
            f"{params}: corpus.path names {corpus.path}, which is not there; bring it there, or correct it"
        )
    if not isinstance(corpus, FilesCorpus):
        return CorpusHead(f"a corpus of kind {corpus.kind}")
    parts, origin = corpus.rows(most=HEAD + 1)
    raw = list(parts)
    read = sum(len(part.numbers) for part in raw)
    is_whole = read + sum(origin["dropped"].values()) <= HEAD
    rows = checked_rows(raw, labels, is_whole)
    if not is_whole:
        return CorpusHead(f"more than {HEAD:,} rows, the first of them good")
    unique, _ = without_duplicates(rows)
    split = with_splits(unique, settings.prepare)
    check_classes(split, labels)
    return CorpusHead(f"{read:,} rows", capped(split, settings.prepare).frame())
