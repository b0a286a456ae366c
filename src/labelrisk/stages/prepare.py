"""prepare: real texts, checked, de-duplicated, split and capped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from labelrisk.codebook import read_codebook
from labelrisk.corpora.files import files_rows
from labelrisk.corpora.hub import hub_rows
from labelrisk.corpora.rows import DEMONSTRATIONS, SPLITS, checked_rows, without_duplicates
from labelrisk.corpora.splits import capped, check_classes, demonstration_pool, with_splits
from labelrisk.files import write_json, write_parquet, written_aside
from labelrisk.settings import Corpus, Settings


def run(settings: Settings, out: Path, metrics: Path) -> None:
    """Write train, validation and test rows, those that prompts may show, the class order and the corpus's origin, and
    count what was left out.
    """
    labels = read_codebook(Path(settings.codebook)).names
    raw, origin = _corpus(settings.corpus)
    unique, dropped = without_duplicates(checked_rows(raw, labels))
    split = with_splits(unique, settings.prepare)
    check_classes(split, labels)
    rows = capped(split, settings.prepare)
    with written_aside(out) as folder:
        for name in SPLITS:
            write_parquet(rows.loc[rows["split"] == name, ["id", "text", "gold"]], folder / f"{name}.parquet")
        pool = demonstration_pool(split, settings.prepare)
        write_parquet(pool[["id", "text", "gold"]], folder / DEMONSTRATIONS)
        write_json(labels, folder / "labels.json")
        write_json(origin, folder / "origin.json")
    dropped = origin.get("dropped", {}) | dropped | {"over_the_cap": len(split) - len(rows)}
    counts: dict[str, Any] = {"read": len(rows) + sum(dropped.values()), "dropped": dropped}
    counts |= {name: int((rows["split"] == name).sum()) for name in SPLITS}
    counts["train_without_gold"] = int(((rows["split"] == "train") & rows["gold"].isna()).sum())
    write_json(counts, metrics)


def _corpus(corpus: Corpus) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The raw rows with where they stand, and what is known of their origin."""
    if corpus.kind == "files":
        return files_rows(corpus)
    if corpus.kind == "hub":
        return hub_rows(corpus), {"corpus": corpus.name, "revision": corpus.revision}
    from labelrisk.corpora.apidocs import apidocs_rows

    rows, origin = apidocs_rows()
    places = [f"apidocs, row {number}" for number in range(1, len(rows) + 1)]
    return rows.assign(split=None, where=places), {"corpus": "apidocs"} | origin
