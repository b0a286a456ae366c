"""`labelrisk comment`: Markdown as the one comment below a pull or merge request, edited in place."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.code_hosts.contract import CodeHost

HELP = "post a review as one comment below a pull request, edited in place"
EXAMPLE = "labelrisk comment github review.md\nlabelrisk comment gitlab review.md"
HOSTS = ("github", "gitlab")
MOST = 65_000  # characters: GitHub takes 65,536


def arguments(parser: ArgumentParser) -> None:
    """Where, and what."""
    parser.add_argument("host", choices=HOSTS, help="whose CI job this is; tokens come from its environment")
    parser.add_argument("file", type=Path, help="Markdown, as `labelrisk review` prints it")


def run(params: Path, host: str, file: Path) -> None:
    """Post the file, or put it in the place of what an earlier run posted, and print the comment's address.

    Raises LabelRiskError where the file is empty or too long, and where the host refuses.
    """
    from labelrisk.code_hosts.github import GitHub
    from labelrisk.code_hosts.gitlab import GitLab
    from labelrisk.code_hosts.one_comment import post_once
    from labelrisk.files import named_file

    text = named_file(file, "write it with `labelrisk review BASE > review.md`").read_text(encoding="utf-8")
    if not text.strip():
        raise LabelRiskError(f"{file} is empty; write it with `labelrisk review BASE > {file}`")
    if len(text) > MOST:
        raise LabelRiskError(f"{file} has {len(text):,} characters, and a comment holds {MOST:,}; shorten it")
    place: CodeHost = GitHub(os.environ) if host == "github" else GitLab(os.environ)
    print(post_once(place, text))
