"""Class probabilities of a text from its similarity to the classes' definitions and to demonstrations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]

# Cosines of sentences that differ in subject lie some .05 to .2 apart; a softmax of temperature 1 would call them all
# equally likely. At .05 a lead of .1 over one rival is e^2 = 7 to 1. Set by that argument, not by gold labels.
TEMPERATURE = 0.05
DEFINITION_WEIGHT = 2.0  # a definition speaks for all of its class, a demonstration for one text of it


def probabilities(
    texts: Vectors,
    definitions: Vectors,
    demonstrations: Vectors,
    demonstrated: NDArray[np.integer[Any]],
    temperature: float = TEMPERATURE,
) -> Floats:
    """Probability of each class for each text: shape (N, K), rows sum to 1.

    `texts` (N, D), `definitions` (K, D) and `demonstrations` (S, D) are vectors of length 1; `demonstrated` (S,) holds
    the classes 0..K-1 of the demonstrations, S may be 0. p_k = softmax_k(cos(x, c_k) / temperature), where c_k is the
    prototype of class k (Snell, Swersky & Zemel 2017, with a definition as one more support point).
    """
    scores = texts.astype(np.float64) @ prototypes(definitions, demonstrations, demonstrated).T
    return softmax(scores / temperature)


def prototypes(definitions: Vectors, demonstrations: Vectors, demonstrated: NDArray[np.integer[Any]]) -> Floats:
    """One vector of length 1 per class, shape (K, D): DEFINITION_WEIGHT * definition + the sum of its demonstrations."""
    sums = DEFINITION_WEIGHT * definitions.astype(np.float64)
    np.add.at(sums, demonstrated, demonstrations.astype(np.float64))
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def softmax(scores: Floats) -> Floats:
    """Exponentials that sum to 1 along the last axis; the maximum is taken off first so that none overflows."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
