"""Where an annotator's class probabilities come from: one entry for each `confidence` of params.yaml.

A method is an entry here and its word in settings/chat.py; where it is answered in another form, also the text and the
length of that form in answer_forms.py, and how it is read in replies.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from labelrisk.labels.answer import Answer
from labelrisk.settings.chat import ChatSettings, ConfidenceMethod


@dataclass(frozen=True)
class Confidence:
    """A method: what a reply must hold (`form`, the first part of a key of FORMS), and how often a row is asked.

    sampled: the row is asked `samples` times, and its answers are merged; of_tokens: probabilities are those of the
    token that names the label; entailed: each of several answers counts as much as it follows from the text.
    """

    form: str = "label"
    sampled: bool = False
    of_tokens: bool = False
    entailed: bool = False


METHODS: dict[ConfidenceMethod, Confidence] = {
    "logprobs": Confidence(of_tokens=True),
    "votes": Confidence(sampled=True),
    "verbalised": Confidence(form="verbalised"),
    "explanations": Confidence(form="explanations", sampled=True, entailed=True),
    "none": Confidence(),
}


def confidence_of(annotator: ChatSettings) -> Confidence:
    """The method of an annotator."""
    return METHODS[annotator.confidence]


def merged_answers(answers: Sequence[Answer], weights: Sequence[float], labels: Sequence[str], method: str) -> Answer:
    """One answer of several: those that are labels vote with their weights; without any, the most frequent status."""
    reply = " / ".join(str(answer.reply) for answer in answers)
    valid = [(answer.label, weight) for answer, weight in zip(answers, weights, strict=True) if answer.status == "ok"]
    if not valid:
        return Answer(Counter(answer.status for answer in answers).most_common(1)[0][0], reply=reply)
    votes = [sum(label == name for label, _ in valid) for name in labels]
    return _voted(votes, [sum(w for label, w in valid if label == name) for name in labels], labels, method, reply)


def _voted(
    votes: Sequence[int], weights: Sequence[float], labels: Sequence[str], method: str, reply: str | None
) -> Answer:
    """The label with the most weight and p_k = (weight_k + 1) / (sum of weights + K) (Laplace).

    votes, weights: per class; weights are the votes, or votes that count more or less.  Of equals the first label of
    the codebook is taken.
    """
    total = math.fsum(weights) + len(labels)
    smoothed = tuple((weight + 1) / total for weight in weights)  # five equal votes are no certainty
    leading = max(range(len(labels)), key=lambda place: (weights[place], votes[place]))
    return Answer("ok", labels[leading], method, smoothed, reply=reply, votes=tuple(votes))
