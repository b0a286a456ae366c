"""All files of a new study, and what its repository needs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labelrisk.corpora.files import split_files
from labelrisk.errors import LabelRiskError, shown
from labelrisk.new_study.codebook_text import codebook_text
from labelrisk.new_study.columns import DATA, Columns
from labelrisk.new_study.contents import SHARES, Contents
from labelrisk.new_study.dvc_config import IGNORED, dvc_config
from labelrisk.new_study.params_text import CODEBOOK, params_text
from labelrisk.new_study.pipeline_text import VERSION, pipeline_text
from labelrisk.new_study.repository import Repository, path_from
from labelrisk.new_study.template import Template
from labelrisk.new_study.writing import Content

NAMES = ("dvc.yaml", "params.yaml", CODEBOOK, ".gitignore", ".gitattributes", ".dvcignore", ".dvc", VERSION)
TEXTS = "texts"  # the folder of texts that lie outside the repository
OUTPUTS = ("data", "models", "classifiers", "explanations", "metrics", "plots", "report", "slices")
OF_PROJECT = ("/.venv/", "/.venv-real/", "/.labelrisk/")  # lines of its .gitignore that a study has no use for
# in git, so that it hides the answers and DVC's cache (texts) in a clone before any command of ours ran there
OF_LOCAL = """\
*
!/.gitignore
"""
# not texts/*: by that DVC takes the folder itself for ignored, and pushes nothing that was added in it
IGNORED_TEXTS = f"""\
# copies of texts from outside the repository; `dvc add` lets colleagues have them
/{TEXTS}/[^.]*
!/{TEXTS}/*.dvc
"""


@dataclass(frozen=True)
class NewStudy:
    """Where a study is to be, what of, and who runs it: all paths resolved.

    version: of labelrisk; is_of_checkout: whether the study lies in a checkout of the project, and runs its sources.
    """

    folder: Path
    data: Path
    repository: Repository
    template: Template
    version: str
    is_of_checkout: bool

    @property
    def is_copied(self) -> bool:
        """Whether the texts lie outside the repository."""
        return not self.data.is_relative_to(self.repository.top)

    @property
    def corpus_path(self) -> str:
        """The texts as params.yaml names them."""
        if self.is_copied:
            return f"{TEXTS}/{self.data.name}"
        path = path_from(self.folder, self.data)
        if path.split("/")[0] in OUTPUTS:
            raise LabelRiskError(
                f"{DATA} names {shown(path, 300)} in a folder of the study that holds outputs; "
                "move the texts, or name another folder for the study"
            )
        return path


def study_files(study: NewStudy, columns: Columns, contents: Contents) -> dict[Path, Content]:
    """The files of a study's folder.

    Raises LabelRiskError for texts that lie where a study writes.
    """
    folder, template = study.folder, study.template
    shares = {"validation_share": SHARES.validation_share, "test_share": SHARES.test_share}
    params = params_text(template.text("params.yaml"), study.corpus_path, columns, contents, shares)
    local = path_from(folder, study.repository.local)
    sources = path_from(folder, template.folder / "src") if study.is_of_checkout else None
    files: dict[Path, Content] = {
        folder / "dvc.yaml": pipeline_text(template.text("dvc.yaml"), local, sources),
        folder / "params.yaml": params,
        folder / CODEBOOK: codebook_text(columns.gold.name, contents.classes),
        folder / ".gitignore": _ignored(template.text(".gitignore"), study.is_copied),
        folder / ".gitattributes": template.text(".gitattributes"),
        folder / ".dvcignore": template.text(".dvcignore"),
        folder / VERSION: f"{study.version}\n",
        **dvc_files(folder, study.repository, template),
    }
    if study.is_copied:
        files |= _copies(study.data, folder / TEXTS / study.data.name)
    return files


def _ignored(template: str, is_copied: bool) -> str:
    lines = [line for line in template.splitlines() if line.startswith("/") and line not in OF_PROJECT]
    return "\n".join(["# what runs write; DVC keeps it", *lines]) + "\n" + (IGNORED_TEXTS if is_copied else "")


def _copies(data: Path, copy: Path) -> dict[Path, Content]:
    if not data.is_dir():
        return {copy: data}
    return {copy / file.name: file for file in split_files(data).values()}


def dvc_files(folder: Path, repository: Repository, template: Template) -> dict[Path, Content]:
    """What makes a folder a DVC repository: its settings, and the templates of pictures."""
    dvc = folder / ".dvc"
    files: dict[Path, Content] = {dvc / "plots" / name: text for name, text in template.plots().items()}
    config = dvc_config(template.text(".dvc/config"), folder, repository)
    return files | {dvc / "config": config, dvc / ".gitignore": IGNORED}


def repository_files(repository: Repository) -> dict[Path, Content]:
    """What the repository lacks: a call cache that git does not see."""
    hidden = repository.local / ".gitignore"
    return {} if hidden.exists() else {hidden: OF_LOCAL}
