"""The project's first stages for studies that DVC runs elsewhere, and an environment without anyone's settings."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_", "LABELRISK_", "MAKE"))
} | {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{what}": f"t@{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def first_stages(project: Path) -> dict[str, Any]:
    """The project's dvc.yaml up to annotate, without the code among the dependencies."""
    content = yaml.safe_load((project / "dvc.yaml").read_text())
    stages = {name: content["stages"][name] for name in ("names", "prepare", "annotate")}
    for stage in stages.values():
        declared = stage.get("do", stage)
        declared["deps"] = [path for path in declared["deps"] if not path.startswith("data/code/")]
    return {"vars": [{"run": "python -m labelrisk", "local": ".labelrisk"}], "stages": stages}


def write_dvc(root: Path, project: Path, config: str = "") -> None:
    """Write dvc.yaml and what `dvc init` writes below `root`."""
    (root / ".dvc").mkdir()
    (root / ".dvc" / ".gitignore").write_text((project / ".dvc" / ".gitignore").read_text())
    (root / ".dvc" / "config").write_text(config)
    (root / ".gitignore").write_text((project / ".gitignore").read_text())
    (root / "dvc.yaml").write_text(yaml.safe_dump(first_stages(project)))
