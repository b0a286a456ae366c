"""Learning curves by DVC: what a size, or none, runs and removes."""

import json
import re
import shutil

import pytest
import yaml
from students import tiny_model
from study_files import params
from test_pipeline import Copy

SOURCES = ["gold", "model"]


def with_sizes(model, sizes):
    content = params(curve={"sizes": sizes, "sources": SOURCES, "seeds": 2, "steps": None})
    content["sources"] = {name: content["sources"][name] for name in SOURCES}
    content["train"] |= {"model": model}
    return content


@pytest.mark.slow
def test_a_size_more_trains_its_students_alone_and_none_removes_them(project, tmp_path):
    model = str(tiny_model(tmp_path / "model", "bert"))
    (tmp_path / "copy").mkdir()
    copy = Copy(project, tmp_path / "copy")
    copy.write(with_sizes(model, [10]))
    code, output = copy.run("labelrisk", "repro", "--jobs", "2")
    assert code == 0, output
    runs = copy.root / "data" / "runs"
    before = (runs / "10" / "gold" / "runs.parquet").read_bytes()
    assert {path.name for path in runs.iterdir() if path.name != ".gitignore"} == {"10", "all.parquet"}
    copy.write(with_sizes(model, [10, 20]))
    ran, _ = copy.repro()
    assert {name for name in ran if name.startswith("curve")} == {"curve@20-gold", "curve@20-model"}
    assert not {name for name in ran if name.startswith("train")}
    assert "explain" in ran
    told = json.loads((copy.root / "explanations" / "curves.json").read_text())
    assert [one["rows"] for one in told["sources"]["gold"]["points"]][:2] == [10, 20]
    # trained anew, of this source and size alone, they are the same bytes
    shutil.rmtree(copy.root / ".labelrisk" / "students")
    (runs / "10" / "gold" / "runs.parquet").unlink()
    code, output = copy.run("dvc", "repro", "--force", "--no-run-cache", "--single-item", "curve@10-gold")
    assert "Running stage 'curve@10-gold'" in output, output
    assert code == 0, output
    assert (runs / "10" / "gold" / "runs.parquet").read_bytes() == before
    code, output = copy.run("labelrisk", "curves", "--off")
    assert code == 0, output
    assert yaml.safe_load((copy.root / "params.yaml").read_text())["curve"]["sizes"] == []
    _, output = copy.repro()
    assert re.search(r"removed data/runs/10: params.yaml no longer declares it", output)
    assert not (runs / "20").exists()
    assert "needs" in json.loads((copy.root / "explanations" / "curves.json").read_text())
