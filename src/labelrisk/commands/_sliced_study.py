"""What `labelrisk slice` writes: the files of one slice, and the list of all of them."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from labelrisk.comparison.analyses.kinds import ANALYSES
from labelrisk.comparison.ensembles import Ensemble, compact_scores, ensemble_scores
from labelrisk.comparison.outputs import Output
from labelrisk.comparison.slices import Slice
from labelrisk.comparison.study import Study
from labelrisk.comparison.table import markdown_table
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.evidence import Evidence
from labelrisk.params import ACROSS
from labelrisk.stages import explain
from labelrisk.text_tables import WIDTH, ascii_of, markdown_of, text_table

README = "README.md"
BEGINS = "# The study by slices of "
FOLDER = re.compile(r"[0-9]+_[a-z0-9_]+")
LETTERS = 40  # of a slice's name in that of its folder
PARTS = {"metrics", "plots", "explanations"}  # folders in that of a slice


def check_out(out: Path) -> None:
    """Raises LabelRiskError where `out` holds anything that this command did not write, for it replaces the folder."""
    if not out.exists():
        return
    entries = list(out.iterdir()) if out.is_dir() else [out]
    is_own = out.is_dir() and (not entries or _begins(out / README))
    if not is_own or not all(_is_of_a_slice(entry) for entry in entries if entry.name != README):
        raise LabelRiskError(f"{out} is there and holds what this command did not write; name another folder by --out")


def _begins(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(BEGINS.encode())


def _is_of_a_slice(path: Path) -> bool:
    """Whether it is a folder with the name of one that this command writes, and holds no more than such a one."""
    is_own = FOLDER.fullmatch(path.name) is not None and path.is_dir()
    return is_own and all(part.name in PARTS and part.is_dir() for part in path.iterdir())


def folders_of(slices: Sequence[Slice], least: int) -> dict[str, Slice]:
    """The slices with at least so many rows, by the names of their folders: 01_post."""
    large = [one for one in slices if len(one.rows) >= least]
    digits = max(2, len(str(len(large))))
    return {f"{place:0{digits}}_{_slug(one)}": one for place, one in enumerate(large, start=1)}


def _slug(one: Slice) -> str:
    """A name in lower-case letters and digits of ASCII, as far as it has any."""
    text = "other" if one.pooled else unicodedata.normalize("NFKD", one.name)
    slug = re.sub("[^a-z0-9]+", "_", text.encode("ascii", "ignore").decode().lower()).strip("_")
    return slug[:LETTERS].strip("_") or "slice"


def sliced(evidence: Evidence) -> dict[str, Output]:
    """The files of one slice, by path: all analyses, the votes, and all explanations."""
    study = evidence.study
    files: dict[str, Output] = {}
    for analysis in ANALYSES:
        files |= analysis(study)
    votes = ensemble_scores(_ensembles(study), study.test, len(study.classes), study.settings.evaluate)
    files |= {"plots/ensembles.csv": votes, "metrics/ensembles.json": compact_scores(votes)}
    return files | {f"explanations/{name}": output for name, output in explain.explained(evidence).items()}


def _ensembles(study: Study) -> list[Ensemble]:
    """Those that the stage ensemble scores."""
    found = [Ensemble(source, students.probabilities) for source, students in study.students.items()]
    if across := study.settings.ensemble.across:
        together = np.concatenate([study.students[source].probabilities for source in across])
        found.append(Ensemble(ACROSS, together))
    return found


def readme(by: str, folders: Mapping[str, Slice], slices: Sequence[Slice], least: int, study: Study) -> str:
    """The list of slices as Markdown, those that are left out too."""
    header = ["folder", "slice", "gold test rows", "gold classes"]
    rows = [
        [name, one.name, f"{len(one.rows):,}", str(len(np.unique(study.test.gold[one.rows])))]
        for name, one in folders.items()
    ]
    left_out = _left_out(folders, slices)
    parts = [
        f"{BEGINS}{markdown_of(by)}",
        markdown_table((header, rows)),
        f"Left out, for they have fewer than {least} gold test rows: {markdown_of(left_out)}." if left_out else "",
        "Each folder holds what the study's own `metrics`, `plots` and `explanations` hold, of the test rows of that "
        "slice alone. Students, and what they learned from, are the same. Decisions are those of a slice that is "
        "looked at alone; `plots/slices.csv` of the study allows for all slices together.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(folders: Mapping[str, Slice], slices: Sequence[Slice], out: Path) -> str:
    """The same for a terminal, and how to look at a slice."""
    rows = [[one.name, f"{len(one.rows):,}", name] for name, one in folders.items()]
    first = out / next(iter(folders))
    left_out = _left_out(folders, slices)
    parts = [
        text_table(["slice", "rows", f"folder in {out}"], rows),
        textwrap.fill(ascii_of(f"Left out, for they have too few rows: {left_out}."), WIDTH) if left_out else "",
        f"See one:\n  labelrisk table \\\n    --metrics {first}/metrics \\\n    --plots {first}/plots\n"
        f"  labelrisk why \\\n    --folder {first}/explanations",
    ]
    return "\n\n".join(part for part in parts if part)


def _left_out(folders: Mapping[str, Slice], slices: Sequence[Slice]) -> str:
    kept = [one.name for one in folders.values()]
    return ", ".join(f"{one.name} ({len(one.rows):,} rows)" for one in slices if one.name not in kept)
