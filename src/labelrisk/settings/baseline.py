"""The section `baseline`: cheap classifiers that students are held against."""

from __future__ import annotations

from typing import Literal

from labelrisk.settings.section import Section

BaselineKind = Literal["words", "vectors"]


class BaselineSettings(Section):
    """Which kinds are trained; none leaves them out."""

    kinds: tuple[BaselineKind, ...] = ("words", "vectors")  # words: tf-idf; vectors: of embed.model
