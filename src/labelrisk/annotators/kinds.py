"""The kinds of annotators.  A new kind is a new file with a class like Labeller (contract.py), and its name here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.gold import GoldAnnotator
from labelrisk.annotators.imported import ImportAnnotator

Annotator = Annotated[GoldAnnotator | ImportAnnotator | ChatAnnotator, Field(discriminator="kind")]
