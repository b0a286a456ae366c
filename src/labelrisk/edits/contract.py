"""What an edit is: a function of a text and a generator, and nothing else, that gives the text that is read instead.

It never empties a text, and changes nothing but what its docstring says.  Where there is nothing to change it returns
the text as it was, and the row counts as not edited.  That the label stays is a claim about the reader: a person who
is not told would give the edited text the same label.  Edits of words and sentences know English alone, and leave
texts in other languages as they are, as far as these hold no such words.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Edit = Callable[[str, np.random.Generator], str]


def some(count: int, rate: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions below `count`, ascending: each with this probability, and one at least, where there is any."""
    chosen = np.flatnonzero(generator.random(count) < rate)
    return generator.integers(count, size=1) if count and not len(chosen) else chosen
