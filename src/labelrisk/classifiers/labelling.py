"""Texts of any kind as labels: what students say of each, how far it is from what they learned, or why nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.classifiers.calibration import Calibration
from labelrisk.classifiers.learned import sets_of
from labelrisk.corpora.rows import is_blank
from labelrisk.sources.learning import at_temperature
from labelrisk.statistics.unlikeness import distances, farthest_alike

if TYPE_CHECKING:
    from labelrisk.classifiers.voting import Classifier
    from labelrisk.vectors.encoder import Encoder

MISSING, BLANK, NO_TEXT = "missing text", "blank text", "no text"  # reasons for which there is no label
LABEL, CONFIDENCE, SET, DISTANCE, UNLIKE, REASON = ("label", "confidence", "set", "distance", "unlike", "reason")
PROBABILITY = "p_"  # before the name of a class
DIGITS = 6  # of numbers in text files: float32 has no more


class Said(NamedTuple):
    """Of N texts: probabilities (N, K) as the students say them, nan without a label; full: as many tokens as are read,
    or more; distances (N,) to train texts, nan where none was measured; reasons (N,), None where there is a label.
    """

    probabilities: NDArray[np.float32]
    full: NDArray[np.bool_]
    distances: NDArray[np.float32]
    reasons: list[str | None]


def reason_of(text: object) -> str | None:
    """Why something can't be labelled; None for a text."""
    if text is None or text != text:  # nan
        return MISSING
    if not isinstance(text, str):
        return NO_TEXT
    return BLANK if is_blank(text) else None


def say(
    classifier: Classifier,
    encoder: Encoder | None,
    calibration: Calibration | None,
    texts: Sequence[object],
    done: Callable[[int], object] = lambda texts: None,
) -> Said:
    """Read texts, each once.  encoder: None for no distances; done: called with how many more a model has read."""
    reasons = [reason_of(text) for text in texts]
    places: dict[str, int] = {}
    rows = [
        places.setdefault(whole_text(str(text)), len(places)) for text, no in zip(texts, reasons, strict=True) if not no
    ]
    known, told = np.array([no is None for no in reasons], dtype=bool), list(places)
    found = Said(
        np.full((len(texts), len(classifier.classes)), np.nan, np.float32),
        np.zeros(len(texts), dtype=bool),
        np.full(len(texts), np.nan, np.float32),
        reasons,
    )
    if not told:
        return found
    reading = classifier.read(told, done)
    found.probabilities[known], found.full[known] = reading.probabilities[rows], reading.full[rows]
    if encoder is not None and calibration is not None:
        far = distances(encoder.encode(told), calibration.texts, calibration.form.neighbours)
        found.distances[known] = far[rows]
        done(len(told))
    return found


def whole_text(text: str) -> str:
    """The text; halves of characters, which JSON may hold but no tokenizer takes, as the sign of what can't be read."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def tempered(said: Said, calibration: Calibration | None) -> NDArray[np.float32]:
    """Calibrated probabilities (N, K), or as they are where there is no calibration; nan without a label."""
    if calibration is None:
        return said.probabilities
    return at_temperature(said.probabilities.astype(np.float64), calibration.form.temperature).astype(np.float32)


def unlike_rows(said: Said, calibration: Calibration) -> NDArray[np.bool_]:
    """Which texts are farther from the train texts than nearly all validation texts are, (N,)."""
    bound = farthest_alike(calibration.distances.astype(np.float64), calibration.form.unlike)
    with np.errstate(invalid="ignore"):
        return np.asarray(said.distances > bound)


def columns_of(
    said: Said,
    classes: Sequence[str],
    calibration: Calibration | None,
    *,
    by_class: bool = False,
    distance: bool = True,
) -> dict[str, pa.Array]:
    """What is written of texts, by the name of its column.  Without a calibration no confidence, set or distance.

    by_class: sets by the thresholds of each class; distance: whether these were measured.
    """
    given = tempered(said, calibration)
    known = ~np.isnan(given[:, 0])
    best = np.where(known, np.nan_to_num(given).argmax(axis=1), 0)
    names = pa.array(list(classes), pa.string())
    found = {LABEL: names.take(pa.array(best, mask=~known))}
    if calibration is not None:
        found[CONFIDENCE] = pa.array(np.nan_to_num(given)[np.arange(len(given)), best], mask=~known)
        found[SET] = _lists(
            sets_of(np.nan_to_num(said.probabilities), calibration.form.sets, by_class=by_class), names, known
        )
    for code, name in enumerate(classes):
        found[f"{PROBABILITY}{name}"] = pa.array(given[:, code], mask=~known)
    if calibration is not None and distance:
        found[DISTANCE] = pa.array(said.distances, mask=~known)
        found[UNLIKE] = pa.array(unlike_rows(said, calibration), mask=~known)
    return found | {REASON: pa.array(said.reasons, pa.string())}


def column_types(classes: Sequence[str], *, calibrated: bool, distance: bool) -> list[pa.Field]:
    """The columns that columns_of gives, in its order."""
    kinds = [(LABEL, pa.string())]
    if calibrated:
        kinds += [(CONFIDENCE, pa.float32()), (SET, pa.list_(pa.string()))]
    kinds += [(f"{PROBABILITY}{name}", pa.float32()) for name in classes]
    if calibrated and distance:
        kinds += [(DISTANCE, pa.float32()), (UNLIKE, pa.bool_())]
    return [pa.field(name, kind) for name, kind in [*kinds, (REASON, pa.string())]]


def _lists(sets: NDArray[np.bool_], names: pa.Array, known: NDArray[np.bool_]) -> pa.Array:
    """The names in each row's set, likeliest or not in class order; null where there is no label."""
    sets = sets & known[:, None]
    ends = np.concatenate([[0], np.cumsum(sets.sum(axis=1))]).astype(np.int32)
    values = names.take(pa.array(np.nonzero(sets)[1]))
    return pa.ListArray.from_arrays(pa.array(ends), values, mask=pa.array(~known))
