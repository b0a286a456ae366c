"""What code a stage runs: all that it imports, and no more, so that DVC runs again what an edit touches."""

import hashlib
from pathlib import Path

import pytest
import yaml

from labelrisk.cli import main
from labelrisk.commands._stage_code import PACKAGE, changed_stages, closure, digests

MODULES = {
    "stages/__init__.py": "",
    "stages/train.py": "from labelrisk.students.training import train\nfrom labelrisk.params import Settings\n",
    "stages/evaluate.py": "def run():\n    from labelrisk.statistics import scores, missing\n",
    "students/__init__.py": "",
    "students/training.py": "from labelrisk import codebook\nimport numpy\nfrom pathlib import Path\n",
    "students/unused.py": "",
    "students/template.html": "<p>",
    "statistics/__init__.py": "missing = 1\n",
    "statistics/scores.py": "from labelrisk.statistics.shares import share\n",
    "statistics/shares.py": "from labelrisk.statistics.scores import score\n",
    "commands/names.py": "from labelrisk.settings.names import check_names\n",
    "settings/names.py": "",
    "codebook.py": "",
    "params.py": "from labelrisk.students import unused\n",
}


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "labelrisk"
    for name, text in MODULES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def files(lines):
    return [line.split()[0] for line in lines.splitlines()]


def test_a_stage_runs_what_it_imports_directly_or_not_and_what_lies_beside_that(package):
    found = digests(package)
    assert list(found) == ["evaluate", "names", "train"]
    assert files(found["train"]) == [
        "codebook.py", "stages/train.py", "students/__init__.py", "students/template.html", "students/training.py",
    ]  # fmt: skip
    # inside a function, in a circle, a name that is no module
    assert files(found["evaluate"]) == [
        "stages/evaluate.py", "statistics/__init__.py", "statistics/scores.py", "statistics/shares.py",
    ]  # fmt: skip
    assert files(found["names"]) == ["commands/names.py"]


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("students/training.py", ["train"]),
        ("students/template.html", ["train"]),
        ("statistics/shares.py", ["evaluate"]),
        ("students/unused.py", []),
        ("params.py", []),  # its values are tracked one by one
    ],
)
def test_an_edit_changes_the_stages_that_run_it(package, edited, stages):
    before = {name: hashlib.md5(lines.encode()).hexdigest() for name, lines in digests(package).items()}
    assert changed_stages(before, package) == []
    (package / edited).write_text("# another\n")
    assert changed_stages(before, package) == stages


def test_the_rooms_of_the_project_are_found():
    """A stage whose modules are known to whoever reads its imports."""
    found = {path.relative_to(PACKAGE).as_posix() for path in closure(PACKAGE / "stages" / "merge.py")}
    assert found >= {"annotators/panel.py", "labels/merging.py", "statistics/class_codes.py", "labels/__init__.py"}
    assert not {name for name in found if name.startswith(("students", "settings", "endpoints"))}


def test_the_command_writes_a_file_for_each_stage_of_the_pipeline(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["code", "--out", "data/code"]) == 0
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    written = {path.name: path.read_text() for path in Path("data/code").iterdir()}
    assert set(written) == set(stages) - {"code"}
    assert written == digests()
    for name, stage in stages.items():
        deps = [dep for dep in stage.get("do", stage)["deps"] if dep.startswith("data/code/")]
        assert deps == ([] if name == "code" else [f"data/code/{name}"])
