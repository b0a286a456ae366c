"""explain: what lies under the verdict, one explanation after the other, all in one folder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from labelrisk.comparison.outputs import Output, write_outputs
from labelrisk.comparison.runs import Run, runs_of, stacked_probabilities
from labelrisk.comparison.study import Study
from labelrisk.comparison.study_loading import load_study
from labelrisk.corpora.prepared import Prepared
from labelrisk.engines.kinds import opened
from labelrisk.explanations.contract import claims_of, outputs
from labelrisk.explanations.edited_texts import read_edited
from labelrisk.explanations.ensembles.redraws import is_worth_an_engine
from labelrisk.explanations.evidence import Evidence, load_evidence
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.explanations.smaller_runs import load_smaller_runs
from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.settings.distil import DISTILLED
from labelrisk.undeclared_outputs import prune_sizes

ALL = "all.parquet"  # the runs on all train rows, which evaluate wrote


class Inputs(NamedTuple):
    """The files and folders of earlier stages.

    runs: the folder of predictions as `evaluate` and `curve` write them; edited, distilled: the files that `perturb`
    and `distil` wrote.
    """

    prepared: Path
    labels: Path
    vectors: Path
    baselines: Path
    training: Path
    logs: Path
    runs: Path
    edited: Path
    distilled: Path


def run(
    settings: Settings,
    prepared: Path,
    labels: Path,
    vectors: Path,
    baselines: Path,
    training: Path,
    logs: Path,
    runs: Path,
    edited: Path,
    distilled: Path,
    out: Path,
) -> None:
    """Write the JSON files, tables and pictures of all explanations in the folder `out`, or nothing.

    Sizes that params.yaml no longer declares are removed from the folder `runs` first.
    """
    prune_sizes(runs, settings.curve.sizes, settings.curve.sources)
    paths = Inputs(prepared, labels, vectors, baselines, training, logs, runs, edited, distilled)
    evidence = read_evidence(settings, paths)
    with ExitStack() as opened_meanwhile:
        if is_worth_an_engine(evidence.study, settings.engine):
            evidence = replace(evidence, engine=opened_meanwhile.enter_context(opened(settings.engine)))
        files = explained(evidence)
    with written_aside(out) as folder:
        folder.mkdir()
        write_outputs({folder / name: output for name, output in files.items()})


def read_evidence(settings: Settings, paths: Inputs) -> Evidence:
    """All that explanations are functions of, from the files of earlier stages."""
    rows, runs = Prepared(paths.prepared), runs_of(paths.runs / ALL)
    study = load_study(settings, rows, paths.labels, paths.baselines, paths.training, runs, paths.logs)
    evidence = load_evidence(study, rows, paths.labels, paths.vectors)
    evidence = replace(evidence, smaller=load_smaller_runs(study, paths.runs), edited=read_edited(paths.edited))
    return replace(evidence, distilled=_distilled(settings, paths.distilled, study))


def explained(evidence: Evidence) -> dict[str, Output]:
    """The files of all explanations, and of the claims that they decide, by their names."""
    found = {name: explain(evidence) for name, explain in EXPLANATIONS.items()}
    files = claims_of(evidence.study, found.values())
    for name, one in found.items():
        files |= outputs(name, one)
    return files


def _distilled(settings: Settings, path: Path, study: Study) -> Run:
    """What the distilled student says, of all test rows."""
    seed = settings.distil.seed
    said = runs_of(path)(DISTILLED, seed)
    stacked_probabilities([said], DISTILLED, [seed], "test", study.test.ids)  # or a row lacks
    return said
