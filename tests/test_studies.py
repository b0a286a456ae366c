"""`labelrisk studies` over studies on disk, and its statistics against hand-worked numbers and scipy."""

import csv
import io
import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import study_texts
import yaml
from scipy.stats import binom, binomtest, quantile_test
from study_files import params, write_study

from labelrisk.cli import main
from labelrisk.codebook import read_codebook
from labelrisk.params import load
from labelrisk.statistics.sign_tests import least_tasks, least_values, median, sign_test
from labelrisk.studies.figures import read_study

PIPELINE = {"stages": {name: {"cmd": "labelrisk"} for name in ("prepare", "annotate", "filter", "train", "evaluate")}}
EVALUATE = params()["evaluate"]
IMPORTED = {"kind": "import", "reads": "texts.csv", "label": "gold"}


# ---- statistics


def test_sign_test_by_hand():
    """Of -3, -2, -1, 0, 2: three of four below.  P(X >= 3 of 4) = (4 + 1) / 16; all four would give 1 / 16."""
    found = sign_test([-3.0, -2.0, -1.0, 0.0, 2.0])
    assert (found.below, found.counted, found.ties) == (3, 4, 1)
    assert (found.p, found.smallest) == (5 / 16, 1 / 16)


def test_sign_test_without_anything_that_counts():
    assert sign_test([0.0, 0.0]) == (0, 0, 2, None, None)


def test_sign_test_is_scipys_over_fourteen_tasks():
    values = np.random.default_rng(0).normal(-0.5, 1, 14)
    below = int((values < 0).sum())
    assert sign_test([*values]).p == pytest.approx(binomtest(below, 14, 0.5, "greater").pvalue)
    reference = quantile_test(values, q=0, p=0.5, alternative="less")  # the sign test of scipy: is the median below 0
    assert sign_test([*values]).p == pytest.approx(reference.pvalue)


def test_as_many_tasks_as_a_decision_takes():
    """(1/2)^5 = 0.031 is the first below 0.05, (1/2)^7 = 0.0078 the first below 0.01; 1 - 2 / 2^6 = 0.969."""
    assert [least_tasks(level) for level in (0.05, 0.01)] == [5, 7]
    assert [least_values(level) for level in (0.5, 0.95)] == [2, 6]


def test_median_by_hand():
    """Of ten values x(2) and x(9) hold the median with 1 - 2 (1 + 10) / 1024 = 0.979; x(3), x(8) with 0.891."""
    found = median([5, 1, 9, 3, 7, 2, 10, 4, 8, 6], 0.95)
    assert (found.estimate, found.low, found.high) == (5.5, 2, 9)
    assert found.coverage == pytest.approx(1 - 22 / 1024)


@pytest.mark.parametrize("n", [6, 7, 14, 25])
def test_median_interval_is_the_narrowest_that_covers(n):
    values = [float(one) for one in range(1, n + 1)]
    found = median(values, 0.95)
    below = int(found.low) - 1  # values outside, on each side
    assert found.coverage == pytest.approx(1 - 2 * binom.cdf(below, n, 0.5))
    assert found.coverage >= 0.95 > 1 - 2 * binom.cdf(below + 1, n, 0.5)
    scipys = quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (found.low, found.high) == (scipys.low, scipys.high)


def test_median_of_few_has_no_interval():
    assert median([1, 2, 3, 4, 5], 0.95) == (3, None, None, None)


# ---- the folders of the two real studies


@pytest.mark.parametrize("name", study_texts.ROWS)
def test_the_pipeline_is_what_init_would_write_now(project, name):
    """`python benchmarks/study_texts.py --pipeline` writes it anew after an edit of the project's dvc.yaml."""
    for path, content in study_texts.pipeline(name).items():
        assert path.read_text() == content
    assert (project / "studies" / name / ".dvc" / "plots" / "classes.json").is_file()


@pytest.mark.parametrize("name", study_texts.ROWS)
def test_the_committed_numbers_are_about_the_sources_and_seeds_of_the_params(project, name, monkeypatch):
    monkeypatch.chdir(project / "studies" / name)
    settings = load(Path("params.yaml"))
    found = read_study(Path.cwd(), name)
    assert [settings.evaluate.reference, *(of.source for of in found.sources)] == [*settings.sources]
    assert json.loads(Path("metrics/verdict.json").read_text())["number_of_seeds"] == len(settings.seeds)
    assert not [path.name for path in Path().iterdir() if path.suffix == ".csv" and path.name != "texts.csv"]


@pytest.mark.parametrize(("name", "rows"), [("policy_uk", 596), ("babe", 3021)])
def test_their_texts_come_from_the_data_beside_the_project(shared_data, project, tmp_path, name, rows):
    study_texts.write_texts(name, tmp_path / "texts.csv")
    found = pd.read_csv(tmp_path / "texts.csv", dtype=str)
    declared = load(project / "studies" / name / "params.yaml").annotators.values()
    columns = {column for of in declared if hasattr(of, "votes") for column in (of.label, *of.votes) if column}
    assert (len(found), set(found.columns)) == (rows, {"text", "gold"} | columns)
    codebook = read_codebook(project / "studies" / name / "codebook.yaml")
    assert set(found["gold"]) == set(codebook.names)


def test_absent_data_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(study_texts, "SHARED", tmp_path)
    monkeypatch.setattr(study_texts, "STUDIES", tmp_path)
    monkeypatch.setattr("sys.argv", ["study_texts.py", "babe"])
    assert study_texts.main() == 1
    out, err = capsys.readouterr()
    data = tmp_path / "babe_media_bias" / "data.parquet"
    assert (
        err == f"study_texts: {data} is not there; bring the data set babe_media_bias, without which babe can't run\n"
    )
    assert not out
    assert not list(tmp_path.iterdir())


# ---- the command


def figures(difference, alpha=-0.05, **changes):
    """A source of metrics/verdict.json."""
    bounds = {"low": difference - 0.03, "high": difference + 0.03} if difference is not None else {}
    alphas = {"alpha_difference": alpha, "alpha_low": alpha - 0.04, "alpha_high": alpha + 0.04} if alpha else {}
    of = {"verdict": "risky", "because": "loses", "difference": difference, "cost": 1.5} | bounds
    return of | dict.fromkeys(("alpha_difference", "alpha_low", "alpha_high")) | alphas | changes


def study(folder, sources, texts=None, /, **changes):
    """A study that ran: of each source its figures, of annotators of their names."""
    (folder / "metrics").mkdir(parents=True)
    annotators = {"gold": {"kind": "gold", "reads": "codebook.yaml"}} | dict.fromkeys(sources, IMPORTED)
    declared = {"gold": {"annotator": "gold"}} | {name: {"annotator": name} for name in sources}
    write_study(folder, params(annotators=annotators, sources=declared, ensemble={"across": []}) | changes)
    if texts:  # other texts than the other studies have
        (folder / "texts.csv").write_text(f"text,gold\n{texts},food\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    verdict = {"confidence": 0.95, "sources": {"gold": figures(None, None)} | sources}
    (folder / "metrics" / "verdict.json").write_text(json.dumps(verdict))
    scores = {name: {"test_accuracy": 0.75} for name in sources}
    (folder / "metrics" / "annotators.json").write_text(json.dumps(scores))


def told(capsys, *words):
    """What the command prints, and its exit code."""
    code = main(["studies", *words])
    out, err = capsys.readouterr()
    return out, err, code


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_table_over_studies_and_a_summary(repository, capsys):
    study(repository / "studies" / "news", {"gpt": figures(-0.1, -0.02), "small": figures(-0.3)}, "a")
    study(repository / "studies" / "acts", {"small": figures(-0.04, 0.03, verdict="not trained enough")}, "b")
    (repository / "other").mkdir()
    out, err, code = told(capsys)
    assert (err, code) == ("", 0)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines[2:4]] == [
        ["studies/acts"],
        ["small", "*", "-4.0", "[-7.0,", "-1.0]", "+3.0", "[-1.0,", "+7.0]", "75.0", "1.50"],
    ]
    summed = {line.split(":")[0] + line.split(":")[1][:3]: line.split() for line in lines if "of 2" in line}
    # of small: -30 and -4; one of each: gpt's -10, the first of its params.yaml, and -4
    assert summed["small F1"][-6:] == ["2", "-17.0", "2", "of", "2", "0.250"]
    assert summed["one source of each study F1"][-6:] == ["2", "-7.0", "2", "of", "2", "0.250"]
    assert summed["one source of each study al"][-6:] == ["2", "+0.5", "1", "of", "2", "0.750"]
    text = " ".join(out.split())
    assert "* stands for its study: the first source in its params.yaml that takes an LLM's labels as they are" in text
    assert "With 2 studies the smallest possible p is 0.25, so that nothing can be decided at 0.05" in text
    assert "the gap may be one of training: studies/acts (small)" in text


def test_several_llms_of_a_study_are_one_task(repository, capsys):
    study(repository / "one", {name: figures(-0.1) for name in ("a", "b", "c")}, "a")
    study(repository / "two", {"d": figures(0.02)}, "b")
    found = json.loads(told(capsys, "--json")[0])
    (line,) = found["over_tasks"]
    assert line["sources"] == {"one": "a", "two": "d"}
    assert line["F1"]["sign_test"] == {"below": 1, "counted": 2, "ties": 0, "p": 0.75, "smallest": 0.25}
    assert [len(of["sources"]) for of in found["studies"]] == [3, 1]


def test_studies_of_the_same_texts_count_once_and_of_another_reference_not(repository, capsys):
    study(repository / "a", {"gpt": figures(-0.1)})
    study(repository / "b", {"gpt": figures(-0.2)})
    study(repository / "c", {"gpt": figures(-0.3)}, "c", evaluate=EVALUATE | {"reference": "gpt"})
    study(repository / "d", {"gpt": figures(-0.4)}, "d")
    found = json.loads(told(capsys, "--json")[0])
    assert [line["sources"] for line in found["over_tasks"]] == [{"a": "gpt", "d": "gpt"}]
    assert found["left_out"] == [
        "b is about the same texts as a, so that one counts",
        "c is held against gpt, which is not gold",
    ]


def test_the_same_texts_are_known_by_the_lock_where_they_are_absent(repository, capsys):
    for name in ("a", "b"):
        study(repository / name, {"gpt": figures(-0.1)})
        (repository / name / "texts.csv").unlink()
        lock = {"stages": {"prepare": {"cmd": "x", "deps": [{"path": "texts.csv", "md5": "1", "size": 1}]}}}
        (repository / name / "dvc.lock").write_text(yaml.safe_dump(lock))
    assert "b is about the same texts as a" in told(capsys, "--json")[0]


def test_treated_sources_people_and_gold_stand_for_no_llm(repository, capsys):
    people = IMPORTED | {"people": True}
    annotators = {"gold": {"kind": "gold", "reads": "codebook.yaml"}, "coders": people, "gpt": IMPORTED}
    declared = {"gold": {"annotator": "gold"}, "gold_50": {"annotator": "gold", "rows": 50}}
    declared |= {"coders": {"annotator": "coders"}, "few": {"annotator": "gpt", "rows": 9}, "gpt": {"annotator": "gpt"}}
    sources = {name: figures(-0.1) for name in ("gold_50", "coders", "few", "gpt")}
    for name in ("a", "b"):
        study(repository / name, sources, name, annotators=annotators, sources=declared)
    found = json.loads(told(capsys, "--json")[0])
    assert [of["source"] for of in found["studies"][0]["sources"]] == ["coders", "gpt"]
    assert [line["over"] for line in found["over_tasks"]] == ["coders", "gpt"]  # gpt is also the one of each study
    every = json.loads(told(capsys, "--json", "--all")[0])
    assert [of["source"] for of in every["studies"][0]["sources"]] == [*sources]


def test_a_study_that_did_not_run_says_what_to_run(repository, capsys):
    study(repository / "a", {"gpt": figures(-0.1)})
    shutil.rmtree(repository / "a" / "metrics")
    assert "not run: `cd a && labelrisk repro` runs it" in told(capsys)[0]
    (repository / "a" / "texts.csv").unlink()
    assert "not run: bring its texts (texts.csv, which is not there), then `cd a" in told(capsys)[0]


def test_a_study_that_cannot_be_read_hides_no_other(repository, capsys):
    for name in "abc":
        study(repository / name, {"gpt": figures(-0.1)}, name)
    (repository / "a" / "params.yaml").write_text("seeds: 1\n")
    (repository / "b" / "metrics" / "verdict.json").write_text('{"sources": {"gpt": {}}, "confidence": 0.95}')
    out, _, code = told(capsys)
    assert code == 0
    assert "can't be read: params.yaml: the key 'codebook' is missing; add it" in out
    assert "can't be read: metrics/verdict.json is not of this version (KeyError: 'difference')" in " ".join(
        out.split()
    )
    assert "-10.0 [-13.0, -7.0]" in out


def test_old_numbers_are_told(repository, capsys):
    study(repository / "a", {"gpt": figures(-0.1)})
    lock = {"stages": {"evaluate": {"cmd": "x", "params": {"params.yaml": {"seeds": [7]}}}}}
    (repository / "a" / "dvc.lock").write_text(yaml.safe_dump(lock))
    assert "out of date: `cd a && labelrisk repro` makes these numbers anew" in told(capsys)[0]


def test_where_studies_are_looked_for(repository, capsys, monkeypatch):
    for name in ("a", "deep/er/b", ".venv/c", "data/d", ".dvc/e", "clone/f"):
        study(repository / name, {"gpt": figures(-0.1)}, name)
    (repository / "clone" / ".git").mkdir()  # another repository
    (repository / "g").mkdir()
    (repository / "g" / "params.yaml").write_text("x: 1\n")
    (repository / "g" / "dvc.yaml").write_text("stages: {train: {cmd: labelrisk}}\n")
    assert [of["study"] for of in table(told(capsys, "--csv")[0])] == ["a", "deep/er/b"]
    assert [of["study"] for of in table(told(capsys, "--csv", "deep", "deep/er/b")[0])] == ["deep/er/b"]
    (repository / "a" / ".dvc").mkdir()  # as `labelrisk init` makes it
    monkeypatch.chdir(repository / "a")
    assert [of["study"] for of in table(told(capsys, "--csv")[0])] == ["a", "deep/er/b"]
    monkeypatch.chdir(repository / "deep")
    assert [of["study"] for of in table(told(capsys, "--csv")[0])] == ["a", "deep/er/b"]


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_and_markdown(repository, capsys):
    study(repository / "a", {"gpt": figures(-0.1, because="=1+1")})
    (line,) = table(told(capsys, "--csv")[0])
    assert (line["difference"], line["accuracy"], line["cost"], line["because"]) == ("-0.1", "0.75", "1.5", "'=1+1")
    markdown = told(capsys, "--markdown")[0].splitlines()
    assert markdown[2] == "| a | gpt | -10.0 [-13.0, -7.0] | -5.0 [-9.0, -1.0] | 75.0 | 1.50 | **risky**: =1+1 |"
    assert {line.count("|") for line in markdown[:3]} == {8}


def test_source_names_the_one_that_stands_for_a_study(repository, capsys):
    study(repository / "a", {"weak": figures(-0.3), "strong": figures(-0.1)}, "a")
    study(repository / "b", {"gpt": figures(-0.1)}, "b")
    found = json.loads(told(capsys, "--json", "--source", "strong", "--source", "gpt")[0])
    assert [line["sources"] for line in found["over_tasks"]] == [{"a": "strong", "b": "gpt"}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source", "gtp"], "--source is 'gtp', but no study that ran has such a source; did you mean 'gpt'?"),
        (["nowhere"], "nowhere is not a folder; name a study's folder, or one above several"),
        (
            ["empty"],
            "empty holds no study (a params.yaml beside a dvc.yaml of labelrisk); name another folder, or make",
        ),
    ],
)
def test_wrong_input_is_one_sentence(repository, capsys, words, sentence):
    study(repository / "a", {"gpt": figures(-0.1)})
    (repository / "empty").mkdir()
    out, err, code = told(capsys, *words)
    assert (out, code, err.count("\n")) == ("", 1, 1)
    assert sentence in err


def test_an_interval_from_six_studies_on(repository, capsys):
    for place in range(6):
        study(repository / f"s{place}", {"gpt": figures(-0.01 * (place + 1))}, str(place))
    out = told(capsys)[0]
    lines = [line.split() for line in out.splitlines() if line.startswith("gpt: F1")]
    assert lines == [["gpt:", "F1", "6", "-3.5", "[-6.0,", "-1.0]", "6", "of", "6", "0.016"]]
    assert "nothing can be decided" not in out
    gaps = [float(line.split()[2]) for line in out.splitlines() if line.startswith("  gpt *")]
    assert all(one > other for one, other in pairwise(gaps))
    assert len(gaps) == 6
