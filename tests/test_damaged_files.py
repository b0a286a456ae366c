"""Files of stages that are damaged, or about other rows than the others: one sentence, and no other numbers."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from small_study import run_evaluate, settings, write_study

from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_frame, read_json
from labelrisk.labels.earlier_run import EarlierRun
from labelrisk.sources.material import read_answers
from labelrisk.stages import ensemble

IDS = pd.DataFrame({"id": ["a", "b"]})


def changed(change):
    """Writes a table anew."""
    return lambda path: change(pd.read_parquet(path)).to_parquet(path)


def with_probabilities(change):
    """Writes predictions with other probabilities in the first row."""
    return changed(
        lambda frame: frame.assign(probabilities=[change(frame["probabilities"][0]), *frame["probabilities"][1:]])
    )


def cut(path):
    """Half of a file."""
    os.truncate(path, path.stat().st_size // 2)


LABELS, PREDICTIONS = "labels/llm.parquet", "predictions/constant/1.parquet"
DAMAGE = {
    "half of the labels": (LABELS, cut, "is damaged ("),
    "no labels at all": (LABELS, lambda path: path.write_bytes(b""), "is damaged (Parquet file size is 0 bytes)"),
    "labels without a column": (
        LABELS,
        changed(lambda frame: frame.drop(columns="cost")),
        "is damaged (it has no column 'cost'); remove it and run `dvc repro`, which makes it",
    ),
    "letters that are none": (
        LABELS,
        lambda path: path.write_bytes(path.read_bytes().replace(b"west", b"w\xe9st")),
        "Invalid UTF8 sequence",
    ),
    "a row twice": (
        LABELS,
        changed(lambda frame: pd.concat([frame, frame[:1]])),
        "holds the row 't59' twice; remove it",
    ),
    "half of the predictions": (PREDICTIONS, cut, "is damaged ("),
    "probabilities of no number": (
        PREDICTIONS,
        with_probabilities(lambda row: np.full_like(row, np.nan)),
        "is damaged (a row twice, or probabilities that are none)",
    ),
    "probabilities of fewer classes": (
        PREDICTIONS,
        with_probabilities(lambda row: row[:2]),
        "or probabilities that are none",
    ),
    "probabilities above 1": (PREDICTIONS, with_probabilities(lambda row: row + 1), "or probabilities that are none"),
    "no probabilities": (PREDICTIONS, with_probabilities(lambda row: None), "or probabilities that are none"),
    "a prediction twice": (PREDICTIONS, changed(lambda frame: pd.concat([frame, frame[:1]])), "(a row twice, or"),
    "half of the test rows": ("prepared/test.parquet", cut, "is damaged ("),
    "classes that are none": ("prepared/labels.json", lambda path: path.write_text('["a"'), "is damaged (Expecting"),
    "deep classes": (
        "prepared/labels.json",
        lambda path: path.write_text("[" * 100_000),
        "is damaged (maximum recursion",
    ),
    "half of the training rows": ("training/constant/0.parquet", cut, "is damaged ("),
    "a baseline of text": ("baselines/words.parquet", lambda path: path.write_text("a,b"), "is damaged (Parquet"),
    "a log without steps": (
        "logs/constant/0/plots/metrics/loss.tsv",
        lambda path: path.write_text("stp\tloss\n1\t1\n"),
        "is damaged (",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_one_sentence_and_writes_nothing(tmp_path, name):
    file, damage, says = DAMAGE[name]
    paths = write_study(tmp_path)
    damage(tmp_path / file)
    with pytest.raises(LabelRiskError) as caught:
        run_evaluate(paths, settings())
    said = str(caught.value)
    assert said.startswith(str(tmp_path / file))
    assert says in said
    assert "\n" not in said
    assert not list(paths["metrics"].glob("*.json"))


def test_damaged_runs_are_one_sentence(tmp_path):
    paths = write_study(tmp_path)
    run_evaluate(paths, settings())
    cut(tmp_path / "runs.parquet")
    out = {"metrics": tmp_path / "m.json", "plots": tmp_path / "p.csv", "predictions": tmp_path / "e.parquet"}
    out |= {"models": paths["models"], "chosen": tmp_path / "chosen"}
    with pytest.raises(LabelRiskError, match=r"runs\.parquet is damaged \(.*remove it and run `dvc repro`"):
        ensemble.run(settings(), runs=tmp_path / "runs.parquet", prepared=paths["prepared"], **out)


def test_the_system_s_word_is_passed_on(tmp_path):
    for read in (read_frame, read_json):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)
    with pytest.raises(LabelRiskError, match="is a directory"):
        read_frame(tmp_path)


def test_damaged_rows_are_named_where_they_are_read_in_pieces(tmp_path):
    paths = write_study(tmp_path)
    prepared = Prepared(paths["prepared"])
    cut(paths["prepared"] / "validation.parquet")
    for read in (lambda: list(prepared.batches(10)), lambda: len(prepared)):
        with pytest.raises(LabelRiskError, match=r"validation\.parquet is damaged"):
            read()


def answers(ids, split="train"):
    """Answers of one label."""
    return pd.DataFrame({"id": ids, "split": split, "label": "x", "entropy": 0.1})


def written(path, frame):
    """A labels file of several groups of rows."""
    frame.astype({"id": "str"}).to_parquet(path, row_group_size=1)
    return path


@pytest.mark.parametrize(
    ("ids", "found"), [(["b", "a"], 2), (["a"], 1), (["a", "b", "b"], 3), (["a", "c"], 2), ([], 0)]
)
def test_labels_of_other_rows_are_not_taken_for_those_of_these(tmp_path, ids, found):
    with pytest.raises(
        LabelRiskError, match=rf"llm has other train rows than were prepared \({found} for 2\); remove it"
    ):
        read_answers(written(tmp_path / "llm", answers(ids)), "train", IDS["id"], ["label"])


def test_labels_of_these_rows_are_taken(tmp_path):
    both = pd.concat([answers(["x"], "test"), answers(["a", "b"])])
    found = read_answers(written(tmp_path / "llm", both), "train", IDS["id"], ["label", "entropy"])
    assert found.astype({"label": "str"}).to_dict("list") == {"label": ["x", "x"], "entropy": [0.1, 0.1]}


@pytest.mark.parametrize("content", [b"", b"x" * 200, b"\x93NUMPY\x01\x00"])
def test_a_damaged_memory_of_an_earlier_run_is_none(tmp_path, content):
    """What it holds stands in the call cache, too."""
    (tmp_path / "signature").write_text("s")
    IDS.to_parquet(tmp_path / "labels.parquet")
    (tmp_path / "texts.npy").write_bytes(content)
    assert EarlierRun(tmp_path, "s")._opened() is None
    for hashes in (np.zeros(3, np.uint64), np.zeros(2, np.float64)):
        np.save(tmp_path / "texts.npy", hashes)
        assert EarlierRun(tmp_path, "s")._opened() is None
    np.save(tmp_path / "texts.npy", np.zeros(2, np.uint64))
    assert EarlierRun(tmp_path, "s")._opened() is not None


def test_json_of_a_stage_is_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a": [1]}))
    assert read_json(tmp_path / "a.json") == {"a": [1]}
