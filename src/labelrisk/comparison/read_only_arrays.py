"""Dataclasses whose arrays nobody can change."""

from __future__ import annotations

import numpy as np


class ReadOnlyArrays:
    """The base of a frozen dataclass: freezes what its arrays hold, too."""

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
