"""The wheel takes the pipeline along, of which `labelrisk init` makes new studies; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
TEMPLATE = ("dvc.yaml", "params.yaml", ".gitignore", ".gitattributes", ".dvcignore", ".dvc/config", ".dvc/plots")


class BuildWithTemplate(build_py):
    """Copies the files where the package looks for them; an editable install finds them in the checkout."""

    def run(self) -> None:
        """Build the package, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "labelrisk" / "template"
        shutil.rmtree(target, ignore_errors=True)
        for name in TEMPLATE:
            source, copy = ROOT / name, target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copyfile(source, copy)


setup(cmdclass={"build_py": BuildWithTemplate})
