"""The project's own pipeline, of which new studies are made: dvc.yaml, params.yaml and what lies beside them.

In a checkout it is the project's top folder; setup.py copies the same files into the wheel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import labelrisk
from labelrisk.errors import LabelRiskError

PACKAGE = Path(labelrisk.__file__).parent


@dataclass(frozen=True)
class Template:
    """The folder of the pipeline's files; checkout: the top folder of the project where it is not installed."""

    folder: Path
    checkout: Path | None

    def text(self, name: str) -> str:
        """The text of a file.

        Raises LabelRiskError where it is not there.
        """
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError:
            raise LabelRiskError(
                f"{self.folder / name}, which new studies are made of, can't be read; install labelrisk again"
            ) from None

    def plots(self) -> dict[str, str]:
        """By name the texts of the pictures' templates, and of the page that holds them."""
        folder = self.folder / ".dvc" / "plots"
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()}


def template() -> Template:
    """The template of the package that runs."""
    if (PACKAGE / "template").is_dir():
        return Template(PACKAGE / "template", None)
    return Template(PACKAGE.parents[1], PACKAGE.parents[1])
