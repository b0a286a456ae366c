"""What a person asks for besides the stages: a file for each command, which the command line finds there.

The word of a command is the name of its file, or NAME where Python keeps that word for itself.  A subfolder is a group
of commands, `labelrisk GROUP NAME`; its __init__.py holds the HELP of the group.  A file whose name begins with an
underscore is no command.  The command line imports all of these files, so that what is slow to import is imported
within `run`.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Protocol


class Command(Protocol):
    """What the file of a command holds."""

    HELP: str
    """One line for the list of commands."""

    EXAMPLE: str
    """One or two command lines, shown at the end of `labelrisk NAME --help`."""

    def arguments(self, parser: ArgumentParser, /) -> None:
        """Add the options of the command, with their defaults."""

    @property
    def run(self) -> Callable[..., None]:
        """Do the work: run(params, **options), params the path of params.yaml, options by their names in the parser.

        Raises LabelRiskError, one sentence, where it can't.
        """
