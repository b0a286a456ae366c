"""What was learned of a classifier on rows that it did not learn from: one JSON file, and arrays beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labelrisk.errors import LabelRiskError
from labelrisk.files import undamaged, write_json
from labelrisk.settings.embed import EmbedSettings
from labelrisk.settings.section import Count, Section, Share, read_typed
from labelrisk.statistics.scores import Codes, Floats

FOLDER = "calibration"  # beside the folders of classifiers
TEXTS = "texts.safetensors"  # vectors of train texts, for all classifiers of a study
BLOCK = 2**20
Fraction = Annotated[float, Field(ge=0, le=1)]


class Coverage(Section):
    """How often the sets of test rows hold gold, with an interval: a measurement, from which nothing is chosen."""

    rows: Count
    share: Fraction
    low: Fraction
    high: Fraction


class Thresholds(Section):
    """Scores (1 - probability, as the students say it) up to which a class is in a set; None: it is in every set."""

    risk: Share
    validation_rows: int
    all_rows: float | None
    each_class: tuple[float | None, ...]
    on_test: Coverage | None


class Form(Section):
    """The JSON file.

    classifier: the digest of its folder; temperature: 1 where validation_rows were too few for another; confidence: of
    intervals; embed: the encoder of the vectors; neighbours, unlike: see statistics.unlikeness.
    """

    classifier: str
    classes: tuple[str, ...]
    confidence: Fraction
    temperature: Annotated[float, Field(gt=0)]
    validation_rows: int
    sets: Thresholds
    embed: EmbedSettings
    neighbours: Count
    unlike: Share


class Calibration(NamedTuple):
    """All of it.  distances (V,): of validation texts to train texts, whose vectors are texts (T, D).

    known (n, K), gold (n,): tempered probabilities and gold of the test rows, to estimate class shares alone.
    """

    form: Form
    distances: NDArray[np.float32]
    texts: NDArray[np.float32]
    known: Floats
    gold: Codes


def digest(folder: Path) -> str:
    """Of all that a classifier's folder holds, whatever it is called: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            of_file = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    of_file.update(block)
            found.update(f"{path.relative_to(folder).as_posix()}\n{of_file.hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def place_of(classifier: Path) -> Path:
    """Where the calibration of a classifier is looked for: `../calibration/NAME.json`."""
    absolute = classifier.absolute()
    return absolute.parent / FOLDER / f"{absolute.name}.json"


def write_calibration(found: Calibration, path: Path) -> None:
    """Write the JSON file and what is of this classifier alone into a folder."""
    from safetensors.numpy import save_file

    write_json(found.form.model_dump(), path)
    arrays = {
        "distances": found.distances.astype(np.float32),
        "test_probabilities": found.known.astype(np.float32),
        "test_gold": found.gold.astype(np.int32),
    }
    save_file(arrays, path.with_suffix(".safetensors"))


def write_texts(vectors: NDArray[np.float32], folder: Path) -> None:
    """Write the vectors of train texts (T, D) in half precision."""
    from safetensors.numpy import save_file

    save_file({"vectors": vectors.astype(np.float16)}, folder / TEXTS)


def read_calibration(path: Path, classifier: str) -> Calibration:
    """Read what the stage calibrate wrote; classifier: the digest of the one that is applied.

    Raises LabelRiskError where it is not there, damaged, or that of another classifier.
    """
    from safetensors.numpy import load_file

    advice = "run `dvc repro calibrate`, name the file by --calibration, or give --uncalibrated"
    form = read_typed(path, Form, advice)
    if form.classifier != classifier:
        raise LabelRiskError(f"{path} is the calibration of another classifier than the one that is applied; {advice}")
    arrays = []
    for file in (path.with_suffix(".safetensors"), path.with_name(TEXTS)):
        if not file.is_file():
            raise LabelRiskError(f"{file} is not there, which belongs to {path.name}; {advice}")
        with undamaged(file):
            try:
                arrays.append(load_file(file))
            except Exception as error:  # safetensors raises one of its own
                raise ValueError(str(error)) from None
    own, texts = arrays
    return Calibration(
        form,
        own["distances"],
        texts["vectors"].astype(np.float32),
        own["test_probabilities"].astype(np.float64),
        own["test_gold"].astype(np.int64),
    )
