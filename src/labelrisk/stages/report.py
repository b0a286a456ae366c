"""report: the page of the study, one HTML file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from labelrisk.charts.contract import StudyFiles
from labelrisk.charts.kinds import charts_of
from labelrisk.codebook import read_codebook
from labelrisk.comparison.runs import runs_of
from labelrisk.comparison.study_loading import load_study
from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.evidence import load_evidence
from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.report.contents import sections_of
from labelrisk.report.material import Material, train_answers
from labelrisk.report.page import Page, html
from labelrisk.report.provenance import (
    hashes_table,
    installed,
    labels_table,
    models_table,
    params_text,
    versions_table,
)
from labelrisk.report.rows import rows_that_matter
from labelrisk.report.study_files import read_found

SMALL, PER_ROW, LARGE = 2_700_000, 200, 4_800_000  # bytes of a page: without test rows, for each of them, at most
INDEX = "index.html"


def run(
    settings: Settings,
    prepared: Path,
    labels: Path,
    vectors: Path,
    baselines: Path,
    training: Path,
    logs: Path,
    runs: Path,
    metrics: Path,
    plots: Path,
    explanations: Path,
    out: Path,
) -> None:
    """Write the page in the folder `out`, as index.html.

    runs: the file of predictions that `evaluate` wrote; metrics, plots, explanations: folders of what was found.
    With share.texts false the page holds no text of the corpus.
    """
    files = StudyFiles(metrics, plots, explanations)
    found, charts, rows = read_found(files), charts_of(files), Prepared(prepared)
    labelled = [labels / f"{name}.parquet" for name in settings.labellers]
    page = Page(
        codebook=read_codebook(Path(settings.codebook)),
        verdict=found.metrics["verdict"],
        verdict_charts=charts.get("verdict", ()),
        sections=sections_of(found, charts),
        provenance=[
            labels_table(settings, labels, found.totals),
            models_table(settings),
            hashes_table([Path(settings.codebook), *labelled, runs]),
            versions_table(),
        ],
        params=params_text(settings),
        version=installed("labelrisk") or "from its sources",
    )
    study = load_study(settings, rows, labels, baselines, training, runs_of(runs), logs)
    evidence = load_evidence(study, rows, labels, vectors)
    material = Material(evidence, partial(train_answers, labels, study.train.ids))
    room = min(SMALL + PER_ROW * len(study.test.ids), LARGE) - len(html(page).encode())
    content = html(page, rows_that_matter(material, rows, room, with_texts=settings.share.texts))
    with written_aside(out) as folder:
        folder.mkdir()
        (folder / INDEX).write_text(content, encoding="utf-8", newline="")
