"""The column that --by names: one that corpus.slices names, and that the prepared rows have."""

from __future__ import annotations

from collections.abc import Collection

from labelrisk.errors import LabelRiskError, nearest, shown


def check_column(by: str, named: Collection[str], prepared: Collection[str]) -> None:
    """Raises LabelRiskError for a column that is not among those of corpus.slices, or not yet in the prepared rows.

    named: what corpus.slices holds now; prepared: the columns that `prepare` carried along when it last ran.
    """
    if not named:
        raise LabelRiskError("the study has no slices; name columns of the corpus in corpus.slices in params.yaml")
    if by not in named:
        raise LabelRiskError(f"there are no slices by '{shown(by)}'; {nearest(by, named)}")
    if by not in prepared:
        raise LabelRiskError(
            f"the prepared rows have no column '{shown(by)}' yet, which corpus.slices names; run `labelrisk repro`"
        )
