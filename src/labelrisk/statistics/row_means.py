"""Means of row values over rows and runs, and shares as such means, with intervals over both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.contrasts import ROUNDING
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.shares import wilson


def mean_variances(values: Mapping[str, NDArray[Any]]) -> RunVariances:
    """What the mean of row values varies by: by source, values (R, N) of the same rows, N >= 2.

    Without row i the mean m is (N m - x_i) / (N - 1), so that the row's delete-one value is x_i - m.
    """
    scores = {name: one.mean(axis=1, dtype=np.float64) for name, one in values.items()}
    return RunVariances.of_influences(scores, {name: one - scores[name][:, None] for name, one in values.items()})


def share_interval(found: Interval, rows: int, confidence: float) -> Interval:
    """The interval of a share within 0 and 1; where no row and no run differs from the others, Wilson's over rows."""
    if found.error < ROUNDING:
        return Interval(*wilson(found.estimate * rows, rows, confidence), found.error, found.degrees)
    return found._replace(low=max(found.low, 0.0), high=min(found.high, 1.0))


def difference_of_shares(found: Interval) -> Interval:
    """The interval of a difference of two shares, within -1 and 1."""
    return found._replace(low=max(found.low, -1.0), high=min(found.high, 1.0))
