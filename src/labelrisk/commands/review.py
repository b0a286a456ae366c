"""`labelrisk review`: what a pull request does to the study, as Markdown for one comment."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._options import seed as whole_number
from labelrisk.errors import LISTED, LabelRiskError, shown

if TYPE_CHECKING:
    from labelrisk.revisions.changes import Changes
    from labelrisk.revisions.review import State

HELP = "what a branch does to the study, as Markdown for a pull request"
EXAMPLE = "labelrisk review origin/main\nlabelrisk review origin/main --fail-on worse > review.md"
NEVER, WORSE, RISKY = "never", "worse", "risky"
ADDRESS = re.compile(r"(https?://)?[\w.~/:@%+=-]+")  # nothing that could end a link
GRAVE = ("risky", "loses a class", "unstable", "not trained enough")


def arguments(parser: ArgumentParser) -> None:
    """The branch that is to be merged into, and what makes this fail."""
    parser.add_argument("base", metavar="BASE", help="the branch to merge into, as origin/main")
    head = "the other side (default: workspace, the files as they lie, which in CI are those of HEAD)"
    parser.add_argument("--head", default="workspace", metavar="REVISION", help=head)
    parser.add_argument(
        "--examples", type=whole_number, default=5, metavar="K", help="flipped rows shown of each annotator (5)"
    )
    base = "address of the repository's top at the commit, as https://github.com/OWNER/NAME/blob/COMMIT: shows pictures"
    parser.add_argument("--image-base", metavar="URL", help=base)
    fail = (
        "exit 1 after printing where a verdict got worse, or where one is, newly, that students can't be used (risky)"
    )
    parser.add_argument("--fail-on", choices=(NEVER, WORSE, RISKY), default=NEVER, help=fail)


def run(params: Path, base: str, head: str, examples: int, image_base: str | None, fail_on: str) -> None:
    """Print the comment: against the commit where the branch left BASE, so that it holds what the branch did alone.

    Raises LabelRiskError for a BASE that git does not know or that has nothing in common, and, once all is printed,
    for what --fail-on names.
    """
    from labelrisk.code_hosts.one_comment import mark_of
    from labelrisk.commands._revisions import changes_of, side
    from labelrisk.labels import git_history
    from labelrisk.revisions.review import review_markdown

    if image_base is not None and not ADDRESS.fullmatch(image_base):
        raise LabelRiskError(f"--image-base is '{shown(image_base)}', which is no address; begin it with https://")
    later = side(head)
    earlier = _merge_base(base, later[1])
    changes = changes_of(earlier, later, params, examples, for_others=True)
    study = git_history.prefix(Path()).rstrip("/")
    print(review_markdown(changes, _state(study, later[1], params), mark_of(study), image_base), end="", flush=True)
    if wrong := _wrong(changes, fail_on):
        raise LabelRiskError(wrong)


def _merge_base(base: str, head: str | None) -> tuple[str, str]:
    """Where the branch left BASE: how that is called, and its commit.

    Raises LabelRiskError where git does not know BASE, and where the histories have nothing in common.
    """
    from labelrisk.commands._experiments import commit_of
    from labelrisk.labels.git_history import run_git

    is_shallow = run_git(Path(), "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    whole = "this clone is shallow; fetch the whole history (fetch-depth: 0, or `git fetch --unshallow`)"
    try:
        tip = commit_of(base)
    except LabelRiskError as error:
        raise LabelRiskError(f"{error}; {whole}" if is_shallow else str(error)) from None
    found = run_git(Path(), "merge-base", tip, head or "HEAD").stdout.decode().split()
    if not found and is_shallow:
        raise LabelRiskError(f"git can't tell where this branch left {shown(base)}: {whole}")
    if not found:
        raise LabelRiskError(
            f"this branch and {shown(base)} have no commit in common; name the branch that it is to be merged into"
        )
    return (base if found[0] == tip else f"where it left {base}"), found[0]


def _state(study: str, head: str | None, params: Path) -> State:
    """What else is to be known of the later side; of the workspace whether its results are current."""
    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.labels.git_history import run_git
    from labelrisk.revisions.review import State

    changed = b"" if head else run_git(Path(), "status", "--porcelain", "--untracked-files=no", "--", ".").stdout
    stale = "" if head else out_of_date(params).sentence()
    return State(study, bool(changed.strip()), stale, _lacking(head or "HEAD"))


def _lacking(revision: str) -> str:
    """What others could not get of a revision's outputs; empty where all is there, or no remote is set."""
    from labelrisk.sharing.committed_outputs import committed_outputs, repository
    from labelrisk.sharing.remote_files import lacking

    try:
        with repository() as repo:
            if not repo.config["core"].get("remote"):
                return ""
            missing = lacking(repo, committed_outputs(repo, revision))
    except LabelRiskError as error:
        return f"Whether the remote has all outputs is not known: {error}."
    if not missing:
        return ""
    named = ", ".join(one.path for one in missing[:LISTED])
    more = f" and {len(missing) - LISTED:,} more" if len(missing) > LISTED else ""
    return f"Not on the remote: {named}{more}; run `dvc push` where they were made."


def _wrong(changes: Changes, fail_on: str) -> str:
    """What --fail-on names, as a sentence; empty where there is none."""
    if fail_on == WORSE:
        found = [one.source for one in changes.verdicts if one.is_worse]
        said = "the verdict got worse"
    elif fail_on == RISKY:
        found = [
            one.source
            for one in changes.verdicts
            if one.after and one.after.verdict in GRAVE and not (one.before and one.before.verdict in GRAVE)
        ]
        said = f"the verdict is, newly, one of {', '.join(GRAVE)}"
    else:
        return ""
    more = f" and {len(found) - LISTED:,} more" if len(found) > LISTED else ""
    return f"{said} of {', '.join(map(shown, found[:LISTED]))}{more}; look at the review" if found else ""
