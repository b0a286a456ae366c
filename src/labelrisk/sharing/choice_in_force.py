"""Which choice of `labelrisk share` is in force, and where params.yaml and dvc.yaml contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.sharing.contents import PUSHED, Choice, is_pushed
from labelrisk.sharing.declared_outputs import DeclaredOutput


def choice_in_force(outputs: Sequence[DeclaredOutput], texts: bool) -> Choice | None:
    """The choice that explains what is pushed; None where somebody has written another one into dvc.yaml.

    texts: share.texts of params.yaml.
    """
    for choice in PUSHED:
        if (choice != "labels-only") == texts and all(
            output.pushed == is_pushed(output.path, choice) for output in outputs if output.cached
        ):
            return choice
    return None


def pushed_against_will(outputs: Sequence[DeclaredOutput], texts: bool) -> list[str]:
    """Paths that dvc.yaml pushes although they hold, or may hold, what params.yaml keeps here."""
    if texts:
        return []
    return [one.path for one in outputs if one.cached and one.pushed and not is_pushed(one.path, "labels-only")]
