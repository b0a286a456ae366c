"""explain: what lies under the verdict, one explanation after the other, all in one folder."""

from __future__ import annotations

from pathlib import Path

from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.runs import runs_of
from labelrisk.comparison.study_loading import load_study
from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.contract import claims_of, outputs
from labelrisk.explanations.evidence import load_evidence
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.files import written_aside
from labelrisk.params import Settings

ALL = "all.parquet"  # the runs on all train rows, which evaluate wrote


def run(
    settings: Settings,
    prepared: Path,
    labels: Path,
    vectors: Path,
    baselines: Path,
    training: Path,
    logs: Path,
    runs: Path,
    out: Path,
) -> None:
    """Write the JSON files, tables and pictures of all explanations in the folder `out`, or nothing.

    runs: the folder of predictions as `evaluate` and `curve` write them.
    """
    rows = Prepared(prepared)
    study = load_study(settings, rows, labels, baselines, training, runs_of(runs / ALL), logs)
    evidence = load_evidence(study, rows, labels, vectors)
    with written_aside(out) as folder:
        folder.mkdir()
        found = {name: explain(evidence) for name, explain in EXPLANATIONS.items()}
        files = [outputs(name, one) for name, one in found.items()] + [claims_of(study, found.values())]
        write_outputs({folder / name: output for some in files for name, output in some.items()})
