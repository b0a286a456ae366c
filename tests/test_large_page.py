"""The page of a generated study of 100 students and 10,000 test rows."""

import json
import re
import shutil
from inspect import signature
from pathlib import Path

import pytest
from large_studies import Size, write_all_runs, write_study
from page_study import inside

from labelrisk.comparison.table import comparison_table
from labelrisk.files import read_json
from labelrisk.params import load
from labelrisk.stages import ensemble, evaluate, explain, report
from labelrisk.text_tables import WIDTH

MOST = 5_000_000


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Twenty sources of five seeds, evaluated, explained and reported."""
    root = tmp_path_factory.mktemp("study")
    settings = write_study(root, Size(sources=20, seeds=5, test_rows=10_000, classes=10))
    write_all_runs(root, settings)
    for source in settings.sources:
        for seed in settings.seeds:
            (root / "models" / source / str(seed)).mkdir(parents=True)
    data = Path("data")
    folders = ("prepared", "labels", "ballots", "baselines", "training", "predictions", "logs", "vectors")
    paths = {name: data / name for name in folders}
    paths |= {name: Path(name) for name in ("models", "metrics", "plots", "explanations")}
    paths |= {"distilled": data / "distilled.parquet", "edited": data / "perturbed.parquet", "store": Path("store")}
    with inside(root):
        settings = load(Path("params.yaml"))

        def run(stage, **others):
            known = {name: path for name, path in paths.items() if name in signature(stage.run).parameters}
            stage.run(settings, **(known | others))

        runs = {"runs": data / "runs" / "all.parquet"}
        run(evaluate, **runs)
        votes = {"metrics": Path("metrics/ensembles.json"), "plots": Path("plots/ensembles.csv")}
        run(ensemble, **runs, **votes, predictions=data / "ensembles.parquet", chosen=Path("classifiers/chosen"))
        run(explain, runs=data / "runs", out=Path("explanations"))
        run(report, **runs, out=Path("report"))
    yield root
    shutil.rmtree(root)


@pytest.mark.slow
def test_the_page_is_small_and_tells_what_it_leaves_out(study):
    page = (study / "report" / "index.html").read_bytes()
    assert 2_000_000 < len(page) < MOST
    rows = json.loads(re.search(rb'id="data-rows">(.*?)</script>', page, re.S)[1])
    assert len(rows["sources"]) == 20
    assert 1_000 < len(rows["ids"]) <= 11_000
    assert all(reason["total"] >= reason["left_out"] for reason in rows["reasons"])
    marks = {place: set() for place in range(len(rows["reasons"]))}
    for mark in rows["marks"]:
        marks[mark["reason"]] |= set(mark["rows"])
    for place, reason in enumerate(rows["reasons"]):
        assert len(marks[place]) == reason["total"] - reason["left_out"]
    assert b"Of 19 sources the 12 best and worst are shown." in page


@pytest.mark.slow
def test_the_table_of_twenty_sources_fits_a_terminal(study):
    names = ("verdict", "sources", "annotators", "ensembles", "baselines")
    lines = comparison_table({name: read_json(study / "metrics" / f"{name}.json") for name in names}).splitlines()
    assert len(lines) > 3 * 20
    assert max(map(len, lines)) <= WIDTH
