"""The stages that train students, and which of them DVC would run, by dvc.lock and the files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labelrisk.commands._out_of_date import Tree, declared_hashes, hash_of, other_params, read_tree

if TYPE_CHECKING:
    from labelrisk.params import Settings


class StudentStage(NamedTuple):
    """A stage of dvc.yaml; rows: None where students learn from all rows; lock: what it was when it ran."""

    source: str
    rows: int | None
    lock: Tree | None
    is_changed: bool

    @property
    def kind(self) -> str:
        """Its name in dvc.yaml."""
        return "train" if self.rows is None else "curve"

    @property
    def name(self) -> str:
        """As DVC writes it."""
        return _name(self.source, self.rows)

    @property
    def has_outputs(self) -> bool:
        """Whether all that it wrote is there."""
        return self.lock is not None and all(Path(out["path"]).exists() for out in self.lock["outs"])


def student_stages(settings: Settings, params: Path, lock: Path = Path("dvc.lock")) -> Iterator[StudentStage]:
    """All that params.yaml declares.

    A stage is changed where it never ran, or a parameter or what it reads is another one than when it ran; dvc.lock has
    to be current up to there, as `dvc repro filter` leaves it.
    """
    ran: Tree = (read_tree(lock).get("stages") or {}) if lock.is_file() else {}
    now = read_tree(params)
    hashes: dict[str, str | None] = {out["path"]: out["md5"] for stage in ran.values() for out in stage.get("outs", [])}
    hashes |= declared_hashes(params)

    def is_changed(stage: Tree | None) -> bool:
        if stage is None or any(other_params(stage, params.name, now)):
            return True
        for dep in stage.get("deps", []):
            if dep["path"] not in hashes:
                hashes[dep["path"]] = hash_of(Path(dep["path"]))
            if hashes[dep["path"]] != dep["md5"]:
                return True
        return False

    curve = settings.curve
    declared: list[tuple[str, int | None]] = [(source, None) for source in settings.sources]
    declared += [(source, rows) for rows in curve.sizes for source in curve.sources]
    for source, rows in declared:
        stage = ran.get(_name(source, rows))
        yield StudentStage(source, rows, stage, is_changed(stage))


def _name(source: str, rows: int | None) -> str:
    """As DVC writes it."""
    return f"train@{source}" if rows is None else f"curve@{rows}-{source}"
