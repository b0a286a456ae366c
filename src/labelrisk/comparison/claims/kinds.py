"""All claims, in the order in which they are shown.  A new one is a function in a file here (contract.py)."""

from __future__ import annotations

from labelrisk.comparison.claims.class_shares import overpredicts_minority
from labelrisk.comparison.claims.contract import Claim
from labelrisk.comparison.claims.losses import llm_worse, student_near_annotator
from labelrisk.comparison.claims.repairs import (
    consistency_gold_recovers,
    dropping_does_not_help,
    entropy_gold_beats_random,
)
from labelrisk.comparison.claims.stability import less_stable_than_noise, llm_less_stable

CLAIMS: tuple[Claim, ...] = (
    llm_worse,
    llm_less_stable,
    less_stable_than_noise,
    overpredicts_minority,
    entropy_gold_beats_random,
    consistency_gold_recovers,
    dropping_does_not_help,
    student_near_annotator,
)
