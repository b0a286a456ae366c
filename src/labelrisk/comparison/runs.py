"""The predictions of the declared runs (source x seed): read one at a time, kept as one file, and as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.errors import LabelRiskError
from labelrisk.files import read_parquet, undamaged

COLUMNS = ["id", "split", "probabilities"]
RUNS, HISTORY = "runs.parquet", "history.parquet"  # of students of fewer rows, in the folder of their size and source
Probabilities = NDArray[np.float32]


class Run(NamedTuple):
    """What one student says: ids, splits and class probabilities (M, K) of its rows."""

    ids: pd.Index[Any]
    splits: NDArray[np.object_]
    probabilities: Probabilities

    def of_split(self, split: str, ids: pd.Index[Any]) -> Probabilities:
        """The rows `ids` of a split, (N, K), in that order; nan for a row that is not among them."""
        here = self.splits == split
        places = self.ids[here].get_indexer(ids)
        found: Probabilities = self.probabilities[here][places]  # -1 takes the last row, which the next line takes back
        found[places < 0] = np.nan
        return found


ReadRun = Callable[[str, int], Run]  # by source and seed


def runs_in(predictions: Path) -> ReadRun:
    """How runs are read of the folder that the stage train writes: `<source>/<seed>.parquet`.

    The function raises LabelRiskError where a run is missing or damaged.
    """
    return partial(_run_in, predictions)


def _run_in(predictions: Path, source: str, seed: int) -> Run:
    path = predictions / source / f"{seed}.parquet"
    if not path.exists():
        raise LabelRiskError(f"{path}: source '{source}' has no predictions for seed {seed}; run `dvc repro`.")
    return read_run(path)


def read_run(path: Path) -> Run:
    """The predictions of one student.  Raises LabelRiskError where they are damaged."""
    rows = read_parquet(path, COLUMNS)
    ids, splits = pd.Index(rows["id"].to_pandas()), rows["split"].to_pandas().to_numpy(dtype=object)
    probabilities = _distributions(rows["probabilities"])
    if probabilities is None or pd.MultiIndex.from_arrays([ids, splits]).has_duplicates:
        raise LabelRiskError(
            f"{path} is damaged (a row twice, or probabilities that are none); remove it and run `dvc repro`, "
            "which makes it"
        )
    return Run(ids, splits, probabilities)


def _distributions(column: pa.ChunkedArray) -> Probabilities | None:
    """As an array (M, K); None where rows have unequal lengths, or numbers are not from 0 to 1."""
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    numbers = pc.list_flatten(column)
    if len(lengths) != 1 or not lengths[0] or numbers.null_count:
        return None
    values = numbers.to_numpy().astype(np.float32)
    return values.reshape(-1, lengths[0]) if ((values >= 0) & (values <= 1)).all() else None


def write_runs(path: Path, read: ReadRun, sources: Sequence[str], seeds: Sequence[int]) -> None:
    """Write all runs as one file: id, source, seed, split, probabilities; a run is a row group, one held at a time."""
    kinds = [("id", pa.string()), ("source", pa.string()), ("seed", pa.int64()), ("split", pa.string())]
    schema = pa.schema([*kinds, ("probabilities", pa.list_(pa.float32()))])
    with pq.ParquetWriter(path, schema) as file:
        for source in sources:
            for seed in seeds:
                run = read(source, seed)
                rows, classes = run.probabilities.shape
                starts = pa.array(np.arange(0, classes * rows + 1, classes, dtype=np.int32))
                lists = pa.ListArray.from_arrays(starts, pa.array(run.probabilities.reshape(-1)))
                columns = [pa.array(run.ids, pa.string()), pa.array([source] * rows), pa.array([seed] * rows)]
                table = pa.table([*columns, pa.array(run.splits, pa.string()), lists], schema=schema)
                file.write_table(table, row_group_size=max(rows, 1))


def runs_of(path: Path) -> ReadRun:
    """How runs are read of the file that write_runs wrote.

    Raises LabelRiskError for a damaged one, or one of other runs.
    """
    groups: dict[tuple[str, int], int] = {}
    with undamaged(path):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            first = file.read_row_group(group, ["source", "seed"]).slice(0, 1).to_pylist()
            groups |= {(row["source"], row["seed"]): group for row in first}

    def read(source: str, seed: int) -> Run:
        if (source, seed) not in groups:
            raise LabelRiskError(f"{path} holds no predictions of source '{source}' for seed {seed}; run `dvc repro`")
        with undamaged(path):
            rows = file.read_row_group(groups[source, seed], COLUMNS)
        probabilities = _distributions(rows["probabilities"])
        assert probabilities is not None
        splits = rows["split"].to_pandas().to_numpy(dtype=object)
        return Run(pd.Index(rows["id"].to_pandas()), splits, probabilities)

    return read


def stacked_probabilities(
    runs: Sequence[Run], source: str, seeds: Sequence[int], split: str, ids: pd.Index[Any]
) -> Probabilities:
    """The runs of one source on the rows `ids` of a split, in that order: shape (R, N, K).

    Raises LabelRiskError where a run lacks one of the rows: scores are always on the same rows.
    """
    stacked = [run.of_split(split, ids) for run in runs]
    for seed, found in zip(seeds, stacked, strict=True):
        lacking = ids[np.flatnonzero(np.isnan(found).any(axis=-1))]
        if len(lacking):
            raise LabelRiskError(
                f"Source '{source}', seed {seed}: no prediction for {len(lacking)} {split} rows "
                f"(the first is {lacking[0]}); run `dvc repro` again."
            )
    return np.stack(stacked)
