"""`labelrisk studies`: all studies of a repository as one table, and what they say together."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.errors import LabelRiskError, nearest, shown

if TYPE_CHECKING:
    from labelrisk.studies.figures import Figures, Study

HELP = "all studies of the repository as one table, with median and sign test"
EXAMPLE = "labelrisk studies\nlabelrisk studies studies/babe studies/policy_uk --source gpt --markdown"


def arguments(parser: ArgumentParser) -> None:
    """Which studies, which of their sources, and the form."""
    text = "studies, or folders above some (default: all of the repository)"
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help=text)
    which = parser.add_mutually_exclusive_group()
    text = "this source of each study, may be repeated (default: those that take an annotator's labels as they are)"
    which.add_argument("--source", action="append", default=[], metavar="NAME", dest="sources", help=text)
    which.add_argument("--all", action="store_true", dest="every", help="all sources")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    form.add_argument("--csv", action="store_true", dest="as_csv", help="a line a source, as CSV")
    form.add_argument("--json", action="store_true", dest="as_json", help="all numbers, as JSON")


def run(
    params: Path,
    folders: Sequence[Path],
    sources: Sequence[str],
    every: bool,
    markdown: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Print the figures of each study and a summary over tasks.

    Raises LabelRiskError where there is no study, or none has a source that is named.
    """
    from labelrisk.studies.figures import read_study
    from labelrisk.studies.layouts import studies_csv, studies_json, studies_markdown, studies_text
    from labelrisk.studies.over_tasks import summary
    from labelrisk.studies.study_folders import name_of, repository, study_folders

    top = repository(Path.cwd())
    studies = [read_study(folder, name_of(folder, top)) for folder in study_folders(folders or [top])]
    studies = [_with_state_of_lock(study, top) for study in studies]
    chosen = {study.name: _chosen(study, sources, every) for study in studies}
    known = {of.source for study in studies for of in study.sources}
    for name in sources:
        if name not in known:
            hint = nearest(name, known) if known else "run one first"
            raise LabelRiskError(f"--source is '{shown(name)}', but no study that ran has such a source; {hint}")
    found = summary(studies, chosen, sources)
    if as_json:
        print(json.dumps(studies_json(studies, chosen, found), indent=2, ensure_ascii=False))
    elif as_csv:
        print(studies_csv(studies, chosen))
    else:
        print((studies_markdown if markdown else studies_text)(studies, chosen, found, sources))


def _chosen(study: Study, sources: Sequence[str], every: bool) -> list[Figures]:
    if sources:
        return [of for of in study.sources if of.source in sources]
    return [of for of in study.sources if every or of.is_plain]


def _with_state_of_lock(study: Study, top: Path) -> Study:
    """The study, with a word where its numbers are not those of its params.yaml, files and code as they are now."""
    from contextlib import chdir

    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.studies.figures import RAN, to_run

    if study.state != RAN:
        return study
    with chdir(top / study.name):
        stale = out_of_date(Path("params.yaml"))
    if not (stale.stages or stale.unreadable):
        return study
    return study._replace(advice=f"`{to_run(study.name)}` makes these numbers anew")
