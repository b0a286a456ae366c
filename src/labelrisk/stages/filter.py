"""filter: one label source, of the prepared rows, the annotators' labels, the vectors and what params.yaml says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from labelrisk.corpora.prepared import Prepared
from labelrisk.engines.contract import Needs
from labelrisk.engines.kinds import opened
from labelrisk.files import write_json, written_aside
from labelrisk.params import Settings
from labelrisk.sources.building import build_source, validation_rows
from labelrisk.sources.built import BuiltSource
from labelrisk.sources.controls import resolved
from labelrisk.sources.for_one_seed import Inputs, OneSeed, built_for, read_material
from labelrisk.sources.material import Material
from labelrisk.sources.training_files import TrainingFiles
from labelrisk.statistics.scores import rounded
from labelrisk.undeclared_outputs import prune_files


def run(settings: Settings, source: str, prepared: Path, labels: Path, vectors: Path, out: Path) -> None:
    """Write, for each seed, the rows that a student of this source learns from, and those that choose its checkpoint.

    First removes from `labels` what params.yaml no longer declares, as merge does with ballots.
    labels, vectors: the folders with all annotators' labels and with the sentence vectors; only what the source needs
    is read.  The files <seed>.parquet of the folder differ where something is drawn, else they are one.
    notes.json: what a repair measured about itself, by seed.
    """
    prune_files(labels, settings.labellers)
    declared, how = resolved(settings.sources, source), settings.filter
    folders = [one.absolute() for one in (prepared, labels, vectors)]
    inputs = Inputs(source, declared, how.seed, how.candidate_mass, *folders)
    known = read_material(inputs.prepared, inputs.labels, inputs.vectors, how.candidate_mass)
    checks = validation_rows(
        declared, how.validation_labels, known.validation, known.answers(declared.annotator, "validation")
    )
    notes: dict[int, dict[str, float | None]] = {}
    with written_aside(out) as folder:
        folder.mkdir()
        files = TrainingFiles(folder, Prepared(prepared), checks)
        for student, built in _built(settings, inputs, known):
            notes[student] = {name: rounded(value) for name, value in built.notes.items()}
            files.write(student, built)
        if any(notes.values()):
            write_json({student: notes[student] for student in settings.seeds}, folder / "notes.json")


def _built(settings: Settings, inputs: Inputs, known: Material) -> Iterator[tuple[int, BuiltSource]]:
    """The seeds with what was built for them; on a cluster where repairs compute, else here, one after the other."""
    if settings.engine.kind == "local" or not inputs.computes:
        for seed in settings.seeds:
            yield seed, build_source(inputs.name, inputs.source, known, seed=inputs.seed, student=seed)
        return
    with opened(settings.engine) as engine:
        tasks = [OneSeed(inputs.name, seed) for seed in settings.seeds]
        for place, built in engine.results(partial(built_for, inputs), tasks, Needs()):
            yield settings.seeds[place], built
