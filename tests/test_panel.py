"""Panels: annotators' labels merged into one more, from ballots to the scores."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from small_study import run_evaluate, settings, write_study
from study_files import params
from study_files import write_study as write_files

from labelrisk.errors import LabelRiskError
from labelrisk.labels import labels_file
from labelrisk.labels.answer import Answer
from labelrisk.labels.ballots import write_ballots
from labelrisk.labels.labels_file import SCHEMA, LabelledRow, LabelsWriter
from labelrisk.params import load
from labelrisk.stages import merge

CLASSES = ["north", "south", "west"]
IDS = {"train": ["a", "b", "c", "d"], "validation": ["e"], "test": ["f"]}
SAID = {  # of the rows a to f
    "x": ["north", "north", "south", None, "west", "north"],
    "y": ["south", "north", "west", None, "west", None],
    "z": ["south", "south", "north", None, None, None],
}


def write_labels(path, said, ids=None):
    """A labels file of whoever said that, and its ballots beside it."""
    rows = ids or [(row, split) for split, names in IDS.items() for row in names]
    path.parent.mkdir(parents=True, exist_ok=True)
    with LabelsWriter(path) as writer:
        for (row, split), label in zip(rows, said, strict=True):
            writer.write(LabelledRow(row, split, Answer("ok", label) if label else Answer("refusal")))
    write_ballots(path, path.parents[1] / "ballots" / path.name)


@pytest.fixture
def study(tmp_path):
    """Prepared rows and three members' ballots; yields a function that runs merge with a panel."""
    (tmp_path / "prepared").mkdir()
    for split, ids in IDS.items():
        pd.DataFrame({"id": ids}).to_parquet(tmp_path / "prepared" / f"{split}.parquet")
    (tmp_path / "prepared" / "labels.json").write_text(json.dumps(CLASSES))
    for name, said in SAID.items():
        write_labels(tmp_path / "labels" / f"{name}.parquet", said)

    def run(members=("x", "y", "z"), how="majority", annotators=("x", "y", "z")):
        declared = {name: {"kind": "import", "reads": "labels.csv", "label": "label"} for name in annotators}
        gold = {"gold": {"kind": "gold", "reads": "codebook.yaml"}}
        content = settings(
            annotators=declared | gold, panels={"trio": {"members": list(members), "merge": how}}, sources={}
        )
        out = tmp_path / "labels" / "trio.parquet"
        merge.run(content, "trio", tmp_path / "ballots", tmp_path / "prepared", out)
        return pd.read_parquet(out)

    run.root = tmp_path
    return run


def test_the_majority_by_hand(study):
    """a: south 2 of 3; b: north 2 of 3; c: one each, so the first of the codebook; d: no vote; e: two; f: one."""
    frame = study()
    assert list(frame["id"]) == list("abcdef")
    assert list(frame["split"]) == ["train"] * 4 + ["validation", "test"]
    assert list(frame["label"].astype(object).where(frame["label"].notna(), None)) == [
        "south", "north", "north", None, "west", "north",
    ]  # fmt: skip
    assert list(frame["status"]) == ["ok", "ok", "ok", "missing", "ok", "ok"]
    assert set(frame["method"].dropna()) == {"votes"}
    assert frame["probabilities"][0] == pytest.approx([2 / 6, 3 / 6, 1 / 6])
    assert frame["probabilities"][4] == pytest.approx([1 / 5, 1 / 5, 3 / 5])
    assert frame["entropy"][2] == pytest.approx(np.log(3))
    assert [list(votes) for votes in frame["votes"].dropna()] == [[1, 2, 0], [2, 1, 0], [1, 1, 1], [0, 0, 2], [1, 0, 0]]
    assert frame.loc[3, ["probabilities", "entropy", "votes"]].isna().all()


def test_the_file_is_like_that_of_any_annotator(study):
    study()
    assert pq.read_schema(study.root / "labels" / "trio.parquet").equals(SCHEMA)
    first = (study.root / "labels" / "trio.parquet").read_bytes()
    study()
    assert (study.root / "labels" / "trio.parquet").read_bytes() == first


def test_dawid_skene_on_a_panel_learns_whom_to_believe(study):
    """x is right in 19 of 20; y and z are right in 11 of 20, and err on rows of their own."""
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 600)
    ids = [f"r{row}" for row in range(600)]
    for split, part in zip(IDS, np.split(np.array(ids, dtype=object), [400, 500]), strict=True):
        pd.DataFrame({"id": part}).to_parquet(study.root / "prepared" / f"{split}.parquet")
    for name, rate in (("x", 0.95), ("y", 0.55), ("z", 0.55)):
        codes = np.where(generator.random(600) < rate, gold, (gold + generator.integers(1, 3, 600)) % 3)
        rows = [(row, "train") for row in ids]
        write_labels(study.root / "labels" / f"{name}.parquet", [CLASSES[code] for code in codes], rows)
    named = np.array(CLASSES, dtype=object)[gold]
    by_majority, by_skill = study(), study(how="dawid_skene")
    assert (by_skill["label"] == named).mean() > (by_majority["label"] == named).mean() + 0.05
    assert set(by_skill["method"]) == {"dawid_skene"}
    assert by_skill["probabilities"].map(sum).to_numpy() == pytest.approx(1)


def test_only_the_members_are_read_and_who_is_no_longer_declared_goes(study, capsys):
    (study.root / "ballots" / "y.parquet").write_bytes(b"no parquet")
    assert study(members=("x", "z"))["votes"][0].tolist() == [1, 1, 0]
    assert (study.root / "ballots" / "y.parquet").exists()
    study(members=("x", "z"), annotators=("x", "z"))
    assert sorted(path.name for path in (study.root / "ballots").iterdir()) == ["x.parquet", "z.parquet"]
    removed = study.root / "ballots" / "y.parquet"
    assert capsys.readouterr().out == f"removed {removed}: params.yaml no longer declares it\n"


def test_an_absent_member_is_named(study):
    (study.root / "ballots" / "y.parquet").unlink()
    with pytest.raises(LabelRiskError, match=r"y\.parquet is not there: panels\.trio\.members names y, .*annotate@y`"):
        study()
    assert not (study.root / "labels" / "trio.parquet").exists()


def test_ballots_of_many_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(labels_file, "ROWS_AT_ONCE", 4)
    said = ["north", None, "south"] * 5
    write_labels(tmp_path / "labels" / "x.parquet", said, [(f"r{row}", "train") for row in range(15)])
    found = pq.ParquetFile(tmp_path / "ballots" / "x.parquet")
    assert found.num_row_groups == 4
    assert found.schema_arrow.names == ["id", "label", "status"]
    assert found.read().to_pydict() == {
        "id": [f"r{row}" for row in range(15)],
        "label": said,
        "status": ["ok" if label else "refusal" for label in said],
    }


def test_a_panel_is_scored_among_the_annotators_and_a_former_one_goes(tmp_path):
    paths = write_study(tmp_path)
    every = pd.read_parquet(paths["labels"] / "gold.parquet")
    for name in ("trio", "former"):
        every.assign(label=every["label"].fillna("west")).to_parquet(paths["labels"] / f"{name}.parquet")
    for folder, name in (("ballots", "llm.parquet"), ("ballots", "former.parquet")):
        (paths[folder] / name).write_text("ballots")
    (paths["metrics"] / "annotate").mkdir()
    for name in ("llm", "former"):
        (paths["metrics"] / "annotate" / f"{name}.json").write_text("{}")
    annotators = settings().model_dump()["annotators"]
    annotators["other"] = annotators["llm"]
    every.to_parquet(paths["labels"] / "other.parquet")
    sources = settings().model_dump()["sources"]
    sources["constant"] = {"annotator": "trio"}
    content = settings(annotators=annotators, panels={"trio": {"members": ["llm", "other"]}}, sources=sources)
    run_evaluate(paths, content)
    found = json.loads((paths["metrics"] / "annotators.json").read_text())
    assert list(found) == ["llm", "other", "trio"]
    assert found["trio"]["test_accuracy"] == 1
    assert json.loads((paths["metrics"] / "sources.json").read_text())["constant"]["gold_labels"] == 0
    assert sorted(path.stem for path in paths["labels"].iterdir()) == ["gold", "llm", "other", "trio"]
    assert [path.name for path in paths["ballots"].iterdir()] == ["llm.parquet"]
    assert [path.name for path in (paths["metrics"] / "annotate").iterdir()] == ["llm.json"]


@pytest.mark.parametrize(
    ("panel", "says"),
    [
        ({"members": ["model", "nobody"]}, r"panels\.trio\.members names the unknown annotator 'nobody'"),
        ({"members": ["model", "gold"]}, r"panels\.trio\.members names gold, which is gold: .*leave it out"),
        ({"members": ["model", "model"]}, "'members' names an annotator twice"),
        ({"members": ["model"]}, r"'panels\.trio\.members'"),
        ({"members": ["model", "gold"], "merge": "mean"}, r"'panels\.trio\.merge' \(found 'mean'\)"),
    ],
)
def test_wrong_panels_are_named(tmp_path, panel, says):
    write_files(tmp_path, params(panels={"trio": panel}))
    with pytest.raises(LabelRiskError, match=says):
        load(tmp_path / "params.yaml")
