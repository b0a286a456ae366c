"""Slices: columns carried from the corpus, small values together, and what is scored on the rows of each."""

import csv
import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from small_study import load_small_study, settings
from small_study import write_study as write_small_study
from study_files import params, texts, write_study

from labelrisk.cli import main
from labelrisk.comparison.analyses.scores_by_slice import scores_by_slice
from labelrisk.comparison.analyses.source_scores import source_scores
from labelrisk.comparison.analyses.verdict import verdict
from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.slices import slice_scores, slices_of
from labelrisk.comparison.slices_table import read_slices, slices_text
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.stages import prepare
from labelrisk.statistics.contrasts import decide
from labelrisk.statistics.shares import wilson

OUTLETS = ["Post", "Times", None, "Post"] * 20
# of the 60 test rows of the small study: 40 (30 north, 10 south), 10 (south), 6 and 4 (west)
REGIONS = ["a"] * 40 + ["b"] * 10 + ["c"] * 6 + [None] * 4


def prepared(root, monkeypatch, corpus, rows):
    """Run the stage prepare in `root`; returns what it wrote."""
    monkeypatch.chdir(root)
    write_study(root, params(corpus=params()["corpus"] | corpus), rows)
    prepare.run(load(root / "params.yaml"), root / "out", root / "counts.json")
    return Prepared(root / "out")


def values_of(found, column):
    ids = found.rows()["id"]
    return dict(zip(found.rows()["text"], found.slices(pd.Index(ids))[column], strict=True))


def test_slices_are_carried_by_row_and_leave_all_other_files_as_they_were(tmp_path, monkeypatch):
    rows = texts().assign(outlet=OUTLETS, year=["2020", None] * 40)
    found = prepared(tmp_path, monkeypatch, {}, rows)
    before = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    assert "slices.parquet" not in before
    assert found.slices(pd.Index(["x"])) == {}
    found = prepared(tmp_path, monkeypatch, {"slices": ["outlet", "year", "text"]}, rows)
    assert values_of(found, "outlet") == dict(zip(rows["text"], OUTLETS, strict=True))
    assert values_of(found, "year") == dict(zip(rows["text"], ["2020", None] * 40, strict=True))
    assert values_of(found, "text") == {text: text for text in rows["text"]}  # a name that another column has
    after = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    assert after.pop("slices.parquet")
    assert after == before


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "tsv"])
def test_every_format_carries_the_same_values(tmp_path, monkeypatch, suffix):
    rows = texts().assign(outlet=OUTLETS)
    file = tmp_path / f"mine.{suffix}"
    {
        "tsv": lambda: rows.to_csv(file, index=False, sep="\t"),
        "jsonl": lambda: rows.to_json(file, orient="records", lines=True),
        "parquet": lambda: rows.to_parquet(file),
    }[suffix]()
    found = prepared(tmp_path, monkeypatch, {"path": file.name, "slices": ["outlet"]}, rows)
    assert values_of(found, "outlet") == dict(zip(rows["text"], OUTLETS, strict=True))


def test_of_copies_the_row_that_stays_says_the_slice(tmp_path, monkeypatch):
    rows = texts().assign(outlet=OUTLETS)
    copies = pd.concat([rows, rows.head(1).assign(outlet="Late")], ignore_index=True)
    found = prepared(tmp_path, monkeypatch, {"slices": ["outlet"]}, copies)
    assert values_of(found, "outlet")[rows["text"].iloc[0]] == "Post"


def test_a_data_set_of_the_hub_has_slices_too(tmp_path, monkeypatch):
    import datasets

    names = ["weather", "food"]
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        | {"region": datasets.ClassLabel(names=["north", "south"]), "year": datasets.Value("int64")}
    )
    rows = texts()
    table = {"text": list(rows["text"]), "label": [names.index(name) for name in rows["gold"]]}
    table |= {"region": [0, 1] * 40, "year": [1999, None] * 40}
    (tmp_path / "hub").mkdir()
    datasets.Dataset.from_dict(table, features=features).to_parquet(str(tmp_path / "hub" / "train.parquet"))
    for variable in ("HF_HOME", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    corpus = {"kind": "hub", "name": str(tmp_path / "hub"), "revision": "abc", "slices": ["region", "year"]}
    found = prepared(tmp_path, monkeypatch, corpus, rows)
    assert values_of(found, "region") == dict(zip(rows["text"], ["north", "south"] * 40, strict=True))
    assert values_of(found, "year") == dict(zip(rows["text"], ["1999", None] * 40, strict=True))
    with pytest.raises(LabelRiskError, match="has no column 'regoin'; did you mean 'region'"):
        prepared(tmp_path, monkeypatch, corpus | {"slices": ["regoin"]}, rows)


WRONG = {
    "absent": (["outlte"], r"texts.csv has no column 'outlte', which corpus.slices names; did you mean 'outlet'\?"),
    "twice": (["outlet", "outlet"], "'corpus.slices'.*holds 'outlet' twice; correct it"),
    "no list": ("outlet", "'corpus.slices' .found 'outlet'.: must be a list, such as .outlet.; correct it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_column_is_one_sentence_at_the_door_and_in_check(tmp_path, monkeypatch, capsys, name):
    wrong, says = WRONG[name]
    with pytest.raises(LabelRiskError, match=says) as error:
        prepared(tmp_path, monkeypatch, {"slices": wrong}, texts().assign(outlet=OUTLETS))
    assert "\n" not in str(error.value)
    assert main(["check"]) == 1
    assert str(error.value).rpartition("params.yaml")[2] in capsys.readouterr().err


def test_check_accepts_slices(tmp_path, monkeypatch, capsys):
    prepared(tmp_path, monkeypatch, {"slices": ["outlet"]}, texts().assign(outlet=OUTLETS))
    assert main(["check"]) == 0
    assert "OK: 80 rows" in capsys.readouterr().out


def test_small_values_are_together_and_named():
    values = np.array(["a"] * 5 + ["b"] * 30 + [None] * 40 + ["c"] * 7 + ["d", "e"] + ["f"] * 30, dtype=object)
    found = slices_of("outlet", values, 30)
    assert [(one.name, len(one.rows), one.pooled) for one in found] == [
        ("(none)", 40, 0),
        ("b", 30, 0),
        ("f", 30, 0),
        ("other (4 slices: c, a, d, ...)", 14, 4),
    ]
    assert sorted(np.concatenate([one.rows for one in found])) == list(range(len(values)))
    assert set(values[found[3].rows]) == {"a", "c", "d", "e"}
    assert [one.name for one in slices_of("outlet", np.array(["a"] * 3, dtype=object), 30)] == ["other (1 slice: a)"]


def test_values_that_are_long_or_not_printable_stay_apart():
    long = ["x" * 500 + end for end in ("1", "2")]
    values = np.array([*long, "a", "a\x00", "\x1b[31mred\n"] * 10, dtype=object)
    names = [one.name for one in slices_of("outlet", values, 10)]
    assert len(set(names)) == 5
    assert all(name.isprintable() and len(name) < 70 for name in names)


@pytest.fixture
def study_paths(tmp_path):
    paths = write_small_study(tmp_path)
    ids = pd.read_parquet(paths["prepared"] / "test.parquet")["id"]
    frame = pd.DataFrame({"id": ids, "slice region": REGIONS, "slice all": "all"})
    frame.iloc[::-1].to_parquet(paths["prepared"] / "slices.parquet")  # the order of the file is no matter
    return paths


def content(**changes):
    return settings(evaluate={"reference": "perfect", "margin": 0.02, "confidence": 0.95, "slice_rows": 10} | changes)


def study_of(paths, **changes):
    return load_small_study(paths, content(**changes))


def table_of(paths, **changes):
    """What the analysis writes: the rows of plots/slices.csv by column, slice and name, and metrics/slices.json."""
    root = paths["plots"].parent
    write_outputs({root / name: output for name, output in scores_by_slice(study_of(paths, **changes)).items()})
    with (paths["plots"] / "slices.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["column"], row["slice"], row["name"]): row for row in csv.DictReader(file)}
    return rows, json.loads((paths["metrics"] / "slices.json").read_text())


POOL = "other (2 slices: c, (none))"


def test_scores_of_each_slice_are_those_worked_by_hand(study_paths):
    rows, _ = table_of(study_paths)
    assert len(rows) == 4 * 4  # (3 sources and 1 annotator) x (a, b, the pool, all)
    assert {key[1]: (row["rows"], row["gold_classes"], row["pooled"]) for key, row in rows.items()} == {
        "a": ("40", "2", "0"),
        "b": ("10", "1", "0"),
        POOL: ("10", "1", "2"),
        "all": ("60", "3", "0"),
    }
    constant = rows["region", "a", "constant"]  # all 40 as north: F1 of north 2 * 30 / (40 + 30), of south 0
    assert float(constant["macro_f1"]) == pytest.approx((6 / 7 + 0) / 2, abs=5e-5)
    assert float(constant["difference"]) == pytest.approx(3 / 7 - 1, abs=5e-5)
    assert float(constant["accuracy"]) == 0.75
    assert float(constant["low"]) < 3 / 7 - 1 < float(constant["high"])
    assert constant["decision"] == "worse"
    assert float(rows["region", "a", "perfect"]["macro_f1"]) == 1
    assert {rows["region", "a", "perfect"][name] for name in ("difference", "low", "high", "decision")} == {""}
    # right in two of three seeds: 40 rows are right 26 or 27 times
    assert float(rows["region", "a", "wavering"]["accuracy"]) == pytest.approx((26 + 27 + 27) / 3 / 40, abs=5e-5)
    llm = rows["region", "a", "llm"]  # of 40 rows it left 3 without label, and was wrong in 3
    for measure, hits in (("coverage", 37), ("accuracy", 34)):
        expected = binomtest(hits, 40).proportion_ci(0.95, method="wilson")
        found = [float(llm[f"{measure}{end}"]) for end in ("", "_low", "_high")]
        assert found == pytest.approx([hits / 40, *expected], abs=5e-5)


def test_where_nothing_varies_there_are_no_bounds_and_no_decision(study_paths):
    rows, _ = table_of(study_paths)
    never = rows["region", "b", "constant"]  # never right: that other 10 rows would say the same is not known
    assert (never["difference"], never["low"], never["high"], never["decision"]) == ("-1.0", "", "", "not judged")


def test_a_slice_of_all_rows_has_the_numbers_of_the_study(study_paths):
    rows, _ = table_of(study_paths)
    study = study_of(study_paths)
    found = verdict(study)["metrics/verdict.json"]["sources"]
    scores = source_scores(study)["metrics/sources.json"]
    for source in ("constant", "wavering"):
        row = rows["all", "all", source]
        assert [float(row[name]) for name in ("difference", "low", "high")] == [
            found[source][name] for name in ("difference", "low", "high")
        ]
        names = ("macro_f1", "macro_f1_low", "macro_f1_high", "accuracy")
        assert [float(row[name]) for name in names] == [scores[source][name] for name in names]


def test_decisions_are_made_over_all_slices_together(study_paths):
    scored = slice_scores(study_of(study_paths))
    judged = [of for one in scored for of in one.sources.values() if of.difference is not None]
    assert len(judged) == 6  # wavering in a, b, the pool, and all; constant in a and all
    assert [of.difference for of in judged] == decide([of.gap for of in judged], 0.02, 0.95)


def test_no_number_stands_on_fewer_rows_than_the_minimum(study_paths):
    rows, _ = table_of(study_paths, slice_rows=11)
    pool = [row for (column, _, _), row in rows.items() if column == "region" and row["pooled"] == "3"]
    assert [row["rows"] for row in pool] == ["20"] * 4  # b, c and (none) are enough together
    rows, summary = table_of(study_paths, slice_rows=30)
    pool = [row for row in rows.values() if row["pooled"] == "3"]
    numbers = [name for name in pool[0] if name.endswith(("f1", "low", "high", "difference", "accuracy", "coverage"))]
    assert {row[name] for row in pool for name in numbers} == {""}
    assert {(row["name"], row["rows"], row["decision"]) for row in pool} == {
        ("perfect", "20", ""),
        *((name, "20", "too few rows") for name in ("constant", "wavering", "llm")),
    }
    assert summary["least_rows"] == 30
    assert summary["columns"]["region"]["sources"]["constant"]["rows"] == 40


def test_the_summary_names_the_worst_slice_of_each_source(study_paths):
    _, summary = table_of(study_paths)
    assert summary["compared"] == 6
    region = summary["columns"]["region"]
    assert (region["slices"], region["pooled"]) == (2, 2)
    constant = region["sources"]["constant"]
    assert (constant["worst_slice"], constant["rows"], constant["difference"]) == ("b", 10, -1.0)
    assert (constant["low"], constant["decision"], constant["slices_worse"]) == (None, "not judged", 1)
    assert constant["accuracy_spread"] == 0.75  # .75 in a, 0 in b
    assert region["sources"]["perfect"] == {"accuracy_spread": 0.0}
    worst = region["annotators"]["llm"]
    assert (worst["worst_slice"], worst["rows"], worst["accuracy"], worst["coverage"]) == ("a", 40, 0.85, 0.925)


def test_a_study_without_slices_has_an_empty_table(tmp_path):
    rows, summary = table_of(write_small_study(tmp_path))
    assert rows == {}
    assert summary == {"least_rows": 10, "compared": 0, "columns": {}}


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("hits", "of"), [(0, 30), (30, 30), (7, 31), (1, 1)])
def test_wilson_intervals_are_those_of_scipy(hits, of, confidence):
    expected = binomtest(hits, of).proportion_ci(confidence, method="wilson")
    assert wilson(hits, of, confidence) == pytest.approx((hits / of, expected.low, expected.high), abs=1e-12)


def test_wilsons_interval_by_hand():
    # 9 of 10, z = 1.96: (.9 + .19207 -+ 1.96 sqrt(.009 + .009604)) / 1.38415
    assert wilson(9, 10, 0.95) == pytest.approx((0.9, 0.5958, 0.9821), abs=1e-4)


@pytest.fixture
def printed(study_paths, tmp_path, monkeypatch, capsys):
    """A function that prints the table by a column; returns its exit code and what it printed."""
    table_of(study_paths)
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    judged = verdict(study_of(study_paths))["metrics/verdict.json"]
    for name in ("verdict", "sources", "annotators", "ensembles", "baselines"):
        (study_paths["metrics"] / f"{name}.json").write_text(json.dumps(judged if name == "verdict" else {}))

    def show(*options):
        code = main(["table", *options])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return show


def test_the_terminal_shows_the_slices_of_a_column(printed):
    code, text = printed("--by", "region")
    assert code == 0
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    headers = [line.split()[0] for line, rule in pairwise(lines) if set(rule) == {"-"}]
    assert headers == ["perfect", "constant", "wavering", "llm"]
    constant = lines[lines.index(next(line for line in lines if line.startswith("constant"))) :]
    a, b, pool = ([word for word in line.split("  ") if word] for line in constant[2:5])
    assert [one.strip() for one in (a[0], a[1], a[2], a[3], a[5])] == ["a", "40", "2", "42.9", "worse"]
    assert [one.strip() for one in b] == ["b", "10", "1", "0.0", "-100.0", "not judged"]
    assert pool[0] == "other (2)"
    said = " ".join(text.split())
    assert f"In full: {POOL}." in said
    assert "Holm over all slices and sources (6 gaps)" in said
    assert printed("--by", "region", "--markdown")[1].count("| a | 40 |") == 4


def test_a_column_without_slices_is_one_sentence(printed, study_paths):
    assert printed("--by", "regoin") == (
        1,
        "labelrisk table: there are no slices by 'regoin'; did you mean 'region'?\n",
    )
    text = (study_paths["plots"] / "slices.csv").read_text().splitlines()
    (study_paths["plots"] / "slices.csv").write_text(text[0] + "\n")
    assert printed("--by", "region")[1].endswith("name columns of the corpus in corpus.slices in params.yaml\n")
    (study_paths["plots"] / "slices.csv").unlink()
    assert printed("--by", "region")[1].endswith("plots/slices.csv is not there; run `labelrisk repro` first\n")


def test_what_slices_are_called_is_no_html(tmp_path):
    paths = write_small_study(tmp_path)
    ids = pd.read_parquet(paths["prepared"] / "test.parquet")["id"]
    frame = pd.DataFrame({"id": ids, "slice <b>": ["</script>\n\x1b[31m"] * 60})
    frame.to_parquet(paths["prepared"] / "slices.parquet")
    rows, _ = table_of(paths)
    assert "<" not in (paths["plots"] / "slices.csv").read_text()
    assert {key[:2] for key in rows} == {("\uff1cb>", "\uff1c/script>\\n\\x1b[31m")}
    found = read_slices((paths["plots"] / "slices.csv").read_text())
    shown = slices_text(found, "<b>", verdict(study_of(paths))["metrics/verdict.json"])
    assert shown.isascii()
    assert "\x1b" not in shown
