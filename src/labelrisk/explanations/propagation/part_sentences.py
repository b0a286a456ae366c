"""What is said of the parts of the test rows in which an annotator's labels taught its errors most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from labelrisk.explanations.propagation.followed_errors import Followed


def about_parts(table: pd.DataFrame, followed: Sequence[Followed]) -> Iterator[str]:
    """Of each source with labels as they are: in how many parts students surely repeat more than gold's do.

    table: that of parts_table.
    """
    for of in followed:
        for source in of.errors.plain:
            mine = table[(table["annotator"] == of.errors.annotator) & (table["source"] == source)]
            told = mine.dropna(subset="taught")
            if not len(told):
                continue
            more = int((told["decision"] == "better").sum())
            most = told.iloc[int(told["taught"].to_numpy().argmax())]
            yield (
                f"Students of {source} surely repeat more errors of {of.errors.annotator} than those of "
                f"{of.errors.gold} in {more} of {len(told)} parts of the test rows that have enough of them (Holm over "
                f"all parts and sources); the largest difference, {_points(most)}, is that of {most['by']}: "
                f"{most['part']}."
            )


def _points(row: pd.Series) -> str:
    return f"{100 * row['taught']:.1f} [{100 * row['taught_low']:.1f}, {100 * row['taught_high']:.1f}] points"
