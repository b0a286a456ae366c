"""`labelrisk init`: a folder for a new study of one's own texts."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.errors import LabelRiskError, shown

if TYPE_CHECKING:
    from labelrisk.new_study.repository import Repository

HELP = "make a folder for a new study of your own texts"
EXAMPLE = """labelrisk init studies/stance --data tweets.csv
labelrisk init studies/stance --data tweets.csv --text tweet --gold stance"""


def arguments(parser: ArgumentParser) -> None:
    """Where, and of what."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the study's folder, in a git repository")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="texts with gold labels: CSV, TSV, JSONL, Parquet, or a folder with train.*, validation.*, test.*",
    )
    parser.add_argument("--text", metavar="COLUMN", help="the column of the texts (default: guessed, and said)")
    parser.add_argument("--gold", metavar="COLUMN", help="the column of the gold labels (default: guessed, and said)")


def run(params: Path, folder: Path, data: Path, text: str | None, gold: str | None) -> None:
    """Look at the texts, write a study's files into a folder, and say what was found and what to do next.

    Raises LabelRiskError, and has written nothing, where a file is there already, the folder is in no git repository,
    or the texts are no study.
    """
    from labelrisk.commands._version_file import installed_version
    from labelrisk.commands.vega import write_page
    from labelrisk.files import named_file
    from labelrisk.new_study.columns import DATA, chosen_columns
    from labelrisk.new_study.contents import contents_of
    from labelrisk.new_study.report import report
    from labelrisk.new_study.repository import repository_of
    from labelrisk.new_study.study_files import NAMES, NewStudy, study_files
    from labelrisk.new_study.template import template
    from labelrisk.new_study.writing import refuse_existing, write_new_files

    if folder.exists() and not folder.is_dir():
        raise LabelRiskError(f"{shown(folder, 300)} is a file, not a folder; name a folder for the study")
    place, made_of = folder.resolve(), template()
    repository = repository_of(place)
    if not data.is_dir():
        named_file(data, f"name your texts with {DATA}")
    is_of_checkout = made_of.checkout is not None and place.is_relative_to(made_of.checkout)
    study = NewStudy(place, data.resolve(), repository, made_of, installed_version(), is_of_checkout)
    refuse_existing([place / name for name in NAMES])  # before a large file is read
    columns = chosen_columns(data, text, gold)
    contents = contents_of(data, columns)
    files = study_files(study, columns, contents)
    refuse_existing(list(files))
    _check_params(str(files[place / "params.yaml"]))
    done = _prepare_repository(repository)
    write_new_files(files)
    write_page(place / ".dvc", repository.local / "page.html")
    print(report(study, folder, columns, contents, done))


def _check_params(text: str) -> None:
    """What is inherited from the project's params.yaml may not fit: that is told before anything is written."""
    import tempfile

    from labelrisk.params import load

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load(path)
        except LabelRiskError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise LabelRiskError(
                f"the project's params.yaml, whose other sections a new study takes, does not fit it ({reason})"
            ) from None


def _prepare_repository(repository: Repository) -> list[str]:
    """Set up what studies of the repository share, where it is not there; returns what was done, a sentence each."""
    from labelrisk.labels.git_history import run_git
    from labelrisk.new_study.study_files import repository_files
    from labelrisk.new_study.writing import write_new_files

    write_new_files(repository_files(repository))
    done = []
    hidden = (repository.local / ".gitignore").relative_to(repository.top).as_posix()
    if run_git(repository.top, "ls-files", "--others", "--exclude-standard", "--", hidden).stdout:
        done.append(f"Commit {shown(hidden, 300)}, too: it hides answers and DVC's cache from git, in every clone")
    if run_git(repository.top, "config", "--get", "merge.ours.driver").returncode:
        run_git(repository.top, "config", "merge.ours.driver", "true")
        done.append(
            "When branches are merged, git keeps your side of files that runs write; in other clones that takes "
            "`git config merge.ours.driver true`"
        )
    return done
