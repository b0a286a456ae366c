"""What changed in codebooks: the task, labels, their definitions, and notes on edge cases."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.codebook import Codebook
from labelrisk.revisions.snapshot import Snapshot


class CodebookChange(NamedTuple):
    """A codebook by its path (or `old -> new`), who reads it, and what differs; of definitions both sides."""

    path: str
    readers: list[str]
    task: tuple[str, str] | None
    added: dict[str, str]
    removed: dict[str, str]
    definitions: dict[str, tuple[str, str]]
    cases_added: list[str]
    cases_removed: list[str]
    is_reordered: bool

    @property
    def parts(self) -> int:
        """How many things differ."""
        labels = len(self.added) + len(self.removed) + len(self.definitions)
        return labels + len(self.cases_added) + len(self.cases_removed) + (self.task is not None) + self.is_reordered


def codebook_changes(before: Snapshot, after: Snapshot) -> list[CodebookChange]:
    """Codebooks of the study and of annotators that both revisions hold, and that differ."""
    readers: dict[tuple[str, str], list[str]] = {}
    old, new = _read_by(before), _read_by(after)
    for reader in old.keys() & new.keys():
        readers.setdefault((old[reader], new[reader]), []).append(reader)
    found = []
    for (one, other), who in sorted(readers.items()):
        books = before.codebook(one), after.codebook(other)
        if books[0] and books[1] and books[0] != books[1]:
            path = one if one == other else f"{one} -> {other}"
            found.append(_compared(path, sorted(who), books[0], books[1]))
    return found


def _read_by(study: Snapshot) -> dict[str, str]:
    """Paths of codebooks by who reads them."""
    found = {name: entry.get("reads") for name, entry in study.chat_annotators.items()}
    found["the study"] = study.params.get("codebook")
    return {name: path for name, path in found.items() if isinstance(path, str)}


def _compared(path: str, readers: list[str], before: Codebook, after: Codebook) -> CodebookChange:
    both = [name for name in before.names if name in after.labels]
    return CodebookChange(
        path=path,
        readers=readers,
        task=None if before.task == after.task else (before.task, after.task),
        added={name: after.labels[name] for name in after.names if name not in before.labels},
        removed={name: before.labels[name] for name in before.names if name not in after.labels},
        definitions={
            name: (before.labels[name], after.labels[name])
            for name in both
            if before.labels[name] != after.labels[name]
        },
        cases_added=[case for case in after.edge_cases if case not in before.edge_cases],
        cases_removed=[case for case in before.edge_cases if case not in after.edge_cases],
        is_reordered=both != [name for name in after.names if name in before.labels],
    )
