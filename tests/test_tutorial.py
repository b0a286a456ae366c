"""The tutorial, pasted block by block: from a clone to the review of a pull request, by two people and an S3 server."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc_study import ENVIRONMENT
from servers import S3_KEYS, s3_server
from shell_blocks import Block, blocks_of, run_blocks
from test_readme import committed

LONGEST = 30 * 60  # seconds that a reader is promised

# in place of the minutes that `make setup` takes: the environment that runs the tests, on the code of the clone
SET_UP = """
mkdir -p .venv/bin
echo 'PATH="{bin}:$PATH"' > .venv/bin/activate
printf '#!/bin/sh\\nPYTHONPATH=%s exec {bin}/python -m labelrisk "$@"\\n' "$PWD/src" > .venv/bin/labelrisk
echo "PATH=\\"$PWD/.venv/bin:\\$PATH\\"" >> .venv/bin/activate
chmod +x .venv/bin/labelrisk
touch .venv/installed
"""
# a test has no ten minutes for students that know something
SHORTER = """
for change in 's/^seeds: .*/seeds: [0, 1]/' 's/^  steps: 120/  steps: 8/' 's/^  least_steps: 60/  least_steps: 1/' \\
  's/^  validate_every: 20/  validate_every: 4/' 's/^  rows: 100 /  rows: 10 /' ; do sed -i "$change" params.yaml; done
"""


def prepared(blocks, shorter=True):
    """The blocks, with what a test does in place of waiting."""
    for block in blocks:
        yield block
        if "git clone" in block.text:
            yield Block(block.line, SET_UP.format(bin=Path(sys.executable).parent))
        if shorter and "sed -i 's/^seeds" in block.text:
            yield Block(block.line, SHORTER)


@pytest.fixture
def origin(example, tmp_path):
    """A bare repository with the files of the project, as a host keeps one."""
    files = committed(example, tmp_path / "files")
    bare = tmp_path / "labelrisk.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(files), str(bare)], check=True, env=ENVIRONMENT)
    return bare


def test_every_block_of_the_tutorial_is_run(project):
    blocks = blocks_of(project / "docs" / "tutorial.md")
    assert len(blocks) >= 12
    assert not [block.line for block in blocks if block.not_run or block.slow]
    commands = {
        command.split()[1] for block in blocks for command in block.commands if command.startswith("labelrisk ")
    }
    assert commands >= {"init", "check", "repro", "table", "why", "predict", "share", "check-remote", "diff", "review"}


@pytest.mark.slow
def test_a_person_follows_the_tutorial(project, origin, tmp_path):
    blocks = blocks_of(project / "docs" / "tutorial.md")
    folder = tmp_path / "people"
    folder.mkdir()
    started = time.monotonic()
    with s3_server(tmp_path / "s3") as url:
        where = {"REPOSITORY": str(origin), "REMOTE": "s3://labels/labelrisk", "ENDPOINT": url}
        printed = run_blocks(list(prepared(blocks)), folder, ENVIRONMENT | S3_KEYS | where, timeout=LONGEST)
    assert time.monotonic() - started < LONGEST
    steps = dict(part.split("\n", 1) for part in printed.split("### line ")[1:] if "\n" in part)
    said = [" ".join(text.split()) for text in steps.values()]
    assert any("Gold: the column 'area'" in text for text in said)
    assert sum("OK: the remote has all outputs" in text for text in said) == 2
    assert any("was: Files and file systems" in text and "is: Files, folders and streams" in text for text in said)
    assert any("requests to send 1,000" in text for text in said)
    assert any("rows flipped" in text for text in said)
    assert sum("OK: dvc.lock is that of params.yaml" in text for text in said) == 2
    anna, ben = (folder / name / "studies" / "mine" for name in ("anna", "ben"))
    assert len((folder / "labelled.csv").read_text().splitlines()) == 1601
    assert (anna / "report" / "index.html").stat().st_size > 10_000
    review = (ben / "review.md").read_text()
    assert "`files` is: `Files, folders and streams" in review
    assert (anna / "metrics" / "verdict.json").read_text() == (ben / "metrics" / "verdict.json").read_text()
    assert json.loads((anna / "metrics" / "verdict.json").read_text())["number_of_seeds"] == 2
    for clone in (anna, ben):
        written = [
            path for path in clone.parent.parent.rglob("*") if path.is_file() and path.suffix in {".yaml", ".md", ""}
        ]
        assert not [path for path in written if S3_KEYS["AWS_SECRET_ACCESS_KEY"].encode() in path.read_bytes()]
