"""baseline: a cheap classifier, trained on the gold labels of the train rows, on the test rows."""

from __future__ import annotations

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


def run(settings: Settings, kind: str, prepared: Path, out: Path) -> None:
    """Write `id, label` of the test rows.  Train rows without gold are left out; validation rows choose the penalty."""
    rows = Prepared(prepared)
    train, validation, test = rows.split("train").dropna(subset="gold"), rows.split("validation"), rows.split("test")
    others = [validation["text"].tolist(), test["text"].tolist()]
    features = FEATURES[cast(BaselineKind, kind)](train["text"].tolist(), others)
    of_train, of_validation = (codes_of(of["gold"], rows.classes) for of in (train, validation))
    codes = predicted(features, of_train, of_validation, len(rows.classes))
    labels = np.array(rows.classes, dtype=object)[codes]
    write_parquet(pd.DataFrame({"id": test["id"], "label": labels}), out)
