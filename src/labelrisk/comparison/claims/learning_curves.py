"""The claim about learning curves over numbers of training rows, which one study can't test.  Lu & Smith (2025)."""

from __future__ import annotations

from labelrisk.comparison.claims.contract import Case, Finding, Lacking


def plateau_early(case: Case) -> Finding:
    """The learning curve of an annotator's labels flattens at fewer rows than that of gold."""
    raise Lacking("It needs students of several numbers of rows; those of a study have one.")
