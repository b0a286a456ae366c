"""Students of fewer train rows than all, which the stage `curve` writes: what learning curves are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.runs import HISTORY, RUNS, runs_of, stacked_probabilities
from labelrisk.comparison.study import Study
from labelrisk.comparison.training_length import curve_of
from labelrisk.files import read_frame
from labelrisk.statistics.convergence import Curve
from labelrisk.statistics.scores import Codes, Counts, confusion


@dataclass(frozen=True, eq=False, kw_only=True)
class SmallerRuns(ReadOnlyArrays):
    """The students of a source on its first `rows` train rows, one a seed.

    predictions (R, N) of the test rows, their confusion counts (R, K, K + 1), and how they were trained: curves, and
    the entropy of their labels in nats, in the order of seeds.
    """

    source: str
    rows: int
    predictions: Codes
    counts: Counts
    curves: tuple[Curve, ...]
    entropies: tuple[float, ...]

    def on(self, rows: NDArray[np.int64], gold: Codes) -> SmallerRuns:
        """The same with some of the test rows alone, by their positions; gold: of these."""
        predictions = self.predictions[:, rows]
        return replace(self, predictions=predictions, counts=counts_of(gold, predictions, self.counts.shape[1]))


def counts_of(gold: Codes, predictions: Codes, classes: int) -> Counts:
    """Confusion counts of each run."""
    return np.stack([confusion(gold, run, classes) for run in predictions])


def load_smaller_runs(study: Study, runs: Path) -> tuple[SmallerRuns, ...]:
    """Those of all declared sizes and sources, the smallest first; a source without so many rows has none.

    runs: the folder in which each has its own, `<rows>/<source>`.  Raises LabelRiskError for a damaged file.
    """
    how = study.settings.curve
    found = [_loaded(study, runs, rows, source) for rows in sorted(how.sizes) for source in how.sources]
    return tuple(one for one in found if one is not None)


def _loaded(study: Study, runs: Path, rows: int, source: str) -> SmallerRuns | None:
    folder = runs / str(rows) / source
    history = read_frame(folder / HISTORY, ["seed", "step", "loss", "validation_macro_f1", "entropy"])
    seeds = list(dict.fromkeys(history["seed"].tolist()))
    if not seeds:
        return None
    read = runs_of(folder / RUNS)
    said = [
        stacked_probabilities([read(source, seed)], source, [seed], "test", study.test.ids)[0].argmax(axis=1)
        for seed in seeds
    ]
    predictions = np.stack(said).astype(np.int16)  # probabilities of all sizes together would be gigabytes
    by_seed = [of for _, of in history.groupby("seed", sort=False)]
    return SmallerRuns(
        source=source,
        rows=rows,
        predictions=predictions,
        counts=counts_of(study.test.gold, predictions, len(study.classes)),
        curves=tuple(curve_of(of) for of in by_seed),
        entropies=tuple(float(of["entropy"].iloc[0]) for of in by_seed),
    )
