"""The codebook of a new study: the classes that were found, to be defined."""

from __future__ import annotations

from collections.abc import Mapping

from labelrisk.codebook import in_words
from labelrisk.new_study.yaml_text import quoted

HEAD = """\
# What a human coder or an LLM is told.  Write it as you would for a new coder: the labels below are the values of the
# column {column}, and their definitions are no more than their names yet.  Another codebook is another question: after
# an edit all rows are asked anew.  The order of the labels is the order of the classes everywhere.
task: >-
  Read the text and say which of the labels fits it best.
labels:
"""
TAIL = """\
# Rules for the cases that coders argue about:
# edge_cases:
#   - Irony counts as what is meant.
"""


def codebook_text(column: str, classes: Mapping[str, int]) -> str:
    """YAML that can be used as it is: the definition of each class is its name in words; classes: rows by class."""
    lines = [f"  {quoted(name)}: {_definition(name)}  # {rows:,} rows" for name, rows in classes.items()]
    return HEAD.format(column=quoted(column)) + "\n".join(lines) + "\n" + TAIL


def _definition(name: str) -> str:
    return quoted(in_words(name))
