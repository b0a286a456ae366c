"""Studies that `labelrisk init` made, in real repositories: of an installed wheel, and side by side in a checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc_study import ENVIRONMENT
from loopback import completion, served
from study_files import texts

BUILT_FROM = ("src", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "dvc.yaml", "params.yaml")
BUILT_FROM += (".gitignore", ".gitattributes", ".dvcignore", ".dvc/config", ".dvc/plots")
SMALL = {"steps": 4, "least_steps": 2, "validate_every": 2, "batch_size": 8, "max_tokens": 16}

pytestmark = pytest.mark.slow


def copied(project, root):
    """The files of the project that a wheel is built from."""
    for name in BUILT_FROM:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (project / name).is_dir():
            shutil.copytree(project / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(project / name, root / name)
    return root


def install(source, version, site):
    """Build a wheel and install it into a folder, without network; what was there goes."""
    pyproject = source / "pyproject.toml"
    lines = pyproject.read_text().splitlines(keepends=True)
    pyproject.write_text(
        "".join(f'version = "{version}"\n' if line.startswith("version = ") else line for line in lines)
    )
    wheels = source / f"wheels-{version}"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(source, *pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", wheels, ".")
    shutil.rmtree(site, ignore_errors=True)
    (wheel,) = wheels.iterdir()
    run(source, *pip, "install", "--no-deps", "--no-index", "--target", site, wheel)


def run(folder, *words, code=0, **environment):
    """What a command says, after it ended as it should."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=ENVIRONMENT | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def ran(said):
    """The stages that DVC ran."""
    return [line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage '")]


def make_small(folder):
    """Let a study take seconds: two sources, one seed, few steps."""
    content = yaml.safe_load((folder / "params.yaml").read_text())
    content["train"] |= SMALL
    content["perturb"] |= {"rows": 4, "seeds": 1}
    content["sources"] = {name: content["sources"][name] for name in ("gold", "embedded")}
    content["ensemble"]["across"] = ["gold", "embedded"]
    content["seeds"] = [0]
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def test_a_wheel_in_another_repository_and_a_newer_one(project, tmp_path):
    source, site = copied(project, tmp_path / "source"), tmp_path / "site"
    install(source, "0.8.0", site)
    root = tmp_path / "repository"
    root.mkdir()
    python = {"PYTHONPATH": str(site)}
    texts().iloc[::2].to_csv(tmp_path / "mine.csv", index=False)
    run(root, "git", "init", "-qb", "main")
    labelrisk = (sys.executable, "-m", "labelrisk")
    bare = {"PATH": "/usr/bin:/bin"}  # as where no environment is activated
    said = run(root, *labelrisk, "init", "studies/mine", "--data", "../mine.csv", **python, **bare)
    assert "cd studies/mine && labelrisk check" in said
    study = root / "studies" / "mine"
    assert (study / "labelrisk.version").read_text() == "0.8.0\n"
    assert (study / ".dvc" / "plots" / "curves.json").is_file()
    assert not (root / ".dvc").exists()
    assert "OK: 40 rows" in run(study, *labelrisk, "check", **python)
    assert not Path(
        run(study, sys.executable, "-c", "import labelrisk; print(labelrisk.__file__)", **python)
    ).is_relative_to(project)
    make_small(study)
    run(study, "dvc", "repro", "filter", **python)
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", "study")
    tracked = run(root, "git", "ls-files").splitlines()
    assert "studies/mine/dvc.lock" in tracked
    assert not [name for name in tracked if "calls.sqlite" in name or "/texts/" in name or "/data/" in name]
    run(study, "dvc", "add", "texts/mine.csv", **python)
    assert (study / "texts" / "mine.csv.dvc").is_file()

    prepare = source / "src" / "labelrisk" / "stages" / "prepare.py"
    prepare.write_text(prepare.read_text() + "\nOTHER = 1\n")
    install(source, "0.9.0", site)
    stale = run(study, "dvc", "repro", "--force", "prepare", code=255, **python)
    assert "labelrisk.version says 0.8.0, but labelrisk 0.9.0 is installed; run `labelrisk repro`" in stale
    said = run(study, *labelrisk, "repro", "--jobs", "2", **python, **bare)
    assert "labelrisk.version: 0.8.0 -> 0.9.0; stages whose code that changes run again." in said
    assert (study / "labelrisk.version").read_text() == "0.9.0\n"
    assert ran(said)[:2] == ["code", "prepare"]
    assert not [stage for stage in ran(said) if stage.partition("@")[0] in ("names", "annotate", "filter")]
    assert "students by source" in run(study, *labelrisk, "table", **python)
    assert not ran(run(study, "dvc", "repro", **python))


@pytest.fixture
def checkout(project, tmp_path):
    """A checkout of the project, in git, that DVC knows."""
    root = copied(project, tmp_path / "checkout")
    shutil.copy(project / ".dvc" / ".gitignore", root / ".dvc")
    (root / ".gitignore").write_text((project / ".gitignore").read_text())
    frame = texts()
    frame.iloc[::2].to_csv(root / "one.csv", index=False)
    frame.to_csv(root / "two.csv", index=False)
    run(root, "git", "init", "-qb", "main")
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", "checkout")
    return root


def test_siblings_in_subfolders_of_the_project_pay_once_also_in_experiments(checkout):
    def reply(text, before):
        return 200, completion("A", {"A": 0.8, "B": 0.2})

    python = {"PYTHONPATH": str(checkout / "src")}
    asked = ("dvc", "repro", "annotate")
    with served(reply) as server:
        for name, columns in (("one", 40), ("two", 80)):
            words = ("init", f"studies/{name}", "--data", f"{name}.csv", "--gold", "gold")
            run(checkout, sys.executable, "-m", "labelrisk", *words, **python)
            study = checkout / "studies" / name
            params = study / "params.yaml"
            params.write_text(
                params.read_text()
                .replace("base_url: embedded", f"base_url: {server.url}")
                .replace("shots: 3 ", "shots: 0 ")
            )
            (study / "codebook.yaml").write_text(
                yaml.safe_dump({"task": "Say what it is about.", "labels": {"food": "Meals.", "weather": "Rain."}})
            )
            run(study, *asked)
            assert server.paid == columns
        run(checkout, "git", "add", "-A")
        run(checkout, "git", "commit", "-qm", "studies")
        assert not [name for name in run(checkout, "git", "ls-files").splitlines() if ".labelrisk" in name]
        two = checkout / "studies" / "two"
        run(two, "dvc", "exp", "run", "--temp", "-S", "+annotators.embedded.temperature=0.5", "annotate")
        assert server.paid == 160
        run(
            two,
            "dvc",
            "exp",
            "run",
            "-S",
            "+annotators.embedded.temperature=0.5",
            "-S",
            "annotate.retries=3",
            "annotate",
        )
        assert (server.paid, server.paid_twice) == (160, 80)  # of each text: with temperature, and without
        (checkout / ".labelrisk" / "calls.sqlite").unlink()
        run(two, "git", "checkout", "-q", "--", ".")
        run(two, "dvc", "repro", "--force", "annotate@embedded")  # its own labels of the last commit are known
        assert server.paid == 160
    labels = pd.read_parquet(two / "data" / "labels" / "embedded.parquet")
    assert len(labels) == 80
    assert not (two / ".labelrisk").exists()
    assert os.path.lexists(checkout / ".labelrisk" / "calls.sqlite")
