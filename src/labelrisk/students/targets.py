"""What rows are trained towards, as the training file tells it: labels, or distributions or sets of labels; weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.errors import LabelRiskError, nearest, shown, such_rows
from labelrisk.files import read_parquet

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OPTIONAL = ("soft", "candidates", "weight")
TOLERANCE = 1e-6  # by which a distribution's sum may miss 1
REMEDY = "remove the file and run `dvc repro`, which makes it"


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """Of N rows and K classes; at most one of soft and candidates is there, and takes the place of the codes.

    codes: (N,); soft: distributions, (N, K), each sums to 1; candidates: the plausible labels, (N, K), at least one
    each; weights: (N,), 0 or more, of mean 1.
    """

    codes: NDArray[np.integer[Any]]
    soft: Floats | None = None
    candidates: Flags | None = None
    weights: Floats | None = None


def labelled_rows(path: Path, content: bytes | None = None) -> pa.Table:
    """The rows of a training file that have a label: `id, text, label, split`, and what there is of OPTIONAL.

    content: its bytes, where the file is elsewhere.
    """
    rows = read_parquet(path, ["id", "text", "label", "split"], OPTIONAL, content)
    return rows.filter(rows["label"].is_valid())


def targets_of(rows: pa.Table, classes: Sequence[str], path: Path) -> Targets:
    """The targets of labelled rows: columns `id`, `label`, and what there is of OPTIONAL.

    A row without distribution or set is trained towards its label alone; weights are divided by their mean.
    Raises LabelRiskError, with `path` and the first row at fault, for what is no target.
    """
    codes = codes_of(rows, classes, path)
    found = [name for name in OPTIONAL if name in rows.column_names]
    if "soft" in found and "candidates" in found:
        raise LabelRiskError(
            f"{path} has both columns, 'soft' and 'candidates'; a student learns from one of them; {REMEDY}"
        )
    return Targets(
        codes=codes,
        soft=_soft(rows, codes, len(classes), path) if "soft" in found else None,
        candidates=_candidates(rows, codes, classes, path) if "candidates" in found else None,
        weights=_weights(rows, path) if "weight" in found else None,
    )


def codes_of(rows: pa.Table, classes: Sequence[str], path: Path) -> Codes:
    """The class codes of the column `label`."""
    code = {name: at for at, name in enumerate(classes)}
    labels = rows["label"].to_pylist()
    unknown = sorted(set(labels) - set(code))
    if unknown:
        raise LabelRiskError(f"{path}: '{unknown[0]}' is not among the labels; {nearest(unknown[0], classes)}")
    return np.array([code[label] for label in labels], dtype=np.int64)


def _soft(rows: pa.Table, codes: Codes, classes: int, path: Path) -> Floats:
    given, values = _lists(rows, "soft", classes, path, pa.float64())
    _refuse(~np.isfinite(values).all(1), rows.filter(given), path, "'soft' has no number for some label")
    _refuse(values.min(axis=1) < 0, rows.filter(given), path, "'soft' has a probability below 0")
    sums = values.sum(1)
    _refuse(np.abs(sums - 1) > TOLERANCE, rows.filter(given), path, "the probabilities in 'soft' don't sum to 1")
    soft = np.eye(classes)[codes]
    soft[given] = values
    return soft


def _candidates(rows: pa.Table, codes: Codes, classes: Sequence[str], path: Path) -> Flags:
    given, values = _lists(rows, "candidates", len(classes), path, pa.bool_())
    some = rows.filter(given)
    _refuse(values.sum(axis=1) == 0, some, path, "no label is plausible in 'candidates'")
    _refuse(~values[np.arange(len(values)), codes[given]], some, path, "'candidates' leaves out the row's own label")
    sets = np.eye(len(classes), dtype=np.bool_)[codes]
    sets[given] = values
    return sets


def _weights(rows: pa.Table, path: Path) -> Floats:
    if not (pa.types.is_floating(rows.schema.field("weight").type) or pa.types.is_integer(rows["weight"].type)):
        raise LabelRiskError(f"{path}: its column 'weight' holds {rows['weight'].type}, not numbers; {REMEDY}")
    weights: Floats = rows["weight"].cast(pa.float64()).to_numpy()
    _refuse(~np.isfinite(weights), rows, path, "'weight' is no number")
    _refuse(weights < 0, rows, path, "'weight' is below 0")
    if not weights.any() and len(weights):
        raise LabelRiskError(f"{path}: all weights are 0, so that nothing would be learned; {REMEDY}")
    return weights / weights.mean() if len(weights) else weights


def _lists(rows: pa.Table, column: str, classes: int, path: Path, kind: pa.DataType) -> tuple[Flags, NDArray[Any]]:
    """Which rows have a list, (N,), and the lists of these, one below the other; an absent item is NaN, or False."""
    type_ = rows[column].type
    same = pa.types.is_boolean if kind == pa.bool_() else pa.types.is_floating
    if not (pa.types.is_list(type_) and same(type_.value_type)):
        raise LabelRiskError(f"{path}: its column '{column}' holds {type_}, not a list of {kind} in each row; {REMEDY}")
    given: Flags = pc.is_valid(rows[column]).to_numpy()
    lists = rows[column].filter(given).combine_chunks()
    lengths = pc.list_value_length(lists).to_numpy()
    _refuse(lengths != classes, rows.filter(given), path, f"'{column}' is not one value for each of {classes} labels")
    values = pc.fill_null(lists.flatten().cast(kind), False if kind == pa.bool_() else float("nan"))
    return given, values.to_numpy(zero_copy_only=False).reshape(-1, classes)


def _refuse(faulty: Flags, rows: pa.Table, path: Path, what: str) -> None:
    """Raise LabelRiskError where a row is at fault."""
    if faulty.any():
        first = shown(rows["id"][int(np.flatnonzero(faulty)[0])].as_py())
        raise LabelRiskError(f"{path}, row '{first}': {what} {such_rows(int(faulty.sum()))}; {REMEDY}")
