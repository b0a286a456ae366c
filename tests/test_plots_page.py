"""The page of `dvc plots show`: what classes and sources are called is text on it, and no script."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml
from dvc_study import ENVIRONMENT

from labelrisk.cli import main
from labelrisk.comparison.outputs import write_outputs

ATTACK = "document.title = 'taken'"
HOSTILE = [
    f"</script><script>{ATTACK}</script>",
    f"<!--<script>{ATTACK}</script>-->",
    f'<img src=x onerror="{ATTACK}">',
    f"'\"]}}}};{ATTACK};//",
    "<DVC_METRIC_DATA>",
    "{plot_divs}",
    "\u2028\u2029\x00",
]
NAMES = ("class", "gold", "predicted", "source", "annotator", "name", "ensemble", "column", "slice")


class Scripts(HTMLParser):
    """Counts tags, and keeps what stands outside of scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        if self.tags[-1:] != ["script"]:
            self.text += data


@pytest.fixture
def page(tmp_path, project):
    """A function that writes all plots of the project, their names replaced, and the page of these."""
    shutil.copytree(project / ".dvc" / "plots", tmp_path / ".dvc" / "plots")
    shutil.copy(project / ".dvc" / "config", tmp_path / ".dvc" / "config")
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    declared = [plot for name in ("evaluate", "ensemble") for plot in stages[name]["plots"]]
    plots = [
        {path: {key: value for key, value in keys.items() if key != "cache"}}
        for plot in declared
        for path, keys in plot.items()
        if path.endswith("csv")
    ]
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"plots": plots}))

    def write(named, without=None):
        """`without`: a plot whose file is not there."""
        for plot in plots:
            for path in set(plot) - {without}:
                frame = pd.read_csv(project / path).head(200)
                for column in set(frame) & set(NAMES):
                    known = list(frame[column].unique())
                    frame[column] = frame[column].map(lambda name, known=known: named(known.index(name), name))
                write_outputs({tmp_path / path: frame})
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, env=ENVIRONMENT)
        command = ["dvc", "plots", "show"]
        subprocess.run(command, cwd=tmp_path, check=True, env=ENVIRONMENT, capture_output=True, timeout=100)
        return tmp_path / "dvc_plots" / "index.html"

    return write


def test_names_are_text_on_the_page(page):
    found, text = [], ""
    for named in (lambda place, name: name, lambda place, name: HOSTILE[place % len(HOSTILE)]):
        parser, text = Scripts(), page(named).read_text()
        parser.feed(text)
        found.append((parser.tags, " ".join(parser.text.split())))
    assert found[0][0].count("script") > 3
    assert found[0] == found[1]
    assert "run `labelrisk vega` once" in text  # in a clone without set-up


def test_each_plot_has_a_title_and_a_sentence_and_no_picture_is_there_twice(project):
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    plots = [plot for stage in stages.values() for plot in stage.get("plots", [])]
    assert len(plots) >= 8
    for plot in plots:
        ((name, keys),) = plot.items()
        assert name.endswith(".csv"), "a picture is an output, and its table a plot"
        assert keys["title"]
        template = json.loads((project / ".dvc" / "plots" / f"{keys['template']}.json").read_text())
        assert template["title"]["text"] == "<DVC_METRIC_TITLE>"
        assert " ".join(template["title"]["subtitle"]).endswith(".")
    assert {"plots/frontier.png": {"cache": False}} in stages["evaluate"]["outs"]


def test_the_page_with_its_script_is_this_clones_and_stays_out_of_git(tmp_path, project, monkeypatch, capsys):
    shutil.copytree(project / ".dvc" / "plots", tmp_path / ".dvc" / "plots")
    (tmp_path / ".dvc" / "config.local").write_text("# mine\n[core]\n    remote = here\n")
    (tmp_path / "studies" / "one").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "studies" / "one")
    assert main(["vega"]) == 0
    local = (tmp_path / ".dvc" / "config.local").read_text()
    assert "remote = here" in local
    assert "html_template = ../.labelrisk/page.html" in local
    made = (tmp_path / ".labelrisk" / "page.html").read_text()
    for placeholder in ("{plot_divs}", "{refresh_tag}"):
        assert made.count(placeholder) == 1  # DVC fills all of them
    assert "{scripts}" not in made
    assert "http://" not in re.sub(r"http://www\.w3\.org", "", made.partition("<script>")[0])
    (tmp_path / ".dvc" / "plots" / "page.html").write_text("<html>{plot_divs}</html>")
    assert main(["vega"]) != 0
    assert 'has no <script id="vega">' in capsys.readouterr().err


def test_without_a_repository_there_is_nothing_to_write(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["vega"]) != 0
    assert "no folder .dvc here or above" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium")
def test_a_browser_draws_the_page_where_it_was_moved_and_runs_no_name(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["vega"]) == 0
    page(lambda place, name: HOSTILE[place % len(HOSTILE)], without="plots/slices.csv")
    moved = tmp_path / "elsewhere" / "mailed.html"
    moved.parent.mkdir()
    (tmp_path / "dvc_plots" / "index.html").rename(moved)
    shutil.rmtree(tmp_path / ".labelrisk")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom"]
    command = ["chromium", *options, f"--user-data-dir={tmp_path}/browser", moved.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    assert "<title>labelrisk: plots</title>" in shown
    assert len(re.findall(r"<canvas|<svg[^>]*marks", shown)) == 7
    assert 'id="plots_slices_csv"' not in shown
    parser = Scripts()
    parser.feed(shown)
    assert "img" not in parser.tags
