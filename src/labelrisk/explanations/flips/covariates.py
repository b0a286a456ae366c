"""What is known of test rows that may make students of several seeds disagree about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.explanations.evidence import Evidence, Given
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.look_alikes import nearest_rows
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.votes import soft_vote

ENTROPY, WRONG, WORDS, DISTANCE, VOTE_WRONG = "annotator_entropy", "annotator_wrong", "words", "distance", "vote_wrong"
IN_WORDS = {
    ENTROPY: "the entropy of {annotator}",
    WRONG: "{annotator} being wrong",
    WORDS: "the words of a text",
    DISTANCE: "the distance to the nearest train rows",
    VOTE_WRONG: "the vote of the seeds being wrong",
}
ROWS = 4096  # whose distances are worked out at a time


class Covariate(NamedTuple):
    """Values of the test rows by source, (N,), nan where there is none; the annotator that it is about, if it is.

    Whatever is about an annotator is told of the sources of its labels, and of the reference as their control.
    """

    name: str
    annotator: str | None
    values: Mapping[str, Floats]

    @property
    def is_event(self) -> bool:
        """Whether values are 1 where something is the case, else 0."""
        return self.name in (WRONG, VOTE_WRONG)

    @property
    def words(self) -> str:
        """In a sentence."""
        return IN_WORDS[self.name].format(annotator=self.annotator)


def covariates(evidence: Evidence) -> list[Covariate]:
    """All of the study, those about annotators first."""
    study = evidence.study
    sources, reference, gold = study.settings.sources, study.settings.evaluate.reference, study.test.gold
    found = []
    for annotator, given in evidence.given["test"].items():
        about = [name for name, source in sources.items() if source.annotator == annotator and name != reference]
        if about:
            told = [reference, *about]
            if given.probabilities is not None:
                found.append(Covariate(ENTROPY, annotator, dict.fromkeys(told, _entropy(given.probabilities))))
            if (given.codes != NO_LABEL).any():
                found.append(Covariate(WRONG, annotator, dict.fromkeys(told, _wrong(given, gold))))
    facts = evidence.rows["test"]
    found.append(Covariate(WORDS, None, dict.fromkeys(sources, facts.words.astype(np.float64))))
    if len(evidence.train.ids):
        found.append(Covariate(DISTANCE, None, dict.fromkeys(sources, distances(evidence))))
    votes = {name: (soft_vote(of.probabilities) != gold).astype(np.float64) for name, of in study.students.items()}
    return [*found, Covariate(VOTE_WRONG, None, votes)]


def _entropy(probabilities: Floats) -> Floats:
    from scipy.special import entr

    found: Floats = entr(probabilities).sum(axis=1)
    return found


def _wrong(given: Given, gold: Codes) -> Floats:
    """1.0 where the annotator's label is not gold; nan where it gave none, for there nothing was wrong to learn."""
    return np.where(given.codes == NO_LABEL, np.nan, (given.codes != gold).astype(np.float64))


def distances(evidence: Evidence) -> Floats:
    """1 - cosine of each test row's vector to its nearest train rows, mean over these: (N,).

    Of many train rows some are drawn: a mean distance to the nearest of a part is larger, for all rows alike.
    """
    how, train = evidence.settings.flips, evidence.train.vectors
    drawn = np.arange(len(train))
    if len(train) > how.train_rows:
        drawn = np.sort(np.random.default_rng(how.seed).choice(len(train), how.train_rows, replace=False))
    vectors, others = (_of_length_one(part) for part in (evidence.rows["test"].vectors, train[drawn]))
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), ROWS):
        part = vectors[start : start + ROWS]
        nearest = nearest_rows(part, others, how.neighbours)
        for place in range(0, len(part), ROWS // 16):  # vectors of neighbours are many times those of the rows
            near = others[nearest[place : place + ROWS // 16]]
            cosines = np.einsum("nd,nkd->nk", part[place : place + ROWS // 16], near, dtype=np.float64)
            found[start + place : start + place + len(near)] = 1 - cosines.mean(axis=1)
    return found


def _of_length_one(vectors: NDArray[Any]) -> NDArray[Any]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: NDArray[Any] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found
