"""Train rows by how doubtful their label is, as each source selects them, or would."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from labelrisk.report.material import Material
from labelrisk.sources.controls import resolved
from labelrisk.sources.doubts import RANDOM, Doubts, Evidence, doubts_of
from labelrisk.statistics.class_codes import NO_LABEL

STILL = "annotator"  # origin of a train row that has the label of the source's annotator
MANY, CHEAP = 1_000_000, ("entropy", "disagreement")
NEEDED = {"entropy": ("entropy",), "flips": ("votes",), "disagreement": ()}  # of the answers
PROBABILITIES = "probabilities"  # what all others need
QUARTER = 0.25  # of these rows: the most doubtful ones
Rank = tuple[str, tuple[str, ...]]  # a kind of doubt, and the annotators that may disagree


def doubted_train_rows(material: Material) -> Iterator[tuple[str, NDArray[np.int64], str]]:
    """By source: positions of the doubtful quarter of the train rows that still have its annotator's label, the most
    doubtful first, and by what they are ranked.

    Controls and sources of gold labels choose nothing and are left out, as are sources about whose labels no doubt is
    known.
    """
    study, ids = material.evidence.study, material.evidence.train.ids
    known: dict[tuple[str, Rank], Doubts] = {}
    for source in study.settings.sources:
        declared = resolved(study.settings.sources, source)
        annotator = declared.annotator
        if declared.control or declared.labels == "gold" or study.settings.is_gold(annotator):
            continue
        if declared.select is not None and declared.select.by != RANDOM and _is_cheap(declared.select.by, len(ids)):
            rank: Rank | None = (declared.select.by, declared.select.of or ())
        else:
            rank = _known_doubt(annotator, material)
        if rank is None:
            continue
        if (annotator, rank) not in known:
            known[annotator, rank] = _doubts(annotator, rank, material)
        doubts = known[annotator, rank].values
        rows = study.training_rows[source]
        still = np.zeros(len(ids), dtype=bool)
        still[rows.places[rows.origins.among([STILL]) & (rows.places >= 0)]] = True
        found = np.flatnonzero(still & (np.nan_to_num(doubts, nan=0.0) > 0))
        size = round(QUARTER * still.sum())
        if len(found) and size:
            yield source, found[np.argsort(-doubts[found], kind="stable")][:size], rank[0].replace("_", " ")


def _is_cheap(by: str, rows: int) -> bool:
    """Whether doubts of a kind can be had again: of very many rows not those by vectors or lists of numbers."""
    return rows <= MANY or by in CHEAP


def _known_doubt(annotator: str, material: Material) -> Rank | None:
    """Entropy where the annotator told probabilities; else disagreement, where others labelled the rows, too."""
    given = material.evidence.on_train
    if given[annotator].probabilities is not None:
        return "entropy", ()
    others = tuple(name for name, of in given.items() if (of.codes != NO_LABEL).any())
    return ("disagreement", others) if len(others) > 1 else None


def _doubts(annotator: str, rank: Rank, material: Material) -> Doubts:
    """As the stage filter ranks them for the first seed."""
    evidence, (by, others) = material.evidence, rank
    settings, given = evidence.study.settings, evidence.on_train
    vectors = evidence.train.vectors
    known = Evidence(
        given[annotator].codes.astype(np.int64),
        material.answers(annotator, NEEDED.get(by, (PROBABILITIES,))),
        evidence.study.classes,
        [given[name].codes.astype(np.int64) for name in others if name in given],
        lambda: vectors[np.arange(len(vectors))],
    )
    return doubts_of(by, known, np.random.default_rng([settings.filter.seed, zlib.crc32(b"doubts"), settings.seeds[0]]))
