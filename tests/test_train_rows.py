"""Train rows read column by column: by their place, whatever the order of a file."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_study import load_small_study, settings, write_study

from labelrisk.comparison.annotator_files import read_answers
from labelrisk.comparison.labels_spent import rows_and_gold
from labelrisk.comparison.train_rows import Located, TrainIds
from labelrisk.comparison.words import Words, WordsRead, codes_in
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.train_columns import read_train_labels


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def located(known, *batches):
    found = Located(TrainIds.of(known), "labels.parquet")
    for batch in batches:
        found.take(pa.array(batch, pa.string()))
    return found.places().tolist()


@pytest.mark.parametrize(
    ("batches", "places"),
    [
        ([["a", "b"], ["c", "d"]], [0, 1, 2, 3]),  # all, in order
        ([["a", "b"]], [0, 1]),
        ([["a"], ["c", "d"]], [0, 2, 3]),  # some
        ([["d", "c"], ["b", "a"]], [3, 2, 1, 0]),
        ([["a", "b"], ["x", "d"]], [0, 1, -1, 3]),  # one that is no train row
        ([], []),
    ],
)
def test_rows_are_found_in_any_order(batches, places):
    assert located("abcd", *batches) == places


@pytest.mark.parametrize(
    ("batches", "twice"),
    [
        ([["a", "b"], ["b"]], "b"),
        ([["c", "a"], ["c"]], "c"),
        ([["a"], ["x", "b", "x"]], "x"),
        ([["d"], ["d", "d"]], "d"),
    ],
)
def test_a_row_that_comes_twice_is_named(batches, twice):
    with pytest.raises(LabelRiskError, match=f"holds the row '{twice}' twice"):
        located("abcd", *batches)


def test_words_of_several_batches_are_numbered_alike():
    read = WordsRead()
    for batch in (pa.array(["x", None, "y"]), pa.nulls(2), pa.array(["y", "z"]).dictionary_encode()):
        read.take(batch)
    words = read.words()
    assert words.names == ("x", "y", "z")
    assert words.codes.tolist() == [0, -1, 1, -1, -1, 1, 2]
    assert words.among(["y", "none of them"]).tolist() == [False, False, True, False, False, True, False]
    assert words.given.tolist() == [True, False, True, False, False, True, True]


def test_more_words_than_a_byte_holds_stay_apart():
    values = [f"word {number}" for number in range(300)]
    words = Words.of(values)
    assert [words.names[code] for code in words.codes] == values
    read = WordsRead()
    for value in values:  # each batch may be of another width
        read.take(pa.array([value]))
    assert read.words().codes.tolist() == list(range(300))


def test_a_name_that_is_no_class_has_no_code():
    assert codes_in(pa.array(["b", None, "other", "a"]), {"a": 0, "b": 1}).tolist() == [1, -1, -1, 0]


def test_the_order_of_files_changes_nothing(paths):
    """Of labels and of training rows; gold, costs and codes go by row."""
    before = load_small_study(paths, settings())
    generator = np.random.default_rng(0)
    for path in [*paths["labels"].glob("*.parquet"), *paths["training"].rglob("*.parquet")]:
        rows = pd.read_parquet(path)
        rows.iloc[generator.permutation(len(rows))].to_parquet(path, row_group_size=3)
    after = load_small_study(paths, settings())
    for source, rows in before.training_rows.items():
        number = len(before.train.ids)
        assert after.training_rows[source].places.tolist() != rows.places.tolist()
        assert after.training_rows[source].of_all(number).tolist() == rows.of_all(number).tolist()
        assert rows_and_gold(after, source) == rows_and_gold(before, source)
    for split in ("annotators_on_train", "annotators_on_test"):
        for name, labels in getattr(before, split).items():
            assert getattr(after, split)[name].codes.tolist() == labels.codes.tolist()
    assert after.costs == before.costs


def test_answers_by_hand(tmp_path):
    """Of train rows a, b, c: c was not asked about, b costs nothing known, a costs 2; a test row costs 4."""
    path = tmp_path / "llm.parquet"
    columns = {"id": ["b", "t", "a", "c"], "split": ["train", "test", "train", "train"], "label": ["y", "x", "x", None]}
    columns |= {"status": ["ok", "ok", "ok", "not_asked"], "cost": [None, 4.0, 2.0, None]}
    shares = [[0.2, 0.8], [1.0, 0.0], None, None]
    pq.write_table(pa.table(columns | {"probabilities": shares}), path, row_group_size=1)
    ids = TrainIds.of("abc")
    found = read_answers(path, ids, ["x", "y"])
    assert found.on_train.tolist() == [0, 1, -1]
    assert np.array_equal(found.costs_on_train, [2.0, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(found.costs, [np.nan, 4.0, 2.0], equal_nan=True)
    assert found.others.to_dict("list") == {"id": ["t"], "split": ["test"], "label": ["x"]}
    others, codes, probabilities = read_train_labels(path, ids, ("x", "y"))
    assert codes.tolist() == [0, 1, -1]
    assert others["id"].to_pylist() == ["t"]
    none = [np.nan, np.nan]
    assert np.array_equal(probabilities[np.array([2, 1])], [none, [0.2, 0.8]], equal_nan=True)
