"""The section `perturb`: how many test rows are edited, how, and by how many students the edited texts are read."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from labelrisk.errors import shown
from labelrisk.settings.section import Count, Section, Seed

HarmlessEdit = Literal["upper", "lower", "typos", "punctuation", "white_space", "homoglyphs"]


def _each_once(edits: tuple[HarmlessEdit, ...]) -> tuple[HarmlessEdit, ...]:
    if twice := next((edit for place, edit in enumerate(edits) if edit in edits[:place]), None):
        raise ValueError(f"holds '{shown(twice)}' twice")
    return edits


class PerturbSettings(Section):
    """Rows are drawn from the test rows with gold; students are those of the first seeds of each source."""

    rows: Annotated[int, Field(ge=0, le=10**12)] = 100  # test rows, drawn; 0: none is edited, and `robustness` says so
    seeds: Count = 2  # how many of the study's, the first
    edits: Annotated[tuple[HarmlessEdit, ...], AfterValidator(_each_once)] = get_args(HarmlessEdit)  # each alone
    chain: Annotated[int, Field(ge=0, le=8)] = 4  # edits of the longest chain; 0: no chains
    seed: Seed = 0  # of the rows and of all edits
