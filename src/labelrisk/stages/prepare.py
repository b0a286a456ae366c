"""prepare: real texts, checked, de-duplicated, split and capped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelrisk.codebook import read_codebook
from labelrisk.corpora.kinds import RawCorpus
from labelrisk.corpora.prepared import SPLITS, write_prepared
from labelrisk.corpora.rows import checked_rows, without_duplicates
from labelrisk.corpora.splits import capped, check_classes, demonstration_pool, with_splits
from labelrisk.files import write_json
from labelrisk.params import Settings


def run(settings: Settings, out: Path, metrics: Path) -> None:
    """Write train, validation and test rows, those that prompts may show, the class order and the corpus's origin, and
    count what was left out.
    """
    labels = read_codebook(Path(settings.codebook)).names
    corpus: RawCorpus = settings.corpus
    raw, origin = corpus.rows()
    unique, dropped = without_duplicates(checked_rows(raw, labels))
    split = with_splits(unique, settings.prepare)
    check_classes(split, labels)
    rows = capped(split, settings.prepare)
    write_prepared(out, rows, demonstration_pool(split, settings.prepare), labels, origin)
    dropped = origin.get("dropped", {}) | dropped | {"over_the_cap": len(split) - len(rows)}
    counts: dict[str, Any] = {"read": len(rows) + sum(dropped.values()), "dropped": dropped}
    counts |= {name: int((rows["split"] == name).sum()) for name in SPLITS}
    counts["train_without_gold"] = int(((rows["split"] == "train") & rows["gold"].isna()).sum())
    write_json(counts, metrics)
