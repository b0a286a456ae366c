"""Label names as class codes: the form in which all mathematics here takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NO_LABEL = -1


def codes_of(names: pd.Series, labels: Sequence[str]) -> NDArray[np.int64]:
    """Positions of names among the labels; -1 for a name that is missing or no label."""
    if isinstance(names.dtype, pd.CategoricalDtype):
        of_categories = codes_of(pd.Series(names.cat.categories, dtype=object), labels)
        return np.append(of_categories, NO_LABEL)[names.cat.codes]
    places = {label: place for place, label in enumerate(labels)}
    return np.fromiter((places.get(name, NO_LABEL) for name in names), dtype=np.int64, count=len(names))
