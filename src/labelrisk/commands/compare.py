"""`labelrisk compare`: experiments, or any revisions, side by side, as `dvc exp show` lists them."""

from __future__ import annotations

import io
import subprocess
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._dvc import run_dvc
from labelrisk.commands._experiments import commit_of, experiments, newest_first, short, title_of
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    import pandas as pd

HELP = "experiments or revisions side by side, only what differs"
EXAMPLE = "labelrisk compare\nlabelrisk compare main calm-duck"
# what says nothing new beside the rest: hashes of inputs, and all but the main score of each row
DROPPED = (
    r"(src|data|classifiers|explanations|codebooks|requirements|texts).*|margin$|confidence$|"
    r".*(accuracy|_sd|_low|_high|rows|hard|soft\.(low|high)|\.now\.|"
    r"annotate/.*(status|method|flags)|(findings|contrasts)\.json|because|number_of_seeds|next_step|late_gain|"
    r"gain_to_come|below_best|\.fit|\.steps|weakest|without_failed|\.cost|converged|alpha_(low|high)).*"
)
ABOUT = ["Experiment", "rev", "typ", "Created", "parent", "State", "Executor"]  # columns that are no values


def arguments(parser: ArgumentParser) -> None:
    """What to compare."""
    text = "commits, branches, tags or experiments; one: the experiments of that commit (default: of HEAD)"
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help=text)


def run(params: Path, revisions: Sequence[str]) -> None:
    """Print a row per value that differs, and a column per revision or experiment.

    Raises LabelRiskError for a revision that git does not know, and where DVC can't read one.
    """
    commits = {commit: short(name) for name, commit in ((name, commit_of(name)) for name in revisions)}
    if len(commits) > 1:
        _print(_shown(list(commits), hide_workspace=True), commits, only=True)
        return
    if len(revisions) > 1:
        print(f"{' and '.join(revisions)} are the same commit.")
        return
    known = experiments()
    asked = next(iter(commits), None) or commit_of("HEAD")
    baseline = next((commit for commit, of in known.items() if asked in of), asked)
    of_baseline = known.get(baseline, {})
    print(f"{'Experiments' if of_baseline else 'No experiments'} of {title_of(baseline)}.")
    if not of_baseline:
        for other in newest_first([commit for commit in known if commit != baseline]):
            print(f"{title_of(other)} has {len(known[other])}: labelrisk compare {short(other)}")
    _print(_shown([baseline], hide_workspace=bool(commits)), of_baseline, only=False)


def _shown(commits: Sequence[str], hide_workspace: bool) -> pd.DataFrame:
    """What `dvc exp show` says of commits and their experiments."""
    import pandas as pd

    words = ["exp", "show", "--csv", "--sha", "--only-changed", "--drop", DROPPED]
    words += [word for commit in commits for word in ("--rev", commit)]
    found = run_dvc(*words, *(["--hide-workspace"] if hide_workspace else []), stdout=subprocess.PIPE)
    if found.returncode:
        raise LabelRiskError("dvc exp show failed; see its message above")
    if not found.stdout.strip():  # one commit
        return pd.DataFrame({"rev": commits})
    return pd.read_csv(io.StringIO(found.stdout), dtype=str).drop_duplicates("rev")


def _print(shown: pd.DataFrame, named: Mapping[str, str], only: bool) -> None:
    """named: names of commits; only: leave all others out."""
    import pandas as pd

    # the workspace is called so; others by the beginnings of their commits
    names = [next((named[one] for one in named if one.startswith(rev)), rev) for rev in shown["rev"]]
    values = shown.drop(columns=ABOUT, errors="ignore")
    values.index = pd.Index(names, name=None)
    if only:
        values = values[[name in named.values() for name in names]]
    values = values.loc[:, [values[column].fillna("").nunique() > 1 for column in values]]
    if not len(values.columns):
        print(f"Nothing differs between {' and '.join(values.index)}; try `dvc exp run -S KEY=VALUE`.")
        return
    with pd.option_context("display.max_colwidth", 24, "display.unicode.east_asian_width", True):
        print(values.T.fillna("-").to_string())
