"""The site of docs/: it builds without a warning and asks no other server, and its reference leaves nothing out."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from labelrisk import stages

OUTSIDE = ("src", "plots", "examples", "benchmarks", "params.yaml", "dvc.yaml")  # what pages show or link
HEAVY = {
    "torch",
    "transformers",
    "pandas",
    "numpy",
    "dvc",
    "openai",
    "pydantic",
    "yaml",
    "matplotlib",
    "sphinx",
    "shtab",
}


@pytest.fixture(scope="module")
def reference(project):
    """The modules that write the reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(project / "docs" / "_ext"))
        import reference_pages.commands
        import reference_pages.params
        import reference_pages.stages

        yield reference_pages


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The built site, of a copy of the pages, so that nothing is written beside them."""
    root = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("_build", "reference", "__pycache__")
    shutil.copytree(project / "docs", root / "docs", ignore=ignored)
    for name in OUTSIDE:
        (root / name).symlink_to(project / name)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "docs", "html"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")
    return root / "html"


def test_every_key_of_params_is_in_the_reference_and_described(reference):
    page = reference.params.params_page()
    described = reference.params.described()
    assert len(described) > 120
    bare = [key for key, meaning in described.items() if len(meaning) < 5]
    assert not bare, f"no comment beside: {bare}"
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert {key.partition(".")[2] for key in described} == rows
    for path in ("`train`", "`annotators.NAME` with `kind: chat`", "`sources.NAME.repair` with `kind: small_loss`"):
        assert re.search(rf"^#+ {re.escape(path)}$", page, re.MULTILINE), path
    assert "| `margin` | number, above 0, below 1 | required | loss of macro-F1 that you accept |" in page
    assert "| `mode` | `requests` `batch` | `requests` | batch: by the Batch API |" in page


def test_a_key_without_a_comment_is_found(reference, monkeypatch):
    from labelrisk.settings.section import Section

    class Odd(Section):
        told: int = 1  # what it is
        untold: int = 2

    monkeypatch.setattr(reference.params, "Settings", Odd)
    assert reference.params.described() == {"Odd.told": "what it is", "Odd.untold": ""}


def test_every_command_and_option_is_in_the_reference_and_described(reference):
    page = reference.commands.commands_page()
    named = {name for name, _ in reference.commands.files(stages)}
    commands = {words: one for words, one in reference.commands.commands().items() if words not in named}
    assert len(commands) > 25
    for words, parser in commands.items():
        section = page.partition(f"## `labelrisk {words}`\n")[2].partition("\n## ")[0]
        assert section, words
        assert "```text\nlabelrisk" in section
        for action in parser._actions[1:]:
            assert action.help, f"labelrisk {words}: {action.dest} has no help"
            assert f"`{', '.join(action.option_strings) or action.metavar or action.dest}" in section


def test_the_reference_names_no_place_on_this_machine(reference, project):
    parts = reference.params.params_page() + reference.commands.commands_page()
    assert str(project.parent) not in parts
    assert f"{Path.home()}/" not in parts
    assert "](" not in parts


def test_every_stage_is_in_the_reference(reference, project):
    page = reference.stages.stages_page(project)
    declared = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    assert [name for name in declared if f"\n## `{name}`\n\n" not in page] == []
    assert "| one for each of | `${curve.sizes}` `${curve.sources}` |" in page


def leaf_keys(content):
    """The names of all keys of a JSON value."""
    if isinstance(content, list):
        return set().union(*map(leaf_keys, content))
    return set(content).union(*map(leaf_keys, content.values())) if isinstance(content, dict) else set()


def test_every_key_of_the_metrics_files_is_told(example):
    """But for names: of sources, annotators, claims, slices, reasons why rows were dropped, statuses."""
    page = (example / "docs" / "files.md").read_text()
    told = set(re.findall(r"`(\w+)`", page))
    files = {path.name: json.loads(path.read_text()) for path in (example / "metrics").rglob("*.json")}
    settings = yaml.safe_load((example / "params.yaml").read_text())
    named = {
        *settings["sources"],
        *settings["annotators"],
        *settings["baseline"]["kinds"],
        *settings["corpus"]["slices"],
    }
    named |= set(files["findings.json"]["recipe"]).union(*files["findings.json"]["claims"].values())
    named |= set(files["prepare.json"]["dropped"]).union(*files["contrasts.json"].values())
    named |= {"ok", "logprobs"}
    for name, content in files.items():
        assert f"metrics/{name}" in page or name.removesuffix(".json") in settings["annotators"], name
        untold = leaf_keys(content) - told - named
        assert not untold, f"docs/files.md does not tell {sorted(untold)} of {name}"
    assert leaf_keys(files) & told > {"difference", "because", "macro_f1_sd", "class_shift", "input_tokens"}


def test_every_statistic_is_told(project):
    """Each module of the room has its formula on the page, or is named there as what others are made of."""
    page = (project / "docs" / "statistics.md").read_text()
    modules = {path.name for path in (project / "src" / "labelrisk" / "statistics").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in modules if f"`statistics/{name}`" not in page) == []
    named = re.findall(r"`((?:statistics|coders|sources|annotators|comparison)/\w+\.py)`", page)
    assert [name for name in named if not (project / "src" / "labelrisk" / name).is_file()] == []


def test_help_is_light_and_shows_an_example(project):
    """Of every command, group and stage, in one process: nothing that takes long is loaded."""
    code = """
import contextlib, io, sys
from labelrisk.cli import main
from labelrisk.commands._parsers import parser_of
import argparse
def words_of(parser, above=()):
    yield above
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from words_of(inner, (*above, word))
for words in list(words_of(parser_of(None))):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    if words != ("cache",) and "\\nexample:\\n  " not in text.getvalue():
        print("no example:", *words)
    print("asked", *words)
print("loaded", *sys.modules)
"""
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("no example")] == []
    assert {"asked train", "asked cache import", "asked completion", "asked"} <= set(lines)
    assert not HEAVY & set(lines[-1].split())


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_holds_all_pages(site, project):
    pages = [path.relative_to(project / "docs") for path in (project / "docs").rglob("*.md")]
    assert len(pages) > 30
    assert [str(page) for page in pages if not (site / page.with_suffix(".html")).is_file()] == []
    formulas = (site / "statistics.html").read_text()
    assert formulas.count("<math") > 50
    assert "\\frac" not in re.sub(r"<annotation.*?</annotation>", "", formulas, flags=re.DOTALL)


@pytest.mark.slow
def test_the_site_asks_no_other_server(site):
    """What a browser fetches by itself: scripts, styles, fonts, pictures."""
    asked = []
    for page in site.rglob("*.html"):
        text = page.read_text()
        asked += re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"((?:https?:)?//[^\"]+)", text)
        asked += re.findall(r"<link[^>]*\shref=\"((?:https?:)?//[^\"]+)", text)
    for style in site.rglob("*.css"):
        asked += re.findall(r"(?:url\(|@import )[\"']?((?:https?:)?//[^\"')]+)", style.read_text())
    assert asked == []
