"""What a person types: the command line, the Makefile and the README agree and fail with one sentence."""

import os
import re
import subprocess
import sys
import time

import pytest
import yaml
from dvc_study import ENVIRONMENT
from study_files import params, write_study

from labelrisk.cli import main


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    return tmp_path


def test_check_accepts_a_good_study(study):
    assert main(["check"]) == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"codebook": "nowhere.yaml"}, "nowhere.yaml is not there"),
        (
            {"corpus": {"kind": "files", "path": "data/mine.csv"}},
            "corpus.path names data/mine.csv, but data/ holds out",
        ),
        ({"corpus": {"kind": "files", "path": "nowhere.csv"}}, "corpus.path names nowhere.csv, which is not there"),
        (
            {
                "annotators": {"gold": {"kind": "gold", "reads": "nowhere.yaml"}},
                "sources": {"gold": {"annotator": "gold"}},
            }
            | {"ensemble": {"across": []}},
            "annotators.gold.reads names nowhere.yaml",
        ),
    ],
)
def test_check_names_what_is_absent(study, capsys, change, says):
    write_study(study, params(**change))
    assert main(["check"]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_student_that_is_not_there_is_one_sentence(study, capsys):
    from labelrisk.params import load
    from labelrisk.stages import annotate, filter, prepare

    content = params(train=params()["train"] | {"model": "no/such-model"})
    write_study(study, content)
    settings = load(study / "params.yaml")
    prepare.run(settings, study / "prepared", study / "counts.json")
    outs = [study / name for name in ("labels/gold.parquet", "ballots.parquet", "metrics.json")]
    annotate.run(settings, "gold", study / "prepared", study / "calls", *outs)
    filter.run(settings, "gold", study / "prepared", study / "labels", study / "vectors", study / "training")
    command = ["train", "--source", "gold", "--training", "training", "--test", "prepared/test.parquet"]
    command += ["--labels", "prepared/labels.json", "--code", "codebook.yaml", "--store", "local/students"]
    command += ["--model", "m", "--predictions", "p", "--logs", "l", "--durations", "d.jsonl"]
    assert main(command) == 1
    assert "needs train.revision" in capsys.readouterr().err
    assert not (study / "m").exists()


def test_an_output_of_an_earlier_stage_that_is_absent_is_named(study, capsys):
    command = ["filter", "--source", "gold", "--prepared", "nowhere", "--labels", "l", "--vectors", "v", "--out", "o"]
    assert main(command) == 1
    assert "; run `dvc repro" in capsys.readouterr().err


def test_table_before_a_run_says_what_to_do(study, capsys):
    assert main(["table"]) == 1
    assert "run `labelrisk repro` first" in capsys.readouterr().err


def test_help_is_light(project):
    """No heavy import: the modules that take seconds are not loaded."""
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from labelrisk.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-c", code, "--help"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("usage: labelrisk [-h] command ...")
    loaded = set(printed.split())
    assert "labelrisk.commands.cache.show" in loaded
    assert not {"torch", "transformers", "pandas", "openai", "pydantic", "numpy", "yaml"} & loaded


def test_ctrl_c_in_the_middle_is_one_sentence(study, project):
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-m", "labelrisk"]
    arguments = ["prepare", "--out", "prepared", "--metrics", "counts.json"]
    subprocess.run([*command, *arguments], env=environment, check=True)
    arguments = ["annotate", "--annotator", "model", "--prepared", "prepared", "--cache", "calls.sqlite"]
    arguments += ["--out", "l/m", "--ballots", "l/b", "--metrics", "metrics.json"]
    process = subprocess.Popen([*command, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(2)
    _, error = process.communicate(timeout=60)
    if process.returncode != 0:  # a fast machine may have finished
        assert process.returncode == 130
        assert "Traceback" not in error
        assert "run again to go on" in error
        assert not (study / "l" / "m").exists()


def test_the_readme_names_real_targets_commands_and_keys(project):
    readme = (project / "README.md").read_text()
    makefile = (project / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL):
        assert yaml.safe_load(block)
    for path in re.findall(r"\]\(((?:plots|docs|src)/[^)#]+)", readme):
        assert (project / path).is_file(), path
    assert "@TABLE@" not in readme
    assert "@SPEED@" not in readme


def test_the_readme_table_is_the_one_of_the_committed_metrics(example):
    from labelrisk.comparison.table import comparison_table
    from labelrisk.files import read_json

    names = ("verdict", "sources", "annotators", "ensembles", "baselines")
    found = {name: read_json(example / "metrics" / f"{name}.json") for name in names}
    assert comparison_table(found) in (example / "README.md").read_text()


def test_the_committed_lock_is_of_the_committed_params(example):
    """As a pull request without data would be checked: no stage has changed since the committed run."""
    lock = yaml.safe_load((example / "dvc.lock").read_text())["stages"]
    settings = yaml.safe_load((example / "params.yaml").read_text())
    assert {name for name in lock if name.startswith("train@")} == {f"train@{source}" for source in settings["sources"]}
    assert lock["evaluate"]["params"]["params.yaml"]["sources"] == settings["sources"]
    for name, stage in lock.items():
        last = stage["cmd"][-1] if isinstance(stage["cmd"], list) else stage["cmd"]
        assert last.startswith(f"PYTHONPATH=src python -m labelrisk {name.partition('@')[0]} ")


def test_make_setup_tells_git_how_to_merge_what_runs_write(project, tmp_path):
    """Without that the setting `merge=ours` of .gitattributes is the usual merge, and dvc.lock gets conflict marks."""
    (tmp_path / "Makefile").write_text((project / "Makefile").read_text())
    made = (".venv/installed", ".labelrisk/page.html")
    for name in ("requirements.lock", "pyproject.toml", ".dvc/plots/page.html", *made):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def run(*words):
        return subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)

    outside = run("make", "setup")
    assert (outside.returncode, outside.stdout + outside.stderr) == (0, "")
    run("git", "init", "-q")
    for given, kept in ((None, "true"), ("my-driver %A", "my-driver %A")):
        if given:
            run("git", "config", "merge.ours.driver", given)
        assert run("make", "setup").returncode == 0
        assert run("git", "config", "--get", "merge.ours.driver").stdout.strip() == kept
