"""All explanations, by the names of their files.  A new one is a new file beside this one, and its name here."""

from __future__ import annotations

from labelrisk.explanations.contract import Explain

EXPLANATIONS: dict[str, Explain] = {}
