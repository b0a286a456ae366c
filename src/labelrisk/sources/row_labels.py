"""The label of each train row while a source is built: what it is, who gave it, and why it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.repairs.contract import Codes
from labelrisk.statistics.class_codes import NO_LABEL

GOLD = "gold"
Rows = Codes | NDArray[np.bool_] | slice


class Words:
    """A word for each row, (N,), None for none, of which there are few: numbers of two bytes."""

    def __init__(self, rows: int, word: str | None) -> None:
        self.names: list[str] = []
        self.codes = np.full(rows, self._code(word), dtype=np.int16)

    def put(self, rows: Rows, word: object) -> None:
        """One word at these rows, or an array of one for each, some of them missing."""
        if word is None or isinstance(word, str):
            self.codes[rows] = self._code(word)
            return
        of, names = pd.factorize(np.asarray(word, dtype=object))
        codes = np.array([*map(self._code, names), NO_LABEL], dtype=np.int16)
        self.codes[rows] = codes[of]

    def among(self, *words: str) -> NDArray[np.bool_]:
        """Which rows have one of these."""
        found: NDArray[np.bool_] = np.isin(self.codes, [self.names.index(word) for word in words if word in self.names])
        return found

    def words(self, rows: Rows) -> NDArray[np.object_]:
        """The words of some rows."""
        return np.array([*self.names, None], dtype=object)[self.codes[rows]]

    def _code(self, word: str | None) -> int:
        if word is None:
            return NO_LABEL
        if word not in self.names:
            self.names.append(word)
        return self.names.index(word)


class RowLabels:
    """Codes (N,), -1 for a row without a label, and for each its origin, its labeller and the reason, None for none."""

    def __init__(self, codes: Codes, origin: str, labeller: str) -> None:
        """Labels as somebody gave them."""
        self.codes = codes.copy()
        self.origins = Words(len(codes), origin)
        self.labellers = Words(len(codes), labeller)
        self.reasons = Words(len(codes), None)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which rows have a label."""
        return np.not_equal(self.codes, NO_LABEL)

    def give(self, rows: Codes, codes: Codes, origin: str, labeller: str, reason: str | None) -> None:
        """Put other labels at these positions.  codes: one for each position."""
        self.codes[rows] = codes
        self._note(rows, origin, labeller, reason)

    def take(self, rows: Rows, origin: str, reason: object) -> None:
        """Leave these positions without a label; reason: one for all, or an array of one for each."""
        self.codes[rows] = NO_LABEL
        self._note(rows, origin, None, reason)

    def _note(self, rows: Rows, origin: str, labeller: str | None, reason: object) -> None:
        self.origins.put(rows, origin)
        self.labellers.put(rows, labeller)
        self.reasons.put(rows, reason)

    def frame(self, rows: Rows, classes: Sequence[str]) -> pd.DataFrame:
        """`label, origin, labeller, why` of some rows."""
        names = np.array([*classes, None], dtype=object)
        words = {"origin": self.origins, "labeller": self.labellers, "why": self.reasons}
        return pd.DataFrame({"label": names[self.codes[rows]]} | {name: of.words(rows) for name, of in words.items()})

    def arrays(self, rows: slice, classes: Sequence[str]) -> dict[str, pa.Array]:
        """The same columns, as they are written."""
        found = {"label": _named(self.codes[rows], classes)}
        for name, of in (("origin", self.origins), ("labeller", self.labellers), ("why", self.reasons)):
            found[name] = _named(of.codes[rows], of.names)
        return found

    def kinds(self) -> Codes:
        """Positions of rows of which every other one has the same label, origin, labeller and reason as one."""
        codes: list[NDArray[Any]] = [self.codes, *(of.codes for of in (self.origins, self.labellers, self.reasons))]
        one = np.zeros(len(self.codes), dtype=np.int64)
        for more in codes:
            one = one * (int(more.max(initial=0)) + 2) + more + 1
        return np.sort(np.unique(one, return_index=True)[1])


def _named(codes: NDArray[np.integer], names: Sequence[str]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes == NO_LABEL))
