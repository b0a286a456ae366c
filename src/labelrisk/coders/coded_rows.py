"""One row as a coder's file holds it."""

from __future__ import annotations

from typing import NamedTuple


class CodedRow(NamedTuple):
    """What one coder says of one row: `coder` is None where nobody has coded the row, `label` None for no label.

    part and probability stand as in the file, None where it has no such column; where: file and place, for errors.
    """

    coder: str | None
    id: str
    label: str | None
    part: str | None
    probability: object
    where: str
