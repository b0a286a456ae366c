"""The codebook: what annotators are asked, the labels and their definitions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, field_validator

from labelrisk.errors import shown
from labelrisk.files import canonical_json
from labelrisk.settings.section import Section, read_typed

LONGEST = 200  # characters of a label
JOINERS = "\u200c\u200d"  # invisible, but letters of some scripts need them
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # Unicode categories: control, direction, line ends, no character


class Codebook(Section):
    """A task, at least two labels with their definitions in a fixed order, and notes on edge cases."""

    task: str = Field(min_length=1)
    labels: dict[str, str] = Field(min_length=2)
    edge_cases: tuple[str, ...] = ()

    @field_validator("labels")
    @classmethod
    def _can_be_told_apart(cls, labels: dict[str, str]) -> dict[str, str]:
        check_labels(labels)
        return labels

    @property
    def version(self) -> str:
        """12 hexadecimal digits of the SHA-256 of what it says, however it is laid out."""
        content = [self.task.strip(), list(self.labels.items()), self.edge_cases]
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]

    @property
    def undefined(self) -> list[str]:
        """Labels whose definition says nothing, or no more than their name."""
        return [name for name, said in self.labels.items() if as_said(said) in ("", as_said(in_words(name)))]

    @property
    def names(self) -> list[str]:
        """Label names in the order of the file; this order is the class order everywhere."""
        return list(self.labels)


def check_labels(labels: Iterable[str]) -> None:
    """Labels are read from answers and files without regard to case, quotes and spaces around them.

    Raises ValueError for one that can't be a label, or be told from another one.
    """
    said: dict[str, str] = {}
    for name in labels:
        _check_name(name)
        other = said.setdefault(as_said(name), name)
        if other != name:
            raise ValueError(
                f"the labels '{shown(other)}' and '{shown(name)}' differ in nothing that an answer tells (case, "
                "quotes, or how letters are encoded); rename one"
            )


def in_words(name: str) -> str:
    """A label as words: `left_wing` as `left wing`."""
    return " ".join(re.sub(r"(?<=\w)[-_]+(?=\w)", " ", name).split())


def as_said(name: str) -> str:
    """What is left of a label in an answer: no capitals, no quotes or spaces around it, one encoding of each letter."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in folded if one not in JOINERS).strip().strip("\"'").strip()


def read_codebook(path: Path) -> Codebook:
    """Read a codebook file.

    Raises LabelRiskError that names the file and the key.
    """
    return read_typed(path, Codebook, "write the codebook or correct its path in params.yaml")


def _check_name(name: str) -> None:
    """Refuse what could not be told apart, printed, or put into a page."""
    if not as_said(name):
        raise ValueError(f"a label is empty ('{shown(name)}'); write its name")
    if name != name.strip():
        raise ValueError(f"the label '{shown(name)}' has space around it; write '{shown(name.strip())}'")
    if len(name) > LONGEST:
        raise ValueError(f"the label '{shown(name, 30)}' has {len(name)} characters; {LONGEST} are the most")
    odd = [one for one in name if one == "<" or (unicodedata.category(one) in UNSEEN and one not in JOINERS)]
    if odd:
        raise ValueError(f"the label '{shown(name)}' holds the character {odd[0]!a}; leave it out")
