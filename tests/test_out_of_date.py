"""Which stages are out of date, by the dvc.lock that DVC wrote."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from dvc_study import ENVIRONMENT

from labelrisk.commands._out_of_date import out_of_date
from labelrisk.commands._stage_code import digests

COPY = 'python -c "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])" {} {}'
PIPELINE = {
    "stages": {
        "names": {"cmd": "true", "params": ["annotators", "seeds"]},
        "prepare": {
            "cmd": COPY.format("texts.csv", "rows"),
            "deps": ["texts.csv", "code"],
            "params": ["cap"],
            "outs": ["rows"],
        },
        "annotate": {
            "foreach": "${annotators}",
            "do": {
                "cmd": COPY.format("rows", "labels_${key}"),
                "deps": ["rows", "${item.reads}"],
                "params": ["annotators.${key}"],
                "outs": ["labels_${key}"],
            },
        },
        "train": {
            "matrix": {"source": "${annotators}", "seed": "${seeds}"},
            "cmd": COPY.format("labels_${item.source}", "model_${item.source}_${item.seed}"),
            "deps": ["labels_${item.source}"],
            "outs": ["model_${item.source}_${item.seed}"],
        },
    }
}
PARAMS = {
    "cap": 5,
    "seeds": [0, 1],
    "annotators": {"a": {"reads": "book.yaml", "shots": 1}, "b": {"reads": "texts.csv", "shots": 1}},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    for name, content in (("texts.csv", "t"), ("book.yaml", "b"), ("params.yaml", yaml.safe_dump(PARAMS))):
        (root / name).write_text(content)
    (root / "code" / "inner").mkdir(parents=True)
    (root / "code" / "inner" / "one.py").write_text("1")
    (root / "code" / "b.py").write_text("2")
    (root / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE, sort_keys=False))
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro", "-q"]):
        subprocess.run(command, cwd=root, env=ENVIRONMENT, check=True)
    return root


def of_params(change):
    content = json.loads(json.dumps(PARAMS))
    change(content)
    Path("params.yaml").write_text(yaml.safe_dump(content))


TRAIN_A = {"train@a-0", "train@a-1"}
AFTER_A = {"annotate@a", *TRAIN_A}
ALL = {"prepare", "annotate@b", "train@b-0", "train@b-1", *AFTER_A}
EDITS = {  # what is done, which stages that touches, what is named
    "nothing": (lambda: None, set(), []),
    "a file": (lambda: Path("texts.csv").write_text("u"), ALL, ["texts.csv"]),
    "a file of one annotator": (lambda: Path("book.yaml").write_text("c"), AFTER_A, ["book.yaml"]),
    "a file of the same bytes": (lambda: Path("book.yaml").write_text("b"), set(), []),
    "a file that is gone": (lambda: Path("book.yaml").unlink(), AFTER_A, ["book.yaml"]),
    "code in a folder": (lambda: Path("code/inner/one.py").write_text("3"), ALL, ["code"]),
    "a parameter": (lambda: of_params(lambda now: now.update(cap=6)), ALL, ["cap"]),
    "of one annotator": (lambda: of_params(lambda now: now["annotators"]["a"].update(s=2)), AFTER_A, ["annotators.a"]),
    "a seed more": (lambda: of_params(lambda now: now["seeds"].append(2)), {"train@a-2", "train@b-2"}, []),
    "a seed less": (lambda: of_params(lambda now: now["seeds"].pop()), set(), []),
    "an annotator less": (lambda: of_params(lambda now: now["annotators"].pop("a")), set(), []),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_out_of_date_what_it_touches(finished, monkeypatch, edit):
    monkeypatch.chdir(finished)
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and ".git" not in path.parts}
    change, stages, causes = EDITS[edit]
    change()
    try:
        found = out_of_date(Path("params.yaml"))
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    assert set(found.stages) == stages
    assert found.because == causes
    assert bool(found.sentence()) == bool(stages)


@pytest.mark.parametrize("lock", ["<<<<<<< ours\n", "[]", "stages: 5", "stages: {prepare: 5}", "\xff"])
def test_a_lock_that_can_not_be_read_is_said(finished, monkeypatch, tmp_path, lock):
    monkeypatch.chdir(finished)
    (tmp_path / "dvc.lock").write_bytes(lock.encode("latin-1"))
    found = out_of_date(Path("params.yaml"), lock=tmp_path / "dvc.lock")
    assert "can't be read, so whether these numbers are current is not known" in found.sentence()


def test_without_a_run_nothing_is_said(tmp_path):
    assert out_of_date(tmp_path / "params.yaml").sentence() == ""


@pytest.mark.parametrize("other", ["prepare", "merge"])
def test_other_code_makes_out_of_date_what_runs_it(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    hashes = {name: hashlib.md5(lines.encode()).hexdigest() for name, lines in digests().items()}
    hashes[other] = hashlib.md5(b"as it was").hexdigest()
    deps = {name: {"path": f"data/code/{name}", "md5": hashes[name]} for name in ("prepare", "merge")}
    ran = {name: {"deps": [dep], "outs": [{"path": f"{name}.parquet", "md5": "0"}]} for name, dep in deps.items()}
    ran["code"] = {"deps": [{"path": "src", "md5": "before"}], "outs": [{"path": "data/code", "md5": "0"}]}
    Path("src").mkdir()
    Path("params.yaml").write_text("{}\n")
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {name: {"cmd": "true"} for name in ran}}))
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": ran}))
    found = out_of_date(Path("params.yaml"))
    assert (found.stages, found.because) == ([other], ["the code"])
