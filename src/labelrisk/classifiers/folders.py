"""The folder of a classifier: students that vote, and one file that says for which classes and how."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json
from labelrisk.settings.section import Count, Section, read_typed

FILE = "ensemble.json"
Student = tuple[str, int]  # source and seed


class Form(Section):
    """What FILE says: of what name, for which classes, who votes and how, and after how many tokens a text is cut.

    members: the students' folders, each called by the source and the seed that it learned with.
    """

    ensemble: str
    classes: tuple[str, ...] = Field(min_length=1)
    probabilities: Literal["mean"]  # of the members'
    max_tokens: Count
    members: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]+-[0-9]+$")], ...] = Field(min_length=1)


def read_form(folder: Path) -> Form:
    """What FILE says.  Raises LabelRiskError for a folder that holds no classifier, or a damaged one."""
    form = read_typed(folder / FILE, Form, "name a folder that the stage ensemble or distil wrote")
    for member in form.members:
        if not (folder / member).is_dir():
            raise LabelRiskError(f"{folder} lacks its member '{member}'; run `dvc checkout`, or copy all of it")
    return form


def write_form(
    folder: Path, ensemble: str, classes: Sequence[str], max_tokens: int, students: Iterable[Student]
) -> None:
    """Write FILE beside the folders of these students."""
    members = [name_of(student) for student in students]
    content = {"ensemble": ensemble, "classes": list(classes), "probabilities": "mean", "max_tokens": max_tokens}
    write_json(content | {"members": members}, folder / FILE)


def write_ensemble(
    folder: Path, ensemble: str, classes: Sequence[str], max_tokens: int, students: Mapping[Student, Path]
) -> None:
    """Write a classifier of students that lie elsewhere, each in a folder, into an empty one.

    Their files are hard links where the file system has these, and copies elsewhere: written at once, and DVC, which
    keeps equal files once, makes of them what its cache.type says.
    Raises LabelRiskError where a student is not there.
    """
    for (source, seed), path in students.items():
        if not path.is_dir():
            raise LabelRiskError(f"{path}: source '{source}' has no student for seed {seed}; run `dvc checkout`")
        shutil.copytree(path, folder / name_of((source, seed)), copy_function=_linked)
    write_form(folder, ensemble, classes, max_tokens, students)


def name_of(student: Student) -> str:
    """The name of a student's folder; no source has a '-' in its name."""
    return f"{student[0]}-{student[1]}"


def student_of(name: str) -> Student:
    """The source and the seed of a student's folder."""
    source, _, seed = name.rpartition("-")
    return source, int(seed)


def _linked(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
