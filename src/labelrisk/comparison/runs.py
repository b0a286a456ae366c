"""The declared runs (source x seed) as one frame, as arrays, and their training curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.errors import LabelRiskError

LOSS, VALIDATION = "loss", "validation_macro_f1"  # what training.py logs as loss and validation/macro_f1
COLUMNS = ["id", "source", "seed", "split", "probabilities"]


def read_runs(predictions: Path, sources: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Read `<predictions>/<source>/<seed>.parquet` of all declared runs, in declared order.

    Returns the columns id, source, seed, split, probabilities (list of K floats in class order). Undeclared files
    are not looked at. Raises LabelRiskError where a declared run is missing.
    """
    frames = []
    for source in sources:
        for seed in seeds:
            path = predictions / source / f"{seed}.parquet"
            if not path.exists():
                raise LabelRiskError(f"{path}: source '{source}' has no predictions for seed {seed}; run `dvc repro`.")
            frames.append(pd.read_parquet(path).assign(source=source, seed=seed))
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def probabilities(runs: pd.DataFrame, source: str, split: str, ids: pd.Series[Any]) -> NDArray[np.float32]:
    """Stack the runs of one source on the rows `ids`, in that order: shape (R, N, K), runs in the frame's order.

    Raises LabelRiskError where a run lacks one of the rows: scores are always on the same rows.
    """
    selected = runs[(runs["source"] == source) & (runs["split"] == split)]
    stacked = []
    for seed, run in selected.groupby("seed", sort=False):
        places = pd.Index(run["id"]).get_indexer(pd.Index(ids))
        if (places < 0).any():
            lacking = ids.to_numpy()[places < 0]
            raise LabelRiskError(
                f"Source '{source}', seed {seed}: no prediction for {len(lacking)} {split} rows "
                f"(the first is {lacking[0]}); run `dvc repro` again."
            )
        stacked.append(np.vstack(run["probabilities"].to_numpy()[places]))
    return np.stack(stacked).astype(np.float32)


def codes(labels: pd.Series[Any], classes: Sequence[str]) -> NDArray[np.int64]:
    """Class codes in class order of label names, -1 for a missing label."""
    return pd.Index(classes).get_indexer(pd.Index(labels.astype(object))).astype(np.int64)


def read_curves(logs: Path, sources: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Read what the declared runs logged at each step: columns source, seed, step and one per metric (nan: not logged).

    A dvclive folder `<logs>/<source>/<seed>` has one file per metric, `plots/metrics/<group>/<name>.tsv`, with the
    columns step and <name>; the metric's column here is <group>_<name>.
    """
    frames = [pd.DataFrame({"source": [], "seed": [], "step": []})]
    for source in sources:
        for seed in seeds:
            folder = logs / source / str(seed) / "plots" / "metrics"
            series = []
            for path in sorted(folder.rglob("*.tsv")):
                metric = "_".join(path.relative_to(folder).with_suffix("").parts)
                series.append(pd.read_csv(path, sep="\t").set_index("step")[path.stem].rename(metric))
            if series:
                run = pd.concat(series, axis=1).sort_index().reset_index()
                frames.append(run.assign(source=source, seed=seed))
    curves = pd.concat(frames, ignore_index=True).astype({"seed": int, "step": int})
    keys = ["source", "seed", "step"]
    return curves[keys + sorted(column for column in curves.columns if column not in keys)]


def curves_by_epoch(curves: pd.DataFrame) -> pd.DataFrame:
    """Thin the frame of read_curves to the steps that have a validation score: source, seed, step, loss, validation.

    The loss is the mean of what was logged since the last such step, so that no cell is empty: `dvc plots` would draw
    an empty cell as 0.
    """
    is_scored = curves[VALIDATION].notna()
    epoch = is_scored.groupby([curves["source"], curves["seed"]]).transform(
        lambda scored: scored.shift(fill_value=False).cumsum()
    )
    keys = [curves["source"], curves["seed"], epoch.rename("epoch")]
    thinned = curves.groupby(keys, sort=False).agg({"step": "last", LOSS: "mean", VALIDATION: "last"})
    return thinned.dropna(subset=VALIDATION).reset_index().drop(columns="epoch")
