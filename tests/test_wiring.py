"""dvc.yaml against the code: a command gives each parameter of its stage, and names are checked before any other."""

import importlib
import inspect
import re

import pytest
import yaml

from labelrisk.settings.declared import KEYS

NAMES = "${run} names"
STAGES = ("prepare", "embed", "annotate", "merge", "reannotate", "baseline", "filter", "train", "curve")
STAGES += ("perturb", "evaluate", "ensemble", "distil", "calibrate", "explain", "report")


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
    assert stages["names"]["cmd"] == f"{NAMES} --out data/names --declared data/declared"
    interpolated = {"annotators", "panels", "second_opinions", "sources", "baseline", "curve"}
    declared = {key.partition(".")[0] for keys in KEYS.values() for key in keys}
    assert set(stages["names"]["params"]) == interpolated | declared
    taken = set()
    for stage in stages.values():
        rest = [value for key, value in stage.items() if key in ("foreach", "matrix")]
        taken |= {name.partition(".")[0] for name in re.findall(r"\${(\w[\w.]*)}", str(rest))}
    assert taken == interpolated
    assert "data/names" in stages["prepare"]["deps"]
    for name, stage in stages.items():
        assert name in ("code", "names", "prepare") or any(
            dep.startswith("data/") and "/code/" not in dep for dep in stage.get("do", stage)["deps"]
        )
