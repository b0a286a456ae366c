"""`labelrisk diff`: what changed in a study between two revisions, and what that did to labels and students."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import seed as whole_number

HELP = "what changed between two revisions: verdicts, scores, params, prompts, flipped labels"
EXAMPLE = "labelrisk diff main\nlabelrisk diff main calm-duck --examples 10"


def arguments(parser: ArgumentParser) -> None:
    """The two sides, and the form."""
    which = "a commit, branch, tag or experiment, or the word workspace"
    parser.add_argument("before", nargs="?", default="HEAD", metavar="A", help=f"{which} (default: HEAD)")
    parser.add_argument("after", nargs="?", default="workspace", metavar="B", help=f"{which} (default: workspace)")
    parser.add_argument(
        "--examples", type=whole_number, default=5, metavar="K", help="flipped rows shown of each annotator (5)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    form.add_argument("--json", action="store_true", help="as JSON, with shares from 0 to 1")


def run(params: Path, before: str, after: str, examples: int, markdown: bool, json: bool) -> None:
    """Print what changed; nothing is checked out, and files that git lacks come from the DVC cache or remote by hash.

    Raises LabelRiskError for a revision that git does not know, and where neither side has a study.
    """
    from json import dumps

    from labelrisk.commands._revisions import changes_of, side
    from labelrisk.revisions.changes import as_json
    from labelrisk.revisions.document import Section, Sentence, quoted
    from labelrisk.revisions.document_markdown import markdown_document
    from labelrisk.revisions.document_text import text_of
    from labelrisk.revisions.sections import sections

    changes = changes_of(side(before), side(after), params, examples)
    if json:
        print(dumps(as_json(changes), indent=2))  # in ASCII, so that nothing in it needs an escape of ours
        return
    title = f"From {quoted(changes.before)} to {quoted(changes.after)}"
    if markdown:
        print(
            markdown_document(
                "## What changed", [Section("Revisions", [Sentence([quoted(title, 200)])]), *sections(changes)]
            ),
            end="",
        )
        return
    print(text_of([Section(title, []), *sections(changes)]))
