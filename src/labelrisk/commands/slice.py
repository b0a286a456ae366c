"""`labelrisk slice`: all tables, pictures and explanations of the study, anew for each slice of the test rows."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_labels, add_prepared, add_vectors
from labelrisk.errors import LabelRiskError

HELP = "write the whole study anew for each slice of the test rows"
EXAMPLE = "labelrisk slice --by outlet"


def arguments(parser: ArgumentParser) -> None:
    """The column, where to write, and where the stages of dvc.yaml wrote."""
    parser.add_argument("--by", required=True, metavar="COLUMN", help="a column that corpus.slices names")
    parser.add_argument("--out", type=Path, default=Path("slices"), help="folder with a folder for each slice")
    add_prepared(parser)
    add_labels(parser)
    add_vectors(parser)
    for name, default, what in (
        ("baselines", "data/baselines", "folder of the cheap classifiers' labels"),
        ("training", "data/training", "folder of the sources' rows"),
        ("logs", "data/logs", "folder of the students' logs"),
        ("runs", "data/runs", "folder of the students' predictions as evaluate writes them"),
        ("edited", "data/perturbed.parquet", "file of what students said of edited texts"),
        ("distilled", "data/distilled.parquet", "file of what the distilled student said"),
    ):
        parser.add_argument(f"--{name}", type=Path, default=Path(default), help=what)


def run(
    params: Path,
    by: str,
    out: Path,
    prepared: Path,
    labels: Path,
    vectors: Path,
    baselines: Path,
    training: Path,
    logs: Path,
    runs: Path,
    edited: Path,
    distilled: Path,
) -> None:
    """Write OUT/<number>_<slice>/metrics, plots and explanations for each slice with enough rows, and OUT/README.md.

    Raises LabelRiskError for a column without slices, where no slice has enough rows, and where OUT holds what this
    command did not write.
    """
    import pandas as pd

    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.commands._slice_columns import check_column
    from labelrisk.commands._sliced_study import check_out, folders_of, readme, sliced, summary
    from labelrisk.comparison.outputs import write_outputs
    from labelrisk.comparison.slices import slices_of
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.errors import shown
    from labelrisk.files import written_aside
    from labelrisk.params import load
    from labelrisk.progress import bar
    from labelrisk.stages import explain

    settings = load(params)
    check_column(by, settings.corpus.slices, Prepared(prepared).slices(pd.Index([])))
    check_out(out)
    paths = explain.Inputs(prepared, labels, vectors, baselines, training, logs, runs, edited, distilled)
    evidence = explain.read_evidence(settings, paths)
    slices = slices_of(by, evidence.study.test.slices[by], settings.evaluate.slice_rows)
    folders = folders_of(slices, settings.evaluate.slice_rows)
    if not folders:
        most = max((len(one.rows) for one in slices), default=0)
        raise LabelRiskError(
            f"no slice by '{shown(by)}' has evaluate.slice_rows = {settings.evaluate.slice_rows} gold test rows, the "
            f"largest has {most}; lower that key, or name another column"
        )
    if stale := out_of_date(params).sentence():
        print(textwrap.fill(stale, 80, break_long_words=False) + "\n")
    with written_aside(out) as folder, bar(len(folders), "slices", "slice") as progress:
        folder.mkdir()
        for name, one in folders.items():
            write_outputs({folder / name / path: output for path, output in sliced(evidence.on(one.rows)).items()})
            progress.update()
        text = readme(by, folders, slices, settings.evaluate.slice_rows, evidence.study)
        (folder / "README.md").write_text(text, encoding="utf-8")
    print(summary(folders, slices, out))
