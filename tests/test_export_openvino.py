"""A classifier as a graph of OpenVINO: kept only where its labels are the classifier's, which is measured and told."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from applied_study import CLASSES, rows, study

from labelrisk.classifiers.openvino_export import agreement, check
from labelrisk.classifiers.openvino_graph import Agreement, GraphForm
from labelrisk.classifiers.voting import margins, reread
from labelrisk.cli import main
from labelrisk.errors import LabelRiskError


@pytest.fixture(scope="module")
def root():
    return study()


def form(same, texts, precision="int8"):
    of = Agreement(texts=texts, same=same, alone=same, reread=0, farthest=0.0)
    return GraphForm(
        classifier="c", classes=("a", "b"), max_tokens=8, padding=0, precision=precision, temperature=1.0, margin=0.1,
        agreement=of,
    )  # fmt: skip


def test_a_margin_is_how_far_the_likeliest_class_is_ahead():
    assert margins(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])) == pytest.approx([0.2, 0.7, 0.0])
    assert margins(np.ones((2, 1))).tolist() == [1.0, 1.0]


def test_agreement_by_hand():
    alone = np.array([[0.9, 0.1], [0.52, 0.48], [0.3, 0.7], [0.6, 0.4]])
    wanted = np.array([[0.8, 0.2], [0.49, 0.51], [0.2, 0.8], [0.1, 0.9]])
    # the second differs but is read again (0.04 apart), the fourth differs and is not
    says = alone.copy()
    asked = []
    close = reread(says, 0.1, list("abcd"), lambda some: asked.append(some) or wanted[[1]])
    assert (asked, close.tolist()) == ([["b"]], [1])
    of = agreement(alone, says, wanted, close)
    assert (of.texts, of.same, of.alone, of.reread) == (4, 3, 2, 1)
    assert of.farthest == pytest.approx(0.5)
    # a student that says another thing in a batch of close texts is no equal label
    says[1] = alone[1]
    assert agreement(alone, says, wanted, close).same == 2
    assert "of 4 other texts 3 (75.00 %) had the classifier's label; 25.0 % were read again" in (
        form(3, 4).model_copy(update={"agreement": of}).told
    )


@pytest.mark.parametrize(("same", "is_kept"), [(1990, False), (1991, True)])
def test_less_than_995_of_1000_labels_are_refused(same, is_kept, tmp_path):
    if is_kept:
        check(form(same, 2000), tmp_path)
    else:
        with pytest.raises(LabelRiskError, match=r"1,990 of 2,000 texts \(99.50 %\) have the label that .* gives"):
            check(form(same, 2000), tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--precision", "int8"], "--precision int8 and --texts are about graphs of OpenVINO; give --format openvino"),
        (["--format", "openvino"], "--format openvino is measured on texts; name a table"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(root, tmp_path, capsys, words, says):
    distilled = str(root / "classifiers" / "distilled")
    assert main(["export", "--classifier", distilled, "--to", str(tmp_path / "out"), *words]) == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_package_that_is_not_installed_is_one_sentence(root, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    rows(10, seed=1).to_parquet(tmp_path / "in.parquet")
    words = ["--format", "openvino", "--texts", str(tmp_path / "in.parquet"), "--to", str(tmp_path / "out")]
    assert main(["export", "--classifier", str(root / "classifiers" / "distilled"), *words]) == 1
    assert "OpenVINO needs the package openvino, which is not installed" in capsys.readouterr().err


# of a process and all that it forks: whom they would speak to is written down, and not spoken to
WATCHED = """
import os, sys
def watch(event, values):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        if event != "socket.connect" or isinstance(values[1], tuple):
            with open(os.environ["SEEN"], "a") as file:
                file.write(f"{event} {values}\\n")
            raise OSError("no network")
sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path):
    """Runs Python with an empty home; gives whom it would have spoken to, and which files are in its home then."""
    home, seen, site = (tmp_path / name for name in ("home", "seen", "site"))
    site.mkdir()
    (site / "sitecustomize.py").write_text(WATCHED)
    path = os.pathsep.join([str(site), *sys.path])
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SEEN": str(seen), "PYTHONPATH": path}

    def run(*words):
        home.mkdir()
        seen.touch()
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return seen.read_text(), [path for path in home.rglob("*") if path.is_file()]

    return run


@pytest.mark.slow
def test_the_packages_would_tell_their_makers_of_their_use(watched):
    """Else the next test could not fail."""
    pytest.importorskip("nncf")
    spoken_to, files = watched("-c", "import openvino, nncf")
    assert "google-analytics" in spoken_to
    assert files


@pytest.mark.slow
def test_nothing_leaves_the_machine_and_nothing_is_written_in_the_home(root, tmp_path, watched):
    pytest.importorskip("nncf")
    rows(1200, seed=8).to_parquet(tmp_path / "in.parquet")
    folder = str(root / "classifiers" / "distilled")
    export = ["--format", "openvino", "--precision", "int8", "--texts", "in.parquet", "--to", "fast"]
    label = ["--graph", "fast", "--in", "in.parquet", "--out", "out.parquet"]
    code = (
        "from labelrisk.cli import main\n"
        f"assert not main(['export', '--classifier', {folder!r}, *{export}])\n"
        f"assert not main(['predict', '--classifier', {folder!r}, *{label}])"
    )
    assert watched("-c", code) == ("", [])
    assert (tmp_path / "out.parquet").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("classifier", "precision"), [("distilled", "fp32"), ("chosen", "int8")])
def test_a_graph_gives_the_labels_of_its_classifier_and_only_of_this_one(
    root, tmp_path, capsys, monkeypatch, classifier, precision
):
    pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    monkeypatch.chdir(tmp_path)
    rows(1200, seed=8).to_parquet("in.parquet")
    folder = str(root / "classifiers" / classifier)
    words = ["--classifier", folder, "--format", "openvino", "--precision", precision, "--texts", "in.parquet"]
    assert main(["export", *words, "--to", "fast"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    of = json.loads((tmp_path / "fast" / "graph.json").read_text())["agreement"]
    assert f"computes in {precision}: of {of['texts']:,} other texts {of['same']:,}" in said
    for out, more in (("plain", []), ("graph", ["--graph", "fast"])):
        assert main(["predict", "--classifier", folder, "--in", "in.parquet", "--out", f"{out}.parquet", *more]) == 0
    assert f"The graph computes in {precision}" in " ".join(capsys.readouterr().out.split())
    plain, graph = (pd.read_parquet(f"{out}.parquet") for out in ("plain", "graph"))
    assert (plain["label"] == graph["label"]).mean() > 0.995
    assert np.abs(plain["p_yes"] - graph["p_yes"]).mean() < (1e-4 if precision == "fp32" else 0.02)
    block = (tmp_path / "fast" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(compile(block.replace("FOLDER", "fast"), "README", "exec"), {})
    assert capsys.readouterr().out.strip()[2:-2] in CLASSES
    other = str(root / "classifiers" / ("chosen" if classifier == "distilled" else "distilled"))
    assert main(["predict", "--classifier", other, "--in", "in.parquet", "--out", "o.csv", "--graph", "fast"]) == 1
    assert "fast is the graph of another classifier than" in capsys.readouterr().err
