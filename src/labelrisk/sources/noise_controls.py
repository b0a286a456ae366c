"""Gold labels with errors: controls that have an annotator's errors but not its reasons."""

from __future__ import annotations

import numpy as np


def confusion_noise(gold: np.ndarray, annotated: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Labels whose confusion with gold is exactly the annotator's, and whose errors are random given the class.

    gold, annotated: (n,) class codes.  Within each gold class the annotator's labels are dealt out anew to the rows:
    a draw from the row of the confusion matrix without replacement, so that the control has the same number of
    errors of each kind and differs from the annotator only in where they fall.
    """
    noisy = np.empty_like(gold)
    for code in np.unique(gold):
        members = np.flatnonzero(gold == code)
        noisy[members] = generator.permutation(annotated[members])
    return noisy


def uniform_noise(gold: np.ndarray, annotated: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Labels with as many errors as the annotator makes, on random rows, spread evenly over the other classes.

    gold, annotated: (n,) class codes.
    """
    errors = int((gold != annotated).sum())
    wrong = generator.choice(len(gold), size=errors, replace=False)
    noisy = gold.copy()
    noisy[wrong] = (gold[wrong] + generator.integers(1, classes, size=errors)) % classes
    return noisy
