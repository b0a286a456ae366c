"""`labelrisk slice`: the whole study anew on the test rows of each slice, in a folder of its own."""

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from small_study import run_explain, settings, write_study
from study_files import PARAMS

from labelrisk.cli import main
from labelrisk.commands import _sliced_study
from labelrisk.commands._sliced_study import folders_of, summary
from labelrisk.comparison.analyses.verdict import verdict
from labelrisk.comparison.slices import Slice, slices_of
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.stages import explain

# of the 60 test rows: 40 (30 north, 10 south), 10 (south), 6 and 4 (west), as in test_slices.py
REGIONS = ["a"] * 40 + ["B & <b>"] * 10 + ["c"] * 6 + [None] * 4
OPTIONS = ("--by", "region", "--out", "slices")


def content():
    return settings(
        corpus={"kind": "files", "path": "texts.csv", "slices": ["region", "half"]},
        evaluate={"reference": "perfect", "margin": 0.02, "confidence": 0.95, "slice_rows": 10},
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished study with slices in a folder of its own, as its stages left it, with params.yaml."""
    root = tmp_path_factory.mktemp("finished")
    paths = write_study(root)
    ids = pd.read_parquet(paths["prepared"] / "test.parquet")["id"]
    columns = {"id": ids, "slice region": REGIONS, "slice half": np.where(np.arange(60) % 2, "odd", "even")}
    pd.DataFrame(columns).to_parquet(paths["prepared"] / "slices.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "EXPLANATIONS", {})  # what it reads is all that is wanted
        run_explain(paths, content())
    made = content().model_dump(mode="json", exclude_unset=True)
    missing = {key: value for key, value in PARAMS.items() if key not in made}
    (root / "params.yaml").write_text(yaml.safe_dump(missing | made, sort_keys=False))
    return root


@pytest.fixture
def study(finished, tmp_path, monkeypatch):
    """A copy that may be spoilt, of which little is computed anew."""
    root = tmp_path / "study"
    shutil.copytree(finished, root, ignore=shutil.ignore_patterns("slices", "explanations"))
    monkeypatch.chdir(root)
    monkeypatch.setattr(_sliced_study, "ANALYSES", (verdict,))
    monkeypatch.setattr(explain, "EXPLANATIONS", {})
    return root


def command(*options):
    """The exit code of the command."""
    where = {name: name for name in ("prepared", "labels", "vectors", "baselines", "training", "logs", "runs")}
    where |= {"edited": "perturbed.parquet", "distilled": "distilled.parquet"}
    return main(["slice", *options, *(word for name, path in where.items() for word in (f"--{name}", path))])


def slice_(capsys, *options):
    """Run the command; returns its exit code and what it printed."""
    capsys.readouterr()
    code = command(*options)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.fixture(scope="module")
def printed(finished):
    """What the command printed, run once with all analyses and explanations."""
    shown = io.StringIO()
    with contextlib.chdir(finished), contextlib.redirect_stdout(shown):
        assert command(*OPTIONS) == 0
    return shown.getvalue()


@pytest.fixture
def sliced(finished, printed, monkeypatch):
    monkeypatch.chdir(finished)


def test_each_slice_has_all_files_of_the_study(sliced, printed):
    assert sorted(path.name for path in Path("slices").iterdir()) == ["01_a", "02_b_b", "03_other", "README.md"]
    own = {f"{folder}/{path.name}" for folder in ("metrics", "plots") for path in Path(folder).iterdir()}
    for folder in ("01_a", "02_b_b", "03_other"):
        here = Path("slices") / folder
        files = {str(path.relative_to(here)) for path in here.rglob("*.*")}
        more = {"metrics/ensembles.json", "plots/ensembles.csv"}
        assert {name for name in files if not name.startswith("explanations/")} == own | more
        assert {f"explanations/{name}.json" for name in (*EXPLANATIONS, "findings")} <= files
        for name in EXPLANATIONS:
            assert json.loads((here / f"explanations/{name}.json").read_text())["says"]
    assert "01_a" in printed
    assert printed.isascii()
    assert max(map(len, printed.splitlines())) <= 80


def test_numbers_of_a_slice_are_those_that_the_study_tells_of_it(sliced):
    with Path("plots/slices.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["column"] == "region"]
    slices = {row["slice"]: None for row in rows}
    assert len(slices) == 3
    for name, folder in zip(slices, ("01_a", "02_b_b", "03_other"), strict=True):
        verdict = json.loads(Path(f"slices/{folder}/metrics/verdict.json").read_text())["sources"]
        scores = json.loads(Path(f"slices/{folder}/metrics/sources.json").read_text())
        given = json.loads(Path(f"slices/{folder}/metrics/annotators.json").read_text())
        for row in (row for row in rows if row["slice"] == name):
            if row["kind"] == "annotator":
                assert float(row["accuracy"]) == given[row["name"]]["test_accuracy"]
                continue
            assert float(row["macro_f1"]) == scores[row["name"]]["macro_f1"]
            assert float(row["accuracy"]) == scores[row["name"]]["accuracy"]
            if row["low"]:
                assert [float(row[key]) for key in ("difference", "low", "high")] == [
                    verdict[row["name"]][key] for key in ("difference", "low", "high")
                ]
    confusion = pd.read_csv("slices/03_other/plots/confusion_annotator.csv")
    assert confusion["gold"].tolist() == ["west"] * 10
    half = pd.read_csv("slices/01_a/plots/slices.csv").query("column == 'half'")
    assert set(half["rows"]) == {20}  # slices by other columns are those of the slice


def test_students_that_are_right_on_a_slice_of_one_class_have_not_failed(sliced):
    failed = {
        source: of["failed_runs"]
        for source, of in json.loads(Path("slices/02_b_b/metrics/verdict.json").read_text())["sources"].items()
    }
    assert failed == {"perfect": 0, "constant": 3, "wavering": 0}
    whole = json.loads(Path("metrics/verdict.json").read_text())["sources"]
    assert failed == {source: of["failed_runs"] for source, of in whole.items()}


def test_votes_of_a_slice_are_those_of_its_rows(sliced):
    votes = json.loads(Path("slices/01_a/metrics/ensembles.json").read_text())
    assert list(votes) == ["perfect", "constant", "wavering", "across"]
    assert votes["constant"]["soft"]["accuracy"] == 0.75  # 30 of 40 rows are north
    assert votes["wavering"]["hard"]["accuracy"] == 1  # right in two of three seeds
    assert set(pd.read_csv("slices/01_a/plots/ensembles.csv").query("ensemble == 'across'")["students"]) == {6}


def test_the_commands_show_a_slice(sliced, capsys):
    for folder in ("01_a", "02_b_b", "03_other"):
        here = Path("slices") / folder
        for options in ((), ("--markdown",), ("--by", "half")):
            assert main(["table", "--metrics", f"{here}/metrics", "--plots", f"{here}/plots", *options]) == 0
        assert main(["why", "--folder", f"{here}/explanations"]) == 0
        assert main(["findings", f"{here}/metrics/findings.json"]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_small_slices_are_named_and_left_out(study, capsys):
    lines = Path("params.yaml").read_text().replace("slice_rows: 10", "slice_rows: 15")
    Path("params.yaml").write_text(lines)
    code, text = slice_(capsys, *OPTIONS)
    assert code == 0
    assert sorted(path.name for path in Path("slices").iterdir()) == ["01_a", "02_other", "README.md"]
    Path("params.yaml").write_text(lines.replace("slice_rows: 15", "slice_rows: 30"))
    code, text = slice_(capsys, *OPTIONS)
    assert [path.name for path in sorted(Path("slices").iterdir())] == ["01_a", "README.md"]  # what was there is gone
    readme = Path("slices/README.md").read_text()
    assert "other (3 slices: B &amp; " not in readme  # no more is escaped than Markdown needs
    assert "fewer than 30 gold test rows: other (3 slices: B & &lt;b>, c, (none)) (20 rows)." in readme
    assert "too few rows: other (3 slices: B & <b>, c, (none)) (20 rows)." in " ".join(text.split())


def test_the_list_of_slices_escapes_their_names(study, capsys):
    slice_(capsys, *OPTIONS)
    readme = Path("slices/README.md").read_text()
    assert readme.startswith("# The study by slices of region\n")
    assert "| 02_b_b | B & &lt;b> | 10 | 1 |" in readme
    assert "| 01_a | a | 40 | 2 |" in readme
    assert "<b>" not in readme


def test_names_of_folders_are_plain_words():
    values = np.array(
        ["Ärzte / Blatt"] * 12 + ["日本"] * 11 + ["../../etc"] * 10 + ["x" * 99] * 10 + ["b"], dtype=object
    )
    found = folders_of(slices_of("outlet", values, 10), 10)
    assert list(found) == ["01_arzte_blatt", "02_slice", "03_etc", "04_" + "x" * 40]
    assert next(iter(found.values())).name == "Ärzte / Blatt"


def test_how_to_look_at_a_slice_fits_into_a_terminal():
    folder = "01_" + "x" * 40
    text = summary({folder: Slice("outlet", "x" * 60, np.arange(40))}, [], Path("slices"))
    assert max(map(len, text.splitlines())) <= 80
    commands = text.partition("See one:\n")[2].replace("\\\n", "")
    assert [line.split() for line in commands.splitlines()] == [
        ["labelrisk", "table", "--metrics", f"slices/{folder}/metrics", "--plots", f"slices/{folder}/plots"],
        ["labelrisk", "why", "--folder", f"slices/{folder}/explanations"],
    ]


def test_one_that_fails_leaves_all_as_it_was(study, capsys, monkeypatch):
    calls = []

    def fails_later(evidence):
        calls.append(1)
        if len(calls) > 1:
            raise ZeroDivisionError
        return next(iter(EXPLANATIONS.values()))(evidence)

    assert slice_(capsys, *OPTIONS)[0] == 0
    before = {path: path.read_bytes() for path in Path("slices").rglob("*.*")}
    monkeypatch.setattr(explain, "EXPLANATIONS", {"new": fails_later})
    assert slice_(capsys, *OPTIONS)[0] == 70
    assert len(calls) == 2
    assert {path: path.read_bytes() for path in Path("slices").rglob("*.*")} == before
    assert not [path for path in Path().iterdir() if path.name.startswith(".slices")]


@pytest.mark.parametrize(
    "spoil", ["file", "folder of others", "more", "no list", "in a slice", "a file as a slice", "a file as a part"]
)
def test_a_folder_of_others_is_not_replaced(study, capsys, spoil):
    if spoil == "file":
        Path("slices").write_text("mine")
    else:
        Path("slices/01_a").mkdir(parents=True)
        Path("slices/README.md").write_text("mine" if spoil == "no list" else "# The study by slices of region\n")
    if spoil == "more":
        Path("slices/mine.txt").write_text("mine")
    if spoil == "folder of others":
        Path("slices/Mine").mkdir()
    if spoil == "in a slice":
        Path("slices/01_a/notes.txt").write_text("mine")
    if spoil == "a file as a slice":
        Path("slices/02_b").write_text("mine")
    if spoil == "a file as a part":
        Path("slices/01_a/metrics").write_text("mine")
    before = sorted(Path().rglob("slices/**/*"))
    code, text = slice_(capsys, *OPTIONS)
    assert code == 1
    assert "holds what this command did not write; name another folder by --out" in text
    assert text.count("\n") == 1
    assert sorted(Path().rglob("slices/**/*")) == before
    assert slice_(capsys, "--by", "region", "--out", ".")[0] == 1
    assert Path("params.yaml").exists()


def test_mistakes_are_one_sentence(study, capsys):
    for words, says in (
        (("--by", "regoin"), "there are no slices by 'regoin'; did you mean 'region'?"),
        (("--by", "region", "--out", "prepared"), "prepared is there and holds what this command did not write"),
    ):
        code, text = slice_(capsys, *words)
        assert (code, says in text, text.count("\n")) == (1, True, 1)
    lines = Path("params.yaml").read_text()
    Path("params.yaml").write_text(lines.replace("slice_rows: 10", "slice_rows: 70"))
    code, text = slice_(capsys, *OPTIONS)
    assert (code, text.count("\n")) == (1, 1)
    assert "no slice by 'region' has evaluate.slice_rows = 70 gold test rows, the largest has 60" in text
    Path("params.yaml").write_text(lines.replace("- half", "- half\n  - outlet"))
    code, text = slice_(capsys, "--by", "outlet")
    assert (code, text.count("\n")) == (1, 1)
    assert "the prepared rows have no column 'outlet' yet, which corpus.slices names; run `labelrisk repro`" in text
    Path("params.yaml").write_text(lines)
    shutil.rmtree("vectors")
    code, text = slice_(capsys, *OPTIONS)
    assert (code, text.count("\n")) == (1, 1)


def test_a_study_without_slices_says_where_to_name_them(study, capsys):
    made = yaml.safe_load(Path("params.yaml").read_text())
    del made["corpus"]["slices"]
    Path("params.yaml").write_text(yaml.safe_dump(made))
    assert "name columns of the corpus in corpus.slices" in slice_(capsys, *OPTIONS)[1]
