"""The README is the short way in: what it says is true, and its shell blocks run."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc_study import ENVIRONMENT
from shell_blocks import blocks_of, run_blocks

LONGEST = 150  # lines


@pytest.fixture(scope="module")
def readme(project):
    return blocks_of(project / "README.md")


def committed(project, folder):
    """What git keeps, or would, of the project, as a repository of its own with one commit."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=project, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, folder / name)
    for words in (["init", "-qb", "main"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], cwd=folder, check=True, env=ENVIRONMENT)
    return folder


def clone_of(project, folder):
    """A clone, with what `make setup` makes: an environment to activate."""
    committed(project, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n')
    return folder


def test_the_readme_is_short(project):
    assert len((project / "README.md").read_text().splitlines()) <= LONGEST


def test_every_block_runs_or_says_why_not(readme):
    assert len(readme) >= 3
    assert all(len(block.not_run) > 10 for block in readme if block.not_run)


def test_a_mark_that_means_nothing_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- maybe -->\n```sh\nls\n```\n")
    with pytest.raises(ValueError, match="'maybe' before a shell block"):
        blocks_of(page)


def test_a_block_that_fails_is_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\ncd /\nN=1 # one\n```\n\n<!-- not run: dangerous -->\n```sh\nexit 9\n```\n\n```sh\npwd $N\n```\n"
    )
    found = blocks_of(page)
    assert [block.commands for block in found] == [["cd /", "N=1"], ["exit 9"], ["pwd $N"]]
    assert run_blocks(found, tmp_path, {}, timeout=10).splitlines()[-1] == "/"
    page.write_text("```sh\nls nowhere | cat\necho never\n```\n")
    with pytest.raises(AssertionError, match="nowhere"):
        run_blocks(blocks_of(page), tmp_path, {}, timeout=10)


def understood(parser, words, where):
    try:
        parser.parse_args(words)
    except SystemExit as stopped:
        if stopped.code:  # --help ends with 0
            pytest.fail(where)


def test_commands_of_all_pages_are_those_of_the_parser(project):
    """What stands in a block, run or not, is understood by the command line."""
    from labelrisk.commands._parsers import parser_of

    parser = parser_of(None)
    pages = [project / "README.md", *sorted((project / "docs").rglob("*.md"))]
    seen = 0
    for page in pages:
        if "reference" in page.parts:
            continue
        fenced = re.findall(r"```(?:sh|text)\n(.*?)```", page.read_text(), re.DOTALL)
        lines = "\n".join(fenced).replace("\\\n", " ").splitlines()
        for line in lines:
            words = re.sub(r"\s#.*$|[>|&;].*$", "", line).split()
            if words[:1] == ["labelrisk"] and "..." not in line:
                seen += 1
                understood(parser, [word.strip("'\"") for word in words[1:]], f"{page.name}: {line}")
    assert seen > 25


def test_yaml_of_all_pages_is_what_params_yaml_takes(project):
    """Annotators, panels, second opinions and sources that a page shows can be declared as they are shown."""
    from pydantic import TypeAdapter

    from labelrisk.params import Settings

    checks = {name: TypeAdapter(field.annotation) for name, field in Settings.model_fields.items()}
    seen = 0
    for page in [project / "README.md", *sorted((project / "docs").rglob("*.md"))]:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
            content = yaml.safe_load(block)
            assert content, page.name
            if "..." in block or not isinstance(content, dict):
                continue
            for name, value in content.items():
                if name in ("annotators", "panels", "second_opinions", "sources", "corpus"):
                    checks[name].validate_python(value)
                    seen += 1
    assert seen > 10


def test_the_cheap_blocks_run(readme, example, tmp_path):
    """In a clone of the committed study: what a reader tries first, without a run."""
    cheap = [block for block in readme if not block.slow and not block.not_run]
    printed = run_blocks(cheap, clone_of(example, tmp_path / "labelrisk"), ENVIRONMENT, timeout=60)
    assert "OK: a corpus of kind apidocs, 10 labels, 2 annotators, 5 sources, 25 students" in " ".join(printed.split())
    assert "against the reference" in printed
    assert "CALIBRATION" in printed.upper()


@pytest.mark.slow
def test_the_slow_blocks_run(readme, example, tmp_path):
    """A study of one's own by the README's three commands: a file, a codebook, a run."""
    folder = clone_of(example, tmp_path / "labelrisk")
    rows = [f"There is {noun} in house {place}.,{area}\n" for place in range(60) for noun, area in NOUNS.items()]
    (folder / "mine.csv").write_text("text,label\n" + "".join(rows))
    editor = folder / "editor.py"
    editor.write_text(EDITOR)
    slow = [block for block in readme if block.slow]
    run_blocks(slow, folder, ENVIRONMENT | {"EDITOR": f"{sys.executable} {editor}"}, timeout=900)
    verdict = json.loads((folder / "studies" / "mine" / "metrics" / "verdict.json").read_text())
    assert verdict["number_of_seeds"] == 2
    assert len(verdict["sources"]) > 2


NOUNS = {"rain": "weather", "snow": "weather", "soup": "food", "bread": "food"}
EDITOR = """
import pathlib, re, sys
codebook = pathlib.Path(sys.argv[1])
assert "weather" in codebook.read_text()
params = codebook.parent / "params.yaml"  # what a reader would leave alone, and a test has no time for
text = re.sub(r"(?m)^seeds: .*", "seeds: [0, 1]", params.read_text())
for key, value in {"steps": 6, "least_steps": 1, "validate_every": 3}.items():
    text = re.sub(rf"(?m)^  {key}: [0-9]+", f"  {key}: {value}", text, count=1)
params.write_text(text)
"""
