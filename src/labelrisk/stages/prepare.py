"""prepare: real texts, checked, de-duplicated, split and capped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelrisk.codebook import read_codebook
from labelrisk.corpora.duplicates import without_duplicates
from labelrisk.corpora.kinds import RawCorpus
from labelrisk.corpora.near_duplicates.search import without_near_duplicates
from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.prepared_writing import write_prepared
from labelrisk.corpora.rows import checked_rows
from labelrisk.corpora.splits import capped, check_classes, demonstration_pool, with_splits
from labelrisk.corpora.texts_file import TextsFile
from labelrisk.files import write_json, written_aside
from labelrisk.params import Settings
from labelrisk.statistics.class_codes import NO_LABEL


def run(settings: Settings, out: Path, metrics: Path) -> None:
    """Write train, validation and test rows, those that prompts may show, the class order and the corpus's origin, and
    count what was left out.
    """
    labels = read_codebook(Path(settings.codebook)).names
    corpus: RawCorpus = settings.corpus
    how = settings.prepare
    raw, origin = corpus.rows()
    with written_aside(out) as folder:
        folder.mkdir()
        with TextsFile(folder / "texts.arrow") as texts:
            rows = checked_rows(
                raw, labels, keep=texts.add
            )  # one name: of many rows what is not needed takes gigabytes
            texts.close()
            rows, dropped = without_duplicates(rows)
            if how.near_duplicates is not None:
                rows, nearly = without_near_duplicates(rows, texts, how.near_duplicates, how.seed)
                dropped |= nearly
            rows = with_splits(rows, how)
            check_classes(rows, labels)
            demonstrations, before = demonstration_pool(rows, how), len(rows)
            rows = capped(rows, how)
            write_prepared(folder, rows, demonstrations, texts, labels, origin)
    dropped = origin.get("dropped", {}) | dropped | {"over_the_cap": before - len(rows)}
    counts: dict[str, Any] = {"read": len(rows) + sum(dropped.values()), "dropped": dropped}
    counts |= {name: int(rows.of_split(name).sum()) for name in SPLITS}
    counts["train_without_gold"] = int((rows.of_split("train") & (rows.golds == NO_LABEL)).sum())
    write_json(counts, metrics)
