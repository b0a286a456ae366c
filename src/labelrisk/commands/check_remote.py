"""`labelrisk check-remote`: whether others can get what a commit names, before it is merged."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.errors import LISTED, LabelRiskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelrisk.sharing.remote_files import Lacking

NAME = "check-remote"
HELP = "fail where the DVC remote lacks outputs that a committed dvc.lock names"
EXAMPLE = "labelrisk check-remote\nlabelrisk check-remote --rev origin/main"


def arguments(parser: ArgumentParser) -> None:
    """Which commit."""
    parser.add_argument("--rev", default="HEAD", help="a commit, branch or tag (default: HEAD, not the working tree)")


def run(params: Path, rev: str) -> None:
    """Ask the remote for each output that `dvc push` sends, by its hash; reads neither the local cache nor the outputs.

    Raises LabelRiskError where it lacks one, or can't be asked.
    """
    from labelrisk.sharing.committed_outputs import committed_outputs, repository
    from labelrisk.sharing.remote_files import lacking

    with repository() as repo:
        outputs = committed_outputs(repo, rev)
        if not outputs:
            print(f"{rev} names no outputs that `dvc push` sends: nothing to look for")
            return
        missing = lacking(repo, outputs)
    if not missing:
        print(f"OK: the remote has all outputs that `dvc push` sends and {rev} names: {len(outputs):,}")
        return
    print("\n".join(_lines(missing)))
    raise LabelRiskError(
        f"the remote lacks {len(missing):,} of the {len(outputs):,} outputs that {rev} names; run `dvc push` where "
        "they were made"
    )


def _lines(missing: Sequence[Lacking]) -> list[str]:
    lines = [f"missing: {one.path}{_part(one)}" for one in missing[:LISTED]]
    return lines + ([f"and {len(missing) - LISTED:,} more"] if len(missing) > LISTED else [])


def _part(one: Lacking) -> str:
    if one.files is None:
        return " (the list of its files)"
    return f" ({one.missing:,} of {one.files:,} files)" if one.files > 1 else ""
