"""How several labels of one row become one: coders' votes of an import, and the members of a panel."""

from __future__ import annotations

from typing import Literal

Merge = Literal["majority", "dawid_skene"]  # dawid_skene weighs voters by how reliable they seem
