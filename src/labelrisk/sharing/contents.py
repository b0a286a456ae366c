"""What the outputs of dvc.yaml hold, and which of them each choice of `labelrisk share` lets DVC push."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

Contents = Literal["texts", "labels", "numbers", "students", "unknown"]
Choice = Literal["labels", "all", "labels-only"]

HELD: dict[str, Contents] = {
    "data/prepared": "texts",
    "data/training": "texts",
    "data/perturbed.parquet": "texts",
    "data/vectors": "texts",  # from a sentence vector much of the sentence can be guessed (Morris et al. 2023)
    "data/labels": "labels",  # and replies, unless share.texts is false
    "report": "labels",  # and texts of rows, unless share.texts is false
    "data/ballots": "labels",
    "data/baselines": "labels",
    "data/predictions": "labels",
    "data/runs": "labels",
    "data/ensembles.parquet": "labels",
    "data/distilled.parquet": "labels",
    "data/code": "numbers",
    "data/names": "numbers",
    "data/declared": "numbers",
    "data/logs": "numbers",
    "metrics": "numbers",
    "plots": "numbers",
    "explanations": "numbers",
    "models": "students",
    "classifiers": "students",
}
PUSHED: dict[Choice, tuple[Contents, ...]] = {
    "labels": ("texts", "labels", "numbers", "unknown"),
    "all": ("texts", "labels", "numbers", "unknown", "students"),
    "labels-only": ("labels", "numbers"),  # what nobody has looked at may hold texts
}


def contents(path: str) -> Contents:
    """What an output holds, by its path below the study's folder."""
    place = PurePosixPath(path)
    for folder in (place, *place.parents):
        if found := HELD.get(str(folder)):
            return found
    return "unknown"


def is_pushed(path: str, choice: Choice) -> bool:
    """Whether DVC pushes an output under a choice."""
    return contents(path) in PUSHED[choice]
