"""What students said of edited test texts, which the stage `perturb` wrote: as a frame, and as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.edits.variants import CHAIN, UNEDITED
from labelrisk.files import read_frame
from labelrisk.statistics.class_codes import codes_of
from labelrisk.statistics.scores import Codes

if TYPE_CHECKING:
    from labelrisk.explanations.evidence import Evidence

COLUMNS = ["id", "source", "seed", "edit", "changed", "read", "cut", "label"]
NAMED = ["id", "source", "edit", "label"]  # of which there are few different ones
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class EditedTexts(ReadOnlyArrays):
    """N rows in V variants: their names in the order of the file, chains by their number of edits.

    edits: the places of single edits among the variants, by name; chains: those of chains, the shortest first.
    unedited (R, N) and edited (R, V, N): codes by source.  changed, read, cut (V, N): whether the edit changed the text
    (of a chain, its last edit), whether students then read other tokens, and whether the text lost its end.
    """

    gold: Codes
    edits: dict[str, int]
    chains: list[int]
    unedited: dict[str, Codes]
    edited: dict[str, Codes]
    changed: Flags
    read: Flags
    cut: Flags

    @property
    def rows(self) -> int:
        """How many rows were edited."""
        return len(self.gold)

    @property
    def seeds(self) -> int:
        """How many students of a source read them."""
        return len(next(iter(self.unedited.values())))


def read_edited(path: Path) -> pd.DataFrame | None:
    """The frame that `perturb` wrote, COLUMNS; None where no row was edited.  Raises LabelRiskError for a damaged one.

    A label is that of one variant, of one row, by the student of one source and seed.
    """
    found = read_frame(path, COLUMNS)
    return found.astype(dict.fromkeys(NAMED, "category")) if len(found) else None


def edited_texts(evidence: Evidence) -> EditedTexts | None:
    """As arrays, of the sources in the study's order; None where fewer than two rows were edited, or nothing was."""
    frame = evidence.edited
    if frame is None or frame["id"].nunique() < 2 or frame["edit"].nunique() < 2:
        return None
    study = evidence.study
    ids, sources, seeds, names = (pd.Index(frame[column].unique()) for column in ("id", "source", "seed", "edit"))
    shape = (len(sources), len(seeds), len(names), len(ids))
    places = tuple(
        index.get_indexer(frame[column])
        for index, column in ((sources, "source"), (seeds, "seed"), (names, "edit"), (ids, "id"))
    )
    kinds = frame["label"].astype("category")
    codes = np.empty(shape, dtype=np.int64)
    codes[places] = codes_of(pd.Series(kinds.cat.categories), study.classes)[kinds.cat.codes]
    flags = {column: _of_variants(frame, column, places, shape) for column in ("changed", "read", "cut")}
    others = [place for place, name in enumerate(names) if name != UNEDITED]
    at = {str(names[place]): number for number, place in enumerate(others)}
    of_source = {name: codes[sources.get_loc(name)] for name in study.students if name in sources}
    return EditedTexts(
        gold=study.test.gold[study.test.ids.get_indexer(ids)],
        edits={name: place for name, place in at.items() if not name.startswith(CHAIN)},
        chains=[at[name] for name in sorted((name for name in at if name.startswith(CHAIN)), key=_length)],
        unedited={name: of[:, names.get_loc(UNEDITED)] for name, of in of_source.items()},
        edited={name: of[:, others] for name, of in of_source.items()},
        **{column: of[others] for column, of in flags.items()},
    )


def _length(chain: str) -> int:
    return int(chain.removeprefix(CHAIN))


def _of_variants(frame: pd.DataFrame, column: str, places: tuple[Any, ...], shape: tuple[int, ...]) -> Flags:
    """A column that is the same for all students, (V, N)."""
    found = np.zeros(shape[2:], dtype=bool)
    found[places[2], places[3]] = frame[column]
    return found
