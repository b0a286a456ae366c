"""`labelrisk compare`: experiments, or any revisions, side by side, with what differs between them."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

from labelrisk.commands._experiments import commit_of, experiments, newest_first, short, title_of

HELP = "experiments or revisions side by side, only what differs"
EXAMPLE = "labelrisk compare\nlabelrisk compare main calm-duck"


def arguments(parser: ArgumentParser) -> None:
    """What to compare."""
    text = "commits, branches, tags or experiments; one: the experiments of that commit (default: of HEAD)"
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help=text)


def run(params: Path, revisions: Sequence[str]) -> None:
    """Print each source that differs, a line a revision, and each key of params.yaml that does.

    Raises LabelRiskError for a revision that git does not know.
    """
    commits = {commit: short(name) for name, commit in ((name, commit_of(name)) for name in revisions)}
    if len(commits) > 1:
        _print({name: commit for commit, name in commits.items()}, params)
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
    sides: dict[str, str | None] = {} if commits else {"workspace": None}
    sides |= {short(baseline): baseline}
    sides |= {name: commit for commit, name in of_baseline.items()}
    _print(sides, params)


def _print(sides: Mapping[str, str | None], params: Path) -> None:
    """sides: commits by the names of revisions; None: the files as they lie here."""
    from labelrisk.revisions.revision import revisions_of
    from labelrisk.revisions.side_by_side import params_blocks, side_by_side
    from labelrisk.revisions.snapshot import Snapshot
    from labelrisk.text_tables import WIDTH, ascii_of, text_table

    with revisions_of(list(sides.items())) as found:
        compared = side_by_side({name: Snapshot(one, params.name) for name, one in zip(sides, found, strict=True)})
    if not compared.sources and not compared.params:
        names = " and ".join(sides)
        print(textwrap.fill(f"Nothing differs between {names}; try `dvc exp run -S KEY=VALUE`.", WIDTH))
        return
    if compared.sources:
        rows = [
            ("" if place else source, *row) for source, of in compared.sources.items() for place, row in enumerate(of)
        ]
        print("\n" + text_table(("source", "revision", "F1", "gap [95 %]", "verdict"), rows))
    if compared.the_same:
        print(f"\nThe same in all: {compared.the_same} source{'s' * (compared.the_same > 1)}.")
    if compared.params:
        print("\nparams.yaml differs in")
        print("\n".join(ascii_of(line) for line in params_blocks(compared.params, list(sides))))
