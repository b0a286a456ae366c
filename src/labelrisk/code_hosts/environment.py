"""Variables of a CI job."""

from __future__ import annotations

from collections.abc import Mapping

from labelrisk.errors import LabelRiskError


def needed(environment: Mapping[str, str], name: str, advice: str) -> str:
    """The value of a variable.

    Raises LabelRiskError where it is not set or empty, as the secrets of a fork's job are.
    """
    if value := environment.get(name):
        return value
    raise LabelRiskError(f"the environment variable {name} is not set; {advice}")
