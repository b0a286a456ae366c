"""The stages, from dvc.yaml and the docstrings of what they run."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from labelrisk import stages
from labelrisk.commands._parsers import files
from reference_pages.commands import sentence
from reference_pages.markdown import code, escaped, table


def stages_page(project: Path) -> str:
    """All stages of dvc.yaml in its order: what each is for, its command, what it depends on, and what it writes."""
    content = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))
    parts = [
        "# Stages\n",
        "Written from dvc.yaml and the docstrings of the stages. `dvc repro NAME` runs one with all that it needs;",
        "`dvc dag --md --collapse-foreach-matrix` draws them. `${...}` are names of params.yaml.\n",
    ]
    for name, stage in content["stages"].items():
        declared = stage.get("do", stage)
        parts += [f"## `{name}`\n", f"{sentence(declared.get('desc', ''))}\n"]
        if (run := _run_of(name)) is not None:
            parts += [f"{escaped(inspect.getdoc(run) or '')}\n"]
        rows: list[tuple[str, str]] = []
        if "foreach" in stage:
            rows.append(("one for each of", _values([stage["foreach"]])))
        if "matrix" in stage:
            rows.append(("one for each of", _values(list(stage["matrix"].values()))))
        rows += [
            (what, _values(declared[what]))
            for what in ("deps", "params", "outs", "metrics", "plots")
            if what in declared
        ]
        command = declared["cmd"] if isinstance(declared["cmd"], str) else declared["cmd"][-1]
        parts += [table(("", ""), rows), f"```text\n{_wrapped(command)}\n```\n"]
    return "\n".join(parts)


def _run_of(name: str) -> Any:
    return import_module(f"{stages.__name__}.{name}").run if name in dict(files(stages)) else None


def _values(values: list[Any]) -> str:
    names = [next(iter(value)) if isinstance(value, dict) else str(value) for value in values]
    return " ".join(map(code, names))


def _wrapped(command: str) -> str:
    """A command with an option a line."""
    return " ".join(command.split()).replace(" --", " \\\n  --")
