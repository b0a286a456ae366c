"""dvc.yaml against the code: a stage depends on every module that can change what it writes."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest
import yaml

# rooms that word errors, carry settings (tracked as params), show progress or move bytes
CARRIERS = {"cli.py", "errors.py", "files.py", "params.py", "printing.py", "progress.py", "settings", "text_tables.py"}
NAMES = "${run} names"
CONSTANTS = {"presets.py"}  # settings that stand in the code
STAGES = ("prepare", "embed", "annotate", "merge", "reannotate", "baseline", "filter", "train", "curve")
STAGES += ("perturb", "evaluate", "ensemble", "distil", "explain")


def imported(file: Path, source: Path) -> set[Path]:
    """Modules of the project that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("labelrisk"):
            base = source / "/".join(node.module.split(".")[1:])
            names = [base / alias.name for alias in node.names] if base.is_dir() else [base]
            found |= {name.with_suffix(".py") for name in names}
    return {path for path in found if path.relative_to(source).parts[0] not in CARRIERS or path.name in CONSTANTS}


def closure(file: Path, source: Path) -> set[Path]:
    """The module and all that it imports, directly or through others."""
    seen: set[Path] = set()
    todo = {file}
    while todo:
        path = todo.pop()
        seen.add(path)
        todo |= imported(path, source) - seen
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_modules_that_it_runs(project, stage):
    declared = yaml.safe_load((project / "dvc.yaml").read_text())["stages"][stage]
    code = [project / path for path in declared.get("do", declared)["deps"] if path.startswith("src/")]
    source = project / "src" / "labelrisk"
    needed = closure(source / "stages" / f"{stage}.py", source)
    missing = {path for path in needed if not any(path == dep or path.is_relative_to(dep) for dep in code)}
    assert not missing
    for dep in code:
        assert any(path == dep or path.is_relative_to(dep) for path in needed), f"{dep} is not needed"


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_in_dvc_yaml_gives_each_parameter_of_the_stage(project, stage):
    declared = yaml.safe_load((project / "dvc.yaml").read_text())["stages"][stage]
    commands = declared.get("do", declared)["cmd"]
    *before, command = commands if isinstance(commands, list) else [commands]
    words = command.split()
    assert words[:2] == ["${run}", stage]
    settings, *parameters = inspect.signature(importlib.import_module(f"labelrisk.stages.{stage}").run).parameters
    assert settings == "settings"
    assert [f"--{parameter}" for parameter in parameters] == [word for word in words if word.startswith("--")]
    # what params.yaml holds reaches no shell before it is checked, and then in quotes
    assert before == ([NAMES] if "${" in command.removeprefix("${run}") else [])
    assert all(re.fullmatch(r"'[^']*'", word) for word in words[1:] if "${" in word)


def test_names_are_checked_before_any_other_stage(project):
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    assert stages["names"]["cmd"] == f"{NAMES} --out data/names"
    interpolated = {"annotators", "panels", "second_opinions", "sources", "seeds", "baseline", "curve"}
    assert interpolated == set(stages["names"]["params"])
    taken = set()
    for stage in stages.values():
        rest = [value for key, value in stage.items() if key in ("foreach", "matrix")]
        taken |= {name.partition(".")[0] for name in re.findall(r"\${(\w[\w.]*)}", str(rest))}
    assert taken == interpolated
    assert "data/names" in stages["prepare"]["deps"]
    for name, stage in stages.items():
        assert name in ("names", "prepare") or any("data/" in dep for dep in stage.get("do", stage)["deps"])
