"""baseline: a cheap classifier, trained on the gold labels of the train rows, on the test rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from labelrisk.baselines.head import predicted
from labelrisk.baselines.kinds import FEATURES
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_parquet
from labelrisk.params import Settings
from labelrisk.settings.baseline import BaselineKind
from labelrisk.statistics.class_codes import codes_of


def run(settings: Settings, kind: str, prepared: Path, vectors: Path, out: Path) -> None:
    """Write `id, label` of the test rows.  Train rows without gold are left out; validation rows choose the penalty.

    vectors: the folder with the sentence vectors, which one kind reads.

    Where train has gold of fewer than two classes there is nothing to learn, and no row gets a label.
    """
    rows = Prepared(prepared)
    train, validation, test = rows.with_gold("train"), rows.split("validation"), rows.split("test")
    if train["gold"].nunique() < 2:
        print(f"baseline {kind}: train has no two classes with gold, so that no row gets a label", file=sys.stderr)
        write_parquet(pd.DataFrame({"id": test["id"], "label": pd.Series(None, index=test.index, dtype=object)}), out)
        return
    splits = {"train": train, "validation": validation, "test": test}
    features = FEATURES[cast(BaselineKind, kind)](splits, vectors)
    of_train, of_validation = (codes_of(of["gold"], rows.classes) for of in (train, validation))
    codes = predicted(features, of_train, of_validation, len(rows.classes))
    labels = np.array(rows.classes, dtype=object)[codes]
    write_parquet(pd.DataFrame({"id": test["id"], "label": labels}), out)
