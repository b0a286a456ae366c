"""A source built for one student from the files of the study, in this process or in another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.corpora.prepared import Prepared
from labelrisk.engines.machine import free_memory
from labelrisk.errors import LabelRiskError
from labelrisk.sources.building import build_source
from labelrisk.sources.built import BuiltSource
from labelrisk.sources.doubts import BY_REPAIR
from labelrisk.sources.material import Material, read_answers
from labelrisk.sources.source import Source
from labelrisk.vectors.vectors_file import dimensions_of, read_vectors

COPIES = 3  # of the vectors, that a repair holds at once: all rows, those with a label, and those of a fold


@dataclass(frozen=True)
class Inputs:
    """A source by its name and as it is written out, the seed of what is drawn, and where its material lies."""

    name: str
    source: Source
    seed: int
    candidate_mass: float
    prepared: Path
    labels: Path
    vectors: Path

    @property
    def computes(self) -> bool:
        """Whether classifiers are trained to build it."""
        select = self.source.select
        return self.source.repair is not None or (select is not None and select.by in BY_REPAIR)


class OneSeed(NamedTuple):
    """A source, and the student that it is built for."""

    source: str
    seed: int

    def __str__(self) -> str:
        return f"source {self.source}, seed {self.seed}"


def built_for(inputs: Inputs, student: OneSeed) -> BuiltSource:
    """The source of one student."""
    known = _for_all_seeds(inputs.prepared, inputs.labels, inputs.vectors, inputs.candidate_mass)
    return build_source(inputs.name, inputs.source, known, seed=inputs.seed, student=student.seed)


def read_material(prepared: Path, labels: Path, vectors: Path, candidate_mass: float) -> Material:
    """What sources are made of; answers and vectors are read where they are asked for.

    Raises LabelRiskError when `prepare` has not written the rows.
    """
    rows = Prepared(prepared)
    ids = {split: rows.split(split, ["id", "gold"]).astype({"gold": "category"}) for split in ("train", "validation")}

    @cache
    def answers(annotator: str, split: str) -> pd.DataFrame:
        return read_answers(labels / f"{annotator}.parquet", split, ids[split]["id"])

    @cache
    def of_train() -> NDArray[np.floating]:
        _refuse_too_many(len(ids["train"]), dimensions_of(vectors, "train"))
        return read_vectors(vectors, "train", ids["train"]["id"])

    return Material(ids["train"], ids["validation"], tuple(rows.classes), answers, of_train, candidate_mass)


_for_all_seeds = lru_cache(1)(read_material)  # of a process that builds for one after the other


def _refuse_too_many(rows: int, dimensions: int) -> None:
    needed, free = COPIES * rows * dimensions * 4, free_memory()
    if needed > free:
        raise LabelRiskError(
            f"the vectors of {rows:,} train rows, {dimensions} numbers each, take {needed / 1e9:.1f} GB while they "
            f"are worked on, and {free / 1e9:.1f} GB are free; lower prepare.train_rows, select by what needs no "
            "vectors (entropy, margin, flips), or use a machine with more memory"
        )
