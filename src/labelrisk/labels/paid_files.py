"""The list, in git, of labels files that were paid for: what a merge leaves out of dvc.lock is found by it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from labelrisk.file_digests import md5_of

LISTED = Path("paid_labels.tsv")  # beside dvc.lock


class PaidFile(NamedTuple):
    """A labels file: whose labels, DVC's md5 of it, and the model and address that gave them."""

    annotator: str
    md5: str
    model: str
    base_url: str


def note_paid_file(annotator: str, labels: Path, model: str, base_url: str) -> None:
    """Add a labels file to the list, once.

    It has a line for each and no order, so that git merges it by keeping the lines of both sides.
    """
    one = PaidFile(annotator, md5_of(labels), model, base_url.rstrip("/"))
    if one not in read_paid_files():
        with LISTED.open("a", encoding="utf-8") as file:  # one short write: processes at once don't mix theirs
            file.write("\t".join(one) + "\n")


def read_paid_files() -> list[PaidFile]:
    """The list, the latest first; what is no such line, as a merge by hand may leave it, is passed over."""
    if not LISTED.is_file():
        return []
    lines = [line.split("\t") for line in LISTED.read_text(encoding="utf-8", errors="replace").splitlines()]
    return [PaidFile(*fields) for fields in reversed(lines) if len(fields) == len(PaidFile._fields)]
