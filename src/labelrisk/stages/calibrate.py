"""calibrate: what is learned of each classifier on validation rows, so that it can be applied to other texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.classifiers.calibration import Calibration, Form, digest, write_calibration, write_texts
from labelrisk.classifiers.folders import read_form, student_of
from labelrisk.classifiers.learned import fitted_temperature, in_half, kept_rows, measured, thresholds
from labelrisk.comparison.gold_rows import GoldRows, read_gold_rows
from labelrisk.comparison.runs import ReadRun, runs_of
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.sources.learning import at_temperature
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.unlikeness import distances
from labelrisk.statistics.votes import mean_probabilities
from labelrisk.vectors.vectors_file import read_vectors


def run(
    settings: Settings, prepared: Path, vectors: Path, runs: Path, distilled: Path, classifiers: Path, out: Path
) -> None:
    """Write the calibration of `chosen` and `distilled`, and vectors of train texts, into one folder.

    runs, distilled: the students' predictions of validation and test rows.  Gold of test rows chooses and fits nothing:
    it measures how often sets hold gold, and lets class shares of other texts be estimated.
    """
    rows, how = Prepared(prepared), settings.calibrate
    train, validation = (rows.split(name, ["id"])["id"] for name in ("train", "validation"))
    texts = in_half(read_vectors(vectors, "train", train.iloc[kept_rows(len(train), how)]))
    of_validation = read_vectors(vectors, "validation", validation)
    known = {name: read_gold_rows(rows, name) for name in ("validation", "test")}
    with written_aside(out) as folder:
        folder.mkdir()
        write_texts(texts, folder)
        for name, read in (("chosen", runs_of(runs)), ("distilled", runs_of(distilled))):
            form = read_form(classifiers / name)
            said = {split: _said(read, form.members, split, of) for split, of in known.items()}
            heat = fitted_temperature(*said["validation"], how.validation_rows)
            of_sets = measured(thresholds(*said["validation"], how.risk), *said["test"], settings.evaluate.confidence)
            content = Form(
                classifier=digest(classifiers / name),
                classes=form.classes,
                confidence=settings.evaluate.confidence,
                temperature=heat,
                validation_rows=len(said["validation"][1]),
                sets=of_sets,
                embed=settings.embed,
                neighbours=how.neighbours,
                unlike=how.unlike,
            )
            on_test, gold = said["test"]
            far = np.sort(distances(of_validation, texts, how.neighbours))
            found = Calibration(content, far, texts, at_temperature(on_test, heat), gold)
            write_calibration(found, folder / f"{name}.json")


def _said(read: ReadRun, members: Sequence[str], split: str, of: GoldRows) -> tuple[Floats, NDArray[np.int64]]:
    """The mean probabilities of the rows that all members predicted, and their gold."""
    stacked = np.stack([read(*student_of(member)).of_split(split, pd.Index(of.ids)) for member in members])
    told = ~np.isnan(stacked).any(axis=(0, 2))
    return mean_probabilities(stacked[:, told]), of.gold[told].astype(np.int64)
