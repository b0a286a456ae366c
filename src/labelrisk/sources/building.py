"""Label sources: every train row with its label and where the label comes from, or why it has none."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.errors import LabelRiskError
from labelrisk.repairs.contract import Repaired
from labelrisk.sources.actions import act
from labelrisk.sources.built import BuiltSource
from labelrisk.sources.doubts import Evidence, noisy_rows
from labelrisk.sources.learning import at_temperature, confidence_weights, temperature
from labelrisk.sources.material import Material
from labelrisk.sources.nested_rows import first_rows
from labelrisk.sources.noise_controls import confusion_noise, confusion_noise_at, uniform_noise
from labelrisk.sources.row_labels import GOLD, RowLabels
from labelrisk.sources.source import Source
from labelrisk.statistics.class_codes import NO_LABEL, codes_of
from labelrisk.statistics.plausible_sets import smallest_sets


def build_source(name: str, source: Source, known: Material, *, seed: int, student: int) -> BuiltSource:
    """The train rows of one student of a label source, in their order.

    What is drawn is drawn anew for each student (its seed): one draw for all would make its luck look like a property
    of the source.  source: a control is given as `resolved` writes it out.
    Origins are `annotator`, `gold`, `noise`, `relabelled`, `repaired`; or `dropped_no_label`, `dropped_selected`,
    `dropped_repair`, `abstained`, `left_out` (then label is None).
    Raises LabelRiskError for an action that the data can't serve, or a source with fewer than two classes.
    """
    # the draw depends on the seeds and the name alone, so that no other source or student moves it
    generator = np.random.default_rng([seed, zlib.crc32(name.encode()), student])
    gold = source.labels == "gold"
    rows = RowLabels(known.gold, GOLD, GOLD) if gold else _annotated(source, known)
    # the part is the same for all sources of a student: 250 rows of one are among the 1,000 of another
    if source.rows is not None:
        _leave_out(name, source.rows, rows, known, f"{seed} {student}")
    if source.noise is not None:
        _make_noise(name, source, rows, known, generator)
    repaired = Repaired()
    if source.repair is not None:
        repaired = _repair(name, source, rows, known, np.random.default_rng([seed, zlib.crc32(b"repair"), student]))
    notes = dict(repaired.notes)
    if source.action is not None:
        # doubts that need draws are those of the labels: the same for all sources about them, and for their controls
        of_doubts = np.random.default_rng([seed, zlib.crc32(b"doubts"), student])
        notes |= act(name, source, rows, known, generator, of_doubts)
    rows.take(~rows.labelled & rows.origins.among("annotator", GOLD, "noise"), "dropped_no_label", None)
    if len(np.unique(rows.codes[rows.labelled])) < 2:
        raise LabelRiskError(
            f"sources.{name} has {int(rows.labelled.sum())} labelled train rows in fewer than two classes; "
            f"look at the labels of annotator '{source.annotator}' or change the source in params.yaml"
        )
    return BuiltSource(rows, known.classes, _learned(name, source, rows, known, repaired), notes)


def validation_rows(source: Source, kind: str, validation: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """`label, origin, labeller` of the rows that choose a student's checkpoint, by gold or the annotator (`kind`)."""
    by_annotator = kind == "annotator" and source.labels == "annotator"
    label = answers["label"] if by_annotator else validation["gold"]
    label = label.astype(object).where(label.notna(), None)
    origin = label.notna().map({True: kind if by_annotator else GOLD, False: "dropped_no_label"})
    labeller = label.notna().map({True: source.annotator if by_annotator else GOLD, False: None})
    return pd.DataFrame({"label": label, "origin": origin, "labeller": labeller})


def _annotated(source: Source, known: Material) -> RowLabels:
    answers = known.answers(source.annotator, "train")
    rows = RowLabels(known.labels_of(source.annotator), "annotator", source.annotator)
    without = ~rows.labelled
    rows.take(without, "dropped_no_label", answers["status"][without].to_numpy(dtype=object))
    return rows


def _leave_out(name: str, size: int, rows: RowLabels, known: Material, salt: str) -> None:
    labelled = int(rows.labelled.sum())
    if size > labelled:
        raise LabelRiskError(
            f"sources.{name}.rows is {size:,}, but {labelled:,} train rows have a label; ask for fewer, or raise "
            "prepare.train_rows"
        )
    part = first_rows(rows.codes, known.train["id"], size, salt)
    rows.take(rows.labelled & ~part, "left_out", f"not among the first {size}")


def _make_noise(name: str, source: Source, rows: RowLabels, known: Material, generator: np.random.Generator) -> None:
    gold, annotated = rows.codes, known.labels_of(source.annotator)
    without = rows.labelled & (annotated == NO_LABEL)  # what the annotator left out is left out of its control too
    both = np.flatnonzero(rows.labelled & (annotated != NO_LABEL))
    at, of = source.at, (gold[both], annotated[both])
    if source.noise == "uniform":
        errors = int((of[0] != of[1]).sum()) if at is None else round(at * len(both))
        noise = uniform_noise(errors, of[0], len(known.classes), generator)
    elif at is None:
        noise = confusion_noise(*of, generator)
    else:
        try:
            noise = confusion_noise_at(at, *of, generator)
        except ValueError as error:
            raise LabelRiskError(
                f"sources.{name}: errors like those of '{source.annotator}' can't be drawn at the rate {at}: {error}; "
                "lower 'at', or use noise: uniform"
            ) from None
    rows.take(without, "dropped_no_label", known.answers(source.annotator, "train")["status"][without].to_numpy(object))
    rows.give(both, noise, "noise", GOLD, f"{source.noise} noise{'' if at is None else f' at {at}'}")


def _repair(name: str, source: Source, rows: RowLabels, known: Material, generator: np.random.Generator) -> Repaired:
    assert source.repair is not None
    kind = source.repair.kind
    answers = known.answers(source.annotator, "train")
    evidence = Evidence(rows.codes, answers, known.classes, vectors=known.vectors)
    try:
        found = source.repair.repaired(noisy_rows(evidence), generator)
    except LabelRiskError as error:
        raise LabelRiskError(f"sources.{name}.repair: {error}") from None
    if found.labels is not None:
        given_up = np.flatnonzero(rows.labelled & (found.labels == NO_LABEL))
        other = np.flatnonzero(rows.labelled & (found.labels != NO_LABEL) & (found.labels != rows.codes))
        rows.give(other, found.labels[other], "repaired", kind, "another label")
        rows.take(given_up, "dropped_repair", f"{kind}: none of the classes")
    return found


def _learned(name: str, source: Source, rows: RowLabels, known: Material, repaired: Repaired) -> dict[str, Any]:
    """The columns for students that learn from more than labels; a row whose label is not the annotator's has it for
    sure, and one without a label has nothing.
    """
    columns: dict[str, Any] = {}
    if repaired.weights is not None:
        weights = np.where(rows.labelled, repaired.weights, np.nan)
        columns["weight"] = weights / weights[rows.labelled].mean()
    if not source.is_learned_otherwise:
        return columns
    own = rows.origins.among("annotator")
    sure = np.eye(len(known.classes))[rows.codes]
    if source.targets == "candidates" and repaired.candidates is not None:
        sets = repaired.candidates | (sure > 0)
        columns["candidates"] = sets
        if source.weights == "none":
            return columns
    heat = _temperature(name, source, known)
    given = at_temperature(known.probabilities_of(source.annotator, "train"), heat)
    usable = own & ~np.isnan(given[:, 0])
    mixed = np.where(usable[:, None], given, sure)
    if source.targets == "soft":
        columns["soft"] = mixed
    elif source.targets == "candidates" and "candidates" not in columns:
        columns["candidates"] = smallest_sets(mixed, known.candidate_mass) | (sure > 0)
    if source.weights == "confidence":
        of_annotator = np.where(own[:, None], given, sure)
        columns["weight"] = np.where(rows.labelled, confidence_weights(of_annotator, rows.codes), np.nan)
    return columns


def _temperature(name: str, source: Source, known: Material) -> float:
    gold = codes_of(known.validation["gold"], known.classes)
    given = known.probabilities_of(source.annotator, "validation")
    usable = (gold != NO_LABEL) & ~np.isnan(given[:, 0])
    if not usable.any():
        raise LabelRiskError(
            f"sources.{name} learns from the probabilities of '{source.annotator}', whose temperature is fitted on "
            "validation rows with gold, and none has both; add gold to the validation rows, or use targets: hard"
        )
    return temperature(given[usable], gold[usable])
