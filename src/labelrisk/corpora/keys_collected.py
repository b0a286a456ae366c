"""Keys of a corpus that grow while its rows pass: labels and slices become codes, each name once in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.corpora.keys import ANY, Codes, Identities, Keys, Places
from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.raw_rows import Mistake, RawRows, plain
from labelrisk.corpora.tables import label_name, spellings
from labelrisk.statistics.class_codes import NO_LABEL


class CollectedKeys:
    """Rows are added some at a time; labels: of the codebook."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels, self._spelled = labels, spellings(labels)
        self._codes = {label: code for code, label in enumerate(labels)}
        self._slices: dict[str, dict[str, int]] = {}
        self._arrays: dict[str, list[NDArray[Any]]] = {}
        self._of: list[str] = []
        self._starts: list[int] = []
        self._rows = 0

    def golds_of(self, raw: RawRows, unknown: Mistake) -> Codes:
        """Codes of the gold labels; names that the codebook does not have are added to the mistake."""
        names, of = _distinct(raw.golds, self._spelled)
        codes = np.array([NO_LABEL if name is None else self._codes.get(name, -2) for name in names], dtype=np.int32)
        golds = codes[of]
        if (odd := np.flatnonzero(golds == -2)).size:
            unknown.add(raw, odd, _Taken(names, of))
        return golds

    def splits_of(self, raw: RawRows) -> NDArray[np.int8]:
        """Places of the rows' splits in SPLITS, ANY where they have none."""
        if raw.splits is None:
            return np.full(len(raw.numbers), ANY, dtype=np.int8)
        return np.array([ANY if name is None else SPLITS.index(name) for name in plain(raw.splits)], dtype=np.int8)

    def add(self, raw: RawRows, ids: Identities, golds: Codes, splits: NDArray[np.int8]) -> None:
        """Some rows more."""
        if not self._of or self._of[-1] != raw.of:
            self._of.append(raw.of)
            self._starts.append(self._rows)
        arrays: dict[str, NDArray[Any]] = {"ids": ids, "golds": golds, "splits": splits, "numbers": raw.numbers}
        for column, values in raw.slices.items():
            names, of = _distinct(values, {})
            known = self._slices.setdefault(column, {})
            codes = [NO_LABEL if name is None else known.setdefault(name, len(known)) for name in names]
            arrays[f"slice {column}"] = np.array(codes, dtype=np.int32)[of]
        for name, array in arrays.items():
            self._arrays.setdefault(name, []).append(array)
        self._rows += len(ids)

    def keys(self) -> Keys:
        """All rows that were added, which are given away."""
        arrays = {name: np.concatenate(self._arrays.pop(name)) for name in list(self._arrays)}
        return Keys(
            rows=np.arange(self._rows),
            ids=arrays["ids"],
            golds=arrays["golds"],
            splits=arrays["splits"],
            labels=self._labels,
            slices={name: (arrays[f"slice {name}"], list(known)) for name, known in self._slices.items()},
            places=Places(self._of, np.array(self._starts), arrays["numbers"]),
        )


class _Taken(Sequence[Any]):
    """names[of], of which hardly one is looked at."""

    def __init__(self, names: Sequence[Any], of: NDArray[np.int64]) -> None:
        self._names, self._of = names, of

    def __getitem__(self, row: Any) -> Any:
        return self._names[self._of[row]]

    def __len__(self) -> int:
        return len(self._of)


def _distinct(values: Any, spelled: dict[str, str]) -> tuple[list[str | None], NDArray[np.int64]]:
    """The distinct values as label names (see label_name), and which one each value is."""
    if isinstance(values, list):
        seen: dict[tuple[type, str], int] = {}
        of = np.array([seen.setdefault((type(value), repr(value)), len(seen)) for value in values], dtype=np.int64)
        firsts = dict(zip(of[::-1].tolist(), reversed(values), strict=True))
        return [label_name(firsts[place], spelled) for place in range(len(seen))], of
    encoded = values.dictionary_encode(null_encoding="encode")
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    names = [label_name(value, spelled) for value in encoded.dictionary.to_pylist()]
    return names, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
