"""The codebook: what annotators are asked, the labels and their definitions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import Field, field_validator

from labelrisk.files import canonical_json
from labelrisk.settings.section import Section, read_typed


class Codebook(Section):
    """A task, at least two labels with their definitions in a fixed order, and notes on edge cases."""

    task: str = Field(min_length=1)
    labels: dict[str, str] = Field(min_length=2)
    edge_cases: tuple[str, ...] = ()

    @field_validator("labels", mode="before")
    @classmethod
    def _text_names(cls, labels: object) -> object:
        """YAML reads `1:` as a number, which is a fine name, and `no:` as false, which is another word."""
        if isinstance(labels, dict) and any(isinstance(name, bool) for name in labels):
            raise ValueError("YAML reads a bare yes, no, on or off as true or false; put the label in quotes")
        return {str(name): definition for name, definition in labels.items()} if isinstance(labels, dict) else labels

    @property
    def version(self) -> str:
        """12 hexadecimal digits of the SHA-256 of what it says, however it is laid out."""
        content = [self.task.strip(), list(self.labels.items()), self.edge_cases]
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]

    @property
    def names(self) -> list[str]:
        """Label names in the order of the file; this order is the class order everywhere."""
        return list(self.labels)


def read_codebook(path: Path) -> Codebook:
    """Read a codebook file.

    Raises LabelRiskError that names the file and the key.
    """
    return read_typed(path, Codebook, "write the codebook or correct its path in params.yaml")
