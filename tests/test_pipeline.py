"""The whole pipeline by DVC, in a copy of the project with small texts: killed, resumed, repeated, changed."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from faulty_study import wait_for
from study_files import params, write_study

SMALL = params(seeds=[0, 1])
SMALL["sources"].pop("model")
SMALL["annotators"]["coder"] = {"kind": "import", "reads": "texts.csv", "label": "gold"}
SMALL["panels"] = {"duo": {"members": ["model", "coder"], "merge": "majority"}}
SMALL["ensemble"] = {"across": ["model_gold"]}


class Copy:
    """A fresh copy of the tracked files in a git repository of its own."""

    def __init__(self, project: Path, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=project, check=True, capture_output=True, text=True).stdout.splitlines():
            if (project / name).is_file() and not name.startswith(("metrics/", "plots/", "dvc.lock", "tests/")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(project / name, root / name)
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@example.org",
        }
        self.write(SMALL)
        for command in (["git", "init", "-q"], ["git", "add", "-A"], ["git", "commit", "-qm", "start"]):
            subprocess.run(command, cwd=root, env=self.environment, check=True)

    def write(self, content: dict) -> None:
        write_study(self.root, content)

    def start(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        process = self.start(*command)
        output, _ = process.communicate(timeout=400)
        return process.returncode, output

    def repro(self, *stages: str) -> tuple[set[str], str]:
        """The stages that ran, all or up to these, and what was printed."""
        code, output = self.run("dvc", "repro", *stages)
        assert code == 0, output
        return set(re.findall(r"Running stage '(.+?)'", output)), output


def _mend_dvcs_own_lock(path):
    """DVC killed while it writes this file says itself that it is corrupted; its advice is to delete it."""
    try:
        json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def copy(project, tmp_path_factory):
    """A copy in which the pipeline was killed in the middle of training and then run to its end."""
    copy = Copy(project, tmp_path_factory.mktemp("copy"))
    process = copy.start("dvc", "repro")
    deadline = time.monotonic() + 300
    while not finished(copy):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _mend_dvcs_own_lock(copy.root / ".dvc" / "tmp" / "rwlock")
    copy.answers_at_kill = answers(copy)
    copy.kept = finished(copy)
    copy.resumed, copy.output = copy.repro()
    return copy


def finished(copy: Copy) -> dict[Path, int]:
    """The students that are in the store, and which file each is."""
    notes = (copy.root / ".labelrisk" / "students").glob("*/*/*/*/student.json")
    return {path.relative_to(copy.root): path.stat().st_ino for path in notes if ".partial" not in str(path)}


def noted(copy: Copy) -> list[dict]:
    """What was noted of each student that was trained."""
    lines = (copy.root / ".labelrisk" / "durations.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def answers(copy: Copy) -> int:
    with sqlite3.connect(copy.root / ".labelrisk" / "calls.sqlite") as connection:
        return connection.execute("SELECT count(*) FROM calls").fetchone()[0]


def metrics(copy: Copy, name: str) -> dict:
    return yaml.safe_load((copy.root / "metrics" / f"{name}.json").read_text())


LATER = {"evaluate", "ensemble", "perturb", "distil", "calibrate", "explain", "report"}  # of all students
TRAIN = {"train@gold", "train@model_gold"}
RUNS = [(source, seed) for source in ("gold", "model_gold") for seed in (0, 1)]


def test_a_killed_run_goes_on_where_it_was(copy):
    assert copy.answers_at_kill == answers(copy) == 80
    assert not copy.resumed & {"prepare", "annotate@gold", "annotate@model", "filter@gold"}
    assert copy.resumed >= {"train@gold", "train@model_gold", *LATER}
    assert not list(copy.root.rglob("*.partial*"))


def test_students_that_had_finished_are_not_trained_again(copy):
    assert 1 <= len(copy.kept) < len(RUNS)
    now = finished(copy)
    assert {path: now.get(path) for path in copy.kept} == copy.kept
    assert len(now) == len(RUNS)
    trained = [(line["source"], line["seed"]) for line in noted(copy)]
    assert len(RUNS) - 1 <= len(trained) == len(set(trained))  # one that was killed before its line has none


def test_every_declared_file_is_there(copy):
    for source, seed in RUNS:
        assert (copy.root / "models" / source / str(seed) / "model.safetensors").is_file()
        frame = pd.read_parquet(copy.root / "data" / "predictions" / source / f"{seed}.parquet")
        assert frame["split"].value_counts().to_dict() == {"test": 20, "validation": 16}
        assert frame["probabilities"].map(len).eq(2).all()
    assert set(metrics(copy, "sources")) == {"gold", "model_gold"}
    assert {name: scores["test_coverage"] for name, scores in metrics(copy, "annotators").items()} == {
        "model": 1.0,
        "coder": 1.0,
        "duo": 1.0,
    }
    assert set(metrics(copy, "ensembles")) == {"gold", "model_gold", "across"}
    for name in ("chosen", "distilled"):
        told = json.loads((copy.root / "classifiers" / name / "ensemble.json").read_text())
        assert (told["classes"], told["max_tokens"]) == (["weather", "food"], 32)
        assert len(told["members"]) == {"chosen": 2, "distilled": 1}[name]
        assert str(copy.root) not in json.dumps(told)
        line = f"import labelrisk; print(labelrisk.load('classifiers/{name}').predict(['There is snow in the north.']))"
        code, output = copy.run("python", "-c", f"import sys; sys.path.insert(0, 'src'); {line}")
        assert code == 0, output
        assert output.splitlines()[-1] in ("['weather']", "['food']")
    for name in ("f1_by_source", "curves", "confusion"):
        assert (copy.root / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_no_output_holds_a_time_or_a_path(copy):
    for log in (copy.root / "data" / "logs").rglob("*"):
        if log.is_file():
            assert "timestamp" not in log.read_text()
            assert str(copy.root) not in log.read_text()


def test_a_second_run_changes_nothing(copy):
    ran, output = copy.repro()
    assert ran == set()
    assert "up to date" in output


@pytest.mark.slow
def test_dvc_shows_experiments_metrics_and_plots(copy):
    subprocess.run(["git", "add", "-A"], cwd=copy.root, env=copy.environment, check=True)
    subprocess.run(["git", "commit", "-qm", "results"], cwd=copy.root, env=copy.environment, check=True)
    code, output = copy.run("dvc", "get", ".", "classifiers/chosen", "--out", "gotten")
    assert code == 0, output
    assert (copy.root / "gotten" / "ensemble.json").read_bytes() == (
        copy.root / "classifiers" / "chosen" / "ensemble.json"
    ).read_bytes()
    shutil.rmtree(copy.root / "gotten")
    before = noted(copy)
    code, output = copy.run("dvc", "exp", "run", "-S", "seeds=[0]")
    assert code == 0, output
    assert noted(copy) == before  # their outputs are made anew, of students that are there
    assert metrics(copy, "sources")["gold"]["alpha"] is None
    assert not (copy.root / "models" / "gold" / "1").exists()
    code, output = copy.run("dvc", "metrics", "diff", "--all", "--md")
    assert code == 0
    assert re.search(r"\| metrics/macro_f1.json +\| gold ", output)
    assert max(map(len, output.splitlines())) <= 80
    code, output = copy.run("python", "-m", "labelrisk", "compare")
    assert code == 0, output
    lines = output.splitlines()
    assert lines[0].startswith("Experiments of ")
    assert lines[lines.index("params.yaml differs in") + 1] == "seeds"  # as few steps teach the same with any seed
    assert len(lines) < 25
    assert max(map(len, lines)) <= 80
    code, output = copy.run("dvc", "plots", "show")
    assert code == 0, output
    page = (copy.root / "dvc_plots" / "index.html").read_text()
    assert "macro-F1 by label source" in page
    subprocess.run(["git", "checkout", "-q", "."], cwd=copy.root, env=copy.environment, check=True)
    copy.repro()


@pytest.mark.slow
def test_a_new_seed_trains_only_its_runs_and_a_shorter_list_leaves_nothing_stale(copy):
    copy.run("dvc", "repro", "--force", "--single-item", *TRAIN)  # after what the test above left of the store
    before = len(noted(copy))
    copy.write(SMALL | {"seeds": [0, 1, 2]})
    ran, _ = copy.repro()
    drawn = {"filter@gold", "filter@model_gold"}  # the files of the other seeds come out as they were
    assert ran == drawn | {"names", *TRAIN, *LATER}
    assert [(line["source"], line["seed"]) for line in noted(copy)[before:]] == [("gold", 2), ("model_gold", 2)]
    fewer = {"seeds": [0, 2], "sources": {"gold": SMALL["sources"]["gold"]}, "ensemble": {"across": []}, "panels": {}}
    fewer["annotators"] = {name: SMALL["annotators"][name] for name in ("gold", "model")}
    copy.write(SMALL | fewer)
    ran, _ = copy.repro()
    assert ran == {"names", "filter@gold", "train@gold", *LATER}
    assert len(noted(copy)) == before + 2
    assert [path.parts[3] for path in finished(copy)] == ["gold", "gold"]
    for folder in ("labels", "ballots"):
        assert {path.stem for path in (copy.root / "data" / folder).iterdir()} == {"gold", "model"}
    assert set(metrics(copy, "sources")) == {"gold"}
    assert sorted(path.name for path in (copy.root / "data" / "predictions").iterdir()) == ["gold"]
    assert sorted(path.name for path in (copy.root / "models" / "gold").iterdir()) == ["0", "2"]
    rows = {
        path.relative_to(copy.root / "data" / "training").as_posix() for path in copy.root.glob("data/training/*/*")
    }
    assert rows == {"gold/0.parquet", "gold/2.parquet"}
    copy.write(SMALL)
    ran, _ = copy.repro()  # from the run cache
    assert not ran & TRAIN


@pytest.mark.slow
def test_another_prompt_runs_only_that_annotators_stages(copy):
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    content["annotators"]["model"]["shots"] = 0
    copy.write(content)
    ran, _ = copy.repro("train")
    assert {"annotate@model", "filter@model_gold"} <= ran
    assert not ran & {"prepare", "embed", "annotate@gold", "train@gold"}
    copy.write(SMALL)
    copy.repro("train")


def test_a_misspelt_key_fails_with_one_sentence_and_leaves_the_outputs(copy):
    before = {path: path.stat().st_mtime for path in (copy.root / "data").rglob("*.parquet")}
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    content["prepare"]["sead"] = content["prepare"].pop("seed")
    copy.write(content)
    code, output = copy.run("dvc", "repro")
    assert code != 0
    assert "unknown key 'prepare.sead'; did you mean 'seed'?" in output
    assert "Traceback" not in output
    code, output = copy.run("python", "-m", "labelrisk", "check")
    assert code == 1
    copy.write(SMALL)
    copy.repro()
    assert {path: path.stat().st_mtime for path in before if path.exists()}.keys() == before.keys()


def trained(copy):
    """What DVC noted about the students' outputs."""
    lock = yaml.safe_load((copy.root / "dvc.lock").read_text())["stages"]
    return {name: stage["outs"] for name, stage in lock.items() if name.startswith("train@")}


def untrain(copy):
    """Forget all students, and that they were trained before."""
    shutil.rmtree(copy.root / ".dvc" / "cache" / "runs")
    shutil.rmtree(copy.root / ".labelrisk" / "students")
    for folder in ("models", "data/predictions", "data/logs"):
        shutil.rmtree(copy.root / folder)
    path = copy.root / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    lock["stages"] = {name: stage for name, stage in lock["stages"].items() if not name.startswith("train@")}
    path.write_text(yaml.safe_dump(lock))


@pytest.mark.slow
def test_students_side_by_side_are_the_same_bytes_as_one_by_one(copy):
    before = trained(copy)
    untrain(copy)
    code, output = copy.run("python", "-m", "labelrisk", "repro", "--jobs", "2")
    assert code == 0, output
    assert "students: 100%" in output
    assert set(before) == TRAIN
    assert trained(copy) == before


@pytest.mark.slow
def test_a_student_that_fails_side_by_side_says_why_and_the_others_stay(copy):
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    content["train"]["learning_rate"] = 1e30
    copy.write(content)
    code, output = copy.run("python", "-m", "labelrisk", "repro", "--jobs", "2")
    assert code == 1
    last = output.rstrip().splitlines()[-1]
    assert last.startswith("labelrisk repro: students: ")
    assert "training diverged" in last
    assert "Traceback" not in output
    copy.write(SMALL)
    code, output = copy.run("python", "-m", "labelrisk", "repro")
    assert code == 0, output


@pytest.mark.slow
def test_labelrisk_repro_killed_among_the_students_of_all_sources_goes_on(copy):
    """What finished before is the same file, what comes after makes the same bytes; and nothing outlives the driver."""
    before = trained(copy)
    untrain(copy)
    process = copy.start("python", "-m", "labelrisk", "repro", "--jobs", "2")
    wait_for(lambda: finished(copy), 300)
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _, left = psutil.wait_procs(started, timeout=30)
    assert not left
    kept, lines = finished(copy), len(noted(copy))
    assert 1 <= len(kept) < len(RUNS)
    _mend_dvcs_own_lock(copy.root / ".dvc" / "tmp" / "rwlock")
    code, output = copy.run("python", "-m", "labelrisk", "repro", "--jobs", "2")
    assert code == 0, output
    assert len(noted(copy)) == lines + len(RUNS) - len(kept)
    now = finished(copy)
    assert {path: now[path] for path in kept} == kept
    assert trained(copy) == before


@pytest.mark.slow
def test_students_that_dvc_still_has_are_not_trained_again(copy):
    """A clone with a shared cache, or a folder that was emptied: neither store nor outputs are there."""
    shutil.rmtree(copy.root / ".labelrisk" / "students")
    shutil.rmtree(copy.root / "models")
    before = noted(copy)
    code, output = copy.run("python", "-m", "labelrisk", "repro")
    assert code == 0, output
    assert noted(copy) == before
    assert all((copy.root / "models" / source / str(seed)).is_dir() for source, seed in RUNS)
