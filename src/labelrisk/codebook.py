"""The codebook: what annotators are asked, the labels and their definitions."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from labelrisk.errors import LabelRiskError, nearest


class Codebook(BaseModel):
    """A task, at least two labels with their definitions in a fixed order, and notes on edge cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str = Field(min_length=1)
    labels: dict[str, str] = Field(min_length=2)
    edge_cases: tuple[str, ...] = ()

    @field_validator("labels", mode="before")
    @classmethod
    def _text_names(cls, labels: object) -> object:
        """YAML reads `1:` as a number and `no:` as false; label names are text."""
        return {str(name): definition for name, definition in labels.items()} if isinstance(labels, dict) else labels

    @property
    def names(self) -> list[str]:
        """Label names in the order of the file; this order is the class order everywhere."""
        return list(self.labels)


def read_codebook(path: Path) -> Codebook:
    """Read a codebook file.

    Raises LabelRiskError that names the file and the key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Codebook.model_validate(content)
    except FileNotFoundError:
        raise LabelRiskError(f"{path} is not there; write the codebook or correct its path in params.yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabelRiskError(f"{path} is not YAML ({' '.join(str(error).split())}); correct that line") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        if first["type"] == "extra_forbidden":
            advice = nearest(key, Codebook.model_fields)
            raise LabelRiskError(f"{path}: unknown key '{key}' in the codebook; {advice}") from None
        raise LabelRiskError(f"{path}: '{key}': {first['msg']}; correct the codebook") from None
