"""People as a second opinion: the sheet with exactly the doubted rows, filled in part, in full, and on two sheets."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc_study import ENVIRONMENT, write_dvc
from study_files import params, texts, write_study

from labelrisk.cli import main
from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.spreadsheets import original_id
from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.stages import annotate, prepare, reannotate

SHEET = Path("coding/doubts.csv")
PLACES = (Path("data/prepared"), Path(".labelrisk/calls.sqlite"))
# one that a spreadsheet program would take for a formula
ROWS = texts().assign(text=lambda rows: rows["text"].where(rows.index != 3, "=1+1; =2"))


def declared(**changes):
    """`cheap` has probabilities, `doubts` are its quarter of highest entropy, which people label."""
    gold = {"kind": "gold", "reads": "codebook.yaml"}
    columns = {"weather": "p_weather", "food": "p_food"}
    people = {"kind": "import", "reads": str(SHEET), "label": "label", "people": True}
    opinion = {"of": "cheap", "select": {"by": "entropy", "share": 0.25}, "ask": people}
    content = params(
        annotators={"gold": gold, "cheap": {"kind": "import", "reads": "cheap.csv", "probabilities": columns}},
        second_opinions={"doubts": opinion | changes},
        sources={"gold": {"annotator": "gold"}},
        ensemble={"across": []},
    )
    # the row that looks like a formula is a train row, and the most doubtful one
    content["corpus"] = content["corpus"] | {"split": "split"}
    return content


def write(root, content):
    rows = ROWS.assign(
        split=np.where(np.arange(80) % 4 == 0, "test", np.where(np.arange(80) % 8 == 1, "validation", "train"))
    )
    write_study(root, content, rows)
    sure = np.linspace(0.99, 0.6, 80)
    sure[3] = 0.5
    right = np.where(ROWS["gold"] == "weather", sure, 1 - sure)
    ROWS[["text"]].assign(p_weather=right, p_food=1 - right).to_csv(root / "cheap.csv", index=False)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study whose `cheap` has labelled, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, declared())
    settings = load(Path("params.yaml"))
    prepare.run(settings, PLACES[0], Path("counts.json"))
    annotate.run(
        settings,
        "cheap",
        *PLACES,
        Path("data/labels/cheap.parquet"),
        Path("data/ballots/cheap.parquet"),
        Path("m.json"),
    )
    return tmp_path


def ask():
    """The labels of `doubts`."""
    labels = Path("data/labels")
    settings = load(Path("params.yaml"))
    reannotate.run(
        settings, "doubts", PLACES[0], labels / "cheap.parquet", PLACES[1], labels / "doubts.parquet", Path("d.json")
    )
    return pd.read_parquet(labels / "doubts.parquet").set_index("id")


def sheet(path=SHEET):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def fill(path=SHEET, rows=slice(None), separator=",", **columns):
    """Let people fill these rows with gold."""
    frame = sheet(path)
    gold = Prepared(PLACES[0]).split("train").set_index("id")["gold"]
    right = [gold[original_id(one)] for one in frame["id"]]
    frame.loc[frame.index[rows], "label"] = np.array(right, dtype=object)[rows]
    frame.assign(**columns).to_csv(path, index=False, sep=separator)
    return {original_id(one) for one in frame["id"][frame["label"] != ""]}


def most_doubtful(number):
    labels = pd.read_parquet("data/labels/cheap.parquet")
    return set(labels[labels["split"] == "train"].nlargest(number, "entropy")["id"])


def refusal(capsys, *words):
    capsys.readouterr()
    assert main(list(words)) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


QUARTER = round(0.25 * 50)  # of the train rows


def test_the_sheet_holds_exactly_the_doubted_rows_and_its_labels_come_back(study, capsys):
    with pytest.raises(
        LabelRiskError, match=r"coding/doubts.csv, .* run `labelrisk sample --source doubts --out coding"
    ):
        ask()
    assert main(["sample", "--source", "doubts", "--out", str(SHEET)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Wrote {QUARTER} rows of train that doubts asks about; 0 of them at random." in said
    frame = sheet()
    assert set(map(original_id, frame["id"])) == most_doubtful(QUARTER)
    assert set(frame["sampling_probability"]) == {"1.0"}
    assert set(frame["label"]) == {""}
    assert "annotator_label" not in frame
    assert any("'=1+1" in text for text in frame["text"])
    tasks = json.loads(SHEET.with_suffix(".label_studio.json").read_text())
    assert {task["data"]["id"] for task in tasks} == most_doubtful(QUARTER)
    with pytest.raises(LabelRiskError, match=rf"{QUARTER} of {QUARTER} asked rows have no label"):
        ask()
    fill()
    labels = ask()
    asked = labels[labels["sampling_probability"].notna()]
    gold = Prepared(PLACES[0]).split("train").set_index("id")["gold"]
    assert asked["label"].to_dict() == gold[asked.index].to_dict()
    assert set(asked["labeller"]) == {"doubts"}
    assert set(labels["status"]) == {"ok", "not_asked"}
    assert load(Path("params.yaml")).is_human("doubts")
    assert not load(Path("params.yaml")).is_human("cheap")
    assert "no label" not in capsys.readouterr().err
    assert "have a label; run `dvc repro`" in refusal(capsys, "sample", "--source", "doubts", "--out", "more.csv")


def test_of_a_half_filled_sheet_nothing_is_lost_and_the_rest_gets_a_sheet_of_its_own(study, capsys):
    assert main(["sample", "--source", "doubts", "--out", str(SHEET)]) == 0
    done = fill(rows=slice(0, 5))
    before = SHEET.read_bytes()
    labels = ask()
    said = capsys.readouterr().err
    assert (
        f"second_opinions.doubts: {QUARTER - 5} of {QUARTER} asked rows have no label in coding/doubts.csv yet" in said
    )
    assert said.count("\n") == 1
    assert set(labels.index[labels["status"] == "ok"]) == done
    assert "exists, and may hold a coder's work" in refusal(capsys, "sample", "--source", "doubts", "--out", str(SHEET))
    more = SHEET.with_name("more.csv")
    assert main(["sample", "--source", "doubts", "--out", str(more)]) == 0
    assert "5 more have a label already" in " ".join(capsys.readouterr().out.split())
    assert set(map(original_id, sheet(more)["id"])) == most_doubtful(QUARTER) - done
    assert SHEET.read_bytes() == before
    # both sheets count once the folder is named, as a spreadsheet program of another country writes the second one
    fill(more, separator=";")
    content = declared()
    content["second_opinions"]["doubts"]["ask"]["reads"] = "coding"
    write(study, content)
    labels = ask()
    assert set(labels.index[labels["status"] == "ok"]) == most_doubtful(QUARTER)


def test_random_rows_come_with_their_probability(study, capsys):
    write(study, declared(random_share=0.2))
    assert main(["sample", "--source", "doubts", "--out", str(SHEET)]) == 0
    frame = sheet().assign(id=lambda rows: rows["id"].map(original_id)).set_index("id")
    others = round(0.2 * (50 - QUARTER))
    probability = frame["sampling_probability"].astype(float)
    assert (probability < 1).sum() == others
    assert set(probability[probability < 1].round(6)) == {round(others / (50 - QUARTER), 6)}
    fill()
    labels = ask()
    assert labels["sampling_probability"].dropna().round(6).to_dict() == probability.round(6).to_dict()
    said = refusal(capsys, "sample", "--source", "doubts", "--out", "x.csv", "--random-share", "0.1")
    assert "set its 'random_share' in params.yaml" in said


def test_who_and_when_stand_in_the_columns_that_are_named_without_addresses(study):
    assert main(["sample", "--source", "doubts", "--out", str(SHEET)]) == 0
    content = declared()
    content["second_opinions"]["doubts"]["ask"] |= {"coder": "annotator", "answered_at": "updated_at"}
    write(study, content)
    names = np.where(np.arange(QUARTER) % 2, "anna@example.org", "ben")
    fill(annotator=names, updated_at="2026-01-31T12:00:00+01:00")
    labels = ask().dropna(subset="label")
    assert set(labels["labeller"]) == {"person1", "ben"}
    assert set(labels["answered_at"]) == {pd.Timestamp("2026-01-31T11:00:00Z")}
    fill(annotator=names, updated_at="yesterday")
    with pytest.raises(LabelRiskError, match=r"doubts.csv, line 2: the column 'updated_at' holds 'yesterday'"):
        ask()


def test_a_source_that_selects_by_itself_has_its_rows_written(study, capsys):
    content = declared()
    content["annotators"]["people"] = content["second_opinions"].pop("doubts")["ask"]
    select = {"annotator": "cheap", "select": {"by": "entropy", "rows": 7}, "action": "relabel", "relabel_by": "people"}
    content["sources"] |= {"cheap": {"annotator": "cheap"}, "asked": select}
    write(study, content)
    assert "run `labelrisk sample --source asked --out coding/doubts.csv`" in refusal(capsys, "check")
    assert "no action: relabel" in refusal(capsys, "sample", "--source", "cheap", "--out", "x.csv")
    assert "does not declare" in refusal(capsys, "sample", "--source", "askd", "--out", "x.csv")
    assert main(["sample", "--source", "asked", "--out", str(SHEET), "--random-share", "0.5"]) == 0
    frame = sheet()
    sure = frame["sampling_probability"].astype(float) == 1
    assert set(map(original_id, frame["id"][sure])) == most_doubtful(7)
    assert (~sure).sum() == round(0.5 * 43)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source", "doubts", "--design", "stratified"], "--design and --source can't be combined"),
        (["--source", "doubts", "--random-share", "1.5"], "--random-share is 1.5"),
        (["--rows", "5", "--random-share", "0.5"], "--random-share needs --source"),
    ],
)
def test_options_that_make_no_sense_together_are_one_sentence(study, capsys, words, says):
    assert says in refusal(capsys, "sample", "--out", "x.csv", *words)
    assert not Path("x.csv").exists()


def test_before_the_labels_are_there_the_stage_is_named(study, capsys):
    Path("data/labels/cheap.parquet").unlink()
    assert "run `dvc repro annotate@cheap` first" in refusal(capsys, "sample", "--source", "doubts", "--out", "x.csv")


def test_repro_says_what_to_do_without_a_sheet_and_dvc_takes_it_in_when_it_is_there(
    study, monkeypatch, project, capsys
):
    """The stage as dvc.yaml declares it, on labels that are there."""
    for name, value in (ENVIRONMENT | {"PYTHONPATH": str(project / "src")}).items():
        monkeypatch.setenv(name, value)
    write_dvc(study, project)
    stage = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]["reannotate"]
    stage["do"]["deps"] = [path for path in stage["do"]["deps"] if not path.startswith("data/code/")]
    stages = {"reannotate": stage, "filter": {"cmd": "true", "deps": ["data/labels/doubts.parquet"]}}
    Path("dvc.yaml").write_text(
        yaml.safe_dump({"vars": [{"run": "python -m labelrisk", "local": ".labelrisk"}], "stages": stages})
    )
    subprocess.run(["git", "init", "-q"], check=True)
    assert "run `labelrisk sample --source doubts --out coding/doubts.csv`" in refusal(capsys, "repro")
    assert main(["sample", "--source", "doubts", "--out", str(SHEET)]) == 0
    fill(rows=slice(0, 5))
    done = subprocess.run(["dvc", "repro", "reannotate"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"{QUARTER - 5} of {QUARTER} asked rows have no label" in done.stderr
    assert pd.read_parquet("data/labels/doubts.parquet")["status"].value_counts()["ok"] == 5
    assert json.loads(Path("metrics/annotate/doubts.json").read_text())["status"]["ok"] == 5
