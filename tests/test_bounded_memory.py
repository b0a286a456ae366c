"""Stages that pass rows through: what they write hangs on the rows alone, not on how many are in memory at once."""

import os
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import study_files
from prepared_folder import write_prepared

from labelrisk.corpora import row_groups
from labelrisk.corpora.keys import drawn_numbers, hexadecimal
from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.row_groups import RowGroupsWriter, names, schema_like, strings
from labelrisk.corpora.rows import content_id, drawn_number
from labelrisk.corpora.texts_file import TextsFile
from labelrisk.engines.local import LocalEngine
from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.settings.embed import EmbedSettings
from labelrisk.settings.engine import EngineSettings
from labelrisk.sources import for_one_seed
from labelrisk.sources.built import BuiltSource
from labelrisk.sources.row_labels import RowLabels
from labelrisk.sources.training_files import TrainingFiles
from labelrisk.stages import filter as stage
from labelrisk.vectors import chunks, vectors_file
from labelrisk.vectors.vectors_file import read_vectors, write_encoded, write_vectors

# --- ids and draws


def test_ids_and_draws_are_those_of_single_rows():
    texts = ["Rain.", "Zażółć gęślą jaźń", "a  b"]
    ids = np.array([int(content_id(text), 16) for text in texts], dtype=np.uint64)
    assert hexadecimal(ids).to_pylist() == [content_id(text) for text in texts]
    assert drawn_numbers("0:split", ids).tolist() == [drawn_number("0:split", content_id(text)) for text in texts]
    assert hexadecimal(np.array([1], dtype=np.uint64)).to_pylist() == ["0000000000000001"]


# --- files


def rows(size):
    return pd.DataFrame({"id": [f"{at:04x}" for at in range(size)], "gold": pd.Series(["a", None] * size)[:size]})


@pytest.mark.parametrize("at_once", [1, 3, 7, 100])
def test_row_groups_hang_on_the_rows_alone_and_one_is_what_pandas_writes(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(row_groups, "ROWS", 10)
    for size in (10, 24):
        frame = rows(size)
        path = tmp_path / f"{size}.parquet"
        with RowGroupsWriter(path, schema_like({"id": strings(), "gold": names(True)})) as file:
            for start in range(0, size, at_once):
                some = frame[start : start + at_once]
                file.add({"gold": pa.array(some["gold"], from_pandas=True), "id": pa.array(list(some["id"]))})
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        assert groups == {10: [10], 24: [10, 10, 4]}[size]
        pd.testing.assert_frame_equal(pd.read_parquet(path), frame.astype({"gold": object}), check_dtype=False)
        if size == 10:
            frame.astype({"gold": object}).to_parquet(tmp_path / "pandas.parquet", index=False)
            assert path.read_bytes() == (tmp_path / "pandas.parquet").read_bytes()


def test_texts_are_read_by_place_and_leave_no_file(tmp_path):
    texts = [f"text {at}" for at in range(20)]
    with TextsFile(tmp_path / "texts.arrow") as file:
        for start in (0, 7, 14):
            file.add(texts[start : start + 7])
        file.close()
        chosen = np.array([0, 3, 6, 7, 19])
        parts = list(file.parts(chosen))
        assert [(at.start, at.stop) for at, _ in parts] == [(0, 3), (3, 4), (4, 5)]
        assert [text for _, some in parts for text in some.to_pylist()] == [texts[at] for at in chosen]
        assert file.at(np.array([19, 0, 7, 6])) == ["text 19", "text 0", "text 7", "text 6"]
    assert not list(tmp_path.iterdir())


# --- training files


def study(tmp_path, train=5, validation=2):
    every = [
        pd.DataFrame({"id": [f"{split} {at}" for at in range(size)], "text": f"a {split} text", "gold": "a"}).assign(
            split=split
        )
        for split, size in (("train", train), ("validation", validation), ("test", 1))
    ]
    frame = pd.concat(every)
    write_prepared(tmp_path / "prepared", frame, frame[:0], ["a", "b"], {})
    return Prepared(tmp_path / "prepared")


def built(codes, learned=None, reason="selected"):
    labels = RowLabels(np.array(codes), "annotator", "llm")
    labels.take(np.array([1]), "dropped_selected", reason)
    return BuiltSource(labels, ["a", "b"], learned or {})


CHECKS = pd.DataFrame({"label": ["a", None], "origin": ["gold", "dropped_no_label"], "labeller": ["gold", None]})
LEARNED = {
    "soft": np.array([[0.2, 0.8]] * 5),
    "candidates": np.array([[True, False]] * 5),
    "weight": np.array([1.0, np.nan, 0.5, 2, 1]),
}


@pytest.mark.parametrize("learned", [{}, *({name: values} for name, values in LEARNED.items()), LEARNED])
@pytest.mark.parametrize("checks", [CHECKS, CHECKS[:1].iloc[[0, 0]].reset_index(drop=True)])
@pytest.mark.parametrize("reason", ["selected", None])
def test_a_training_file_is_that_of_one_frame_to_the_byte(tmp_path, learned, checks, reason):
    prepared, source = study(tmp_path), built([0, 1, 0, 1, 1], learned, reason)
    TrainingFiles(tmp_path, prepared, checks).write(0, source)
    train = pd.concat([prepared.split("train", ["id", "text"]), source.frame()], axis=1).assign(split="train")
    other = pd.concat([prepared.split("validation", ["id", "text"]), checks], axis=1).assign(split="validation")
    pd.concat([train, other], ignore_index=True).to_parquet(tmp_path / "expected.parquet", index=False)
    assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "expected.parquet").read_bytes()
    assert pq.read_table(tmp_path / "0.parquet")["label"].to_pylist()[:5] == ["a", None, "a", "b", "b"]


def test_seeds_with_the_same_rows_are_one_file_on_the_disk_and_others_are_not(tmp_path, monkeypatch):
    files = TrainingFiles(tmp_path, study(tmp_path), CHECKS)
    for seed, codes in enumerate([[0, 1, 0, 1, 1], [0, 1, 0, 1, 1], [0, 1, 0, 1, 0]]):
        files.write(seed, built(codes))
    files.write(3, built([0, 1, 0, 1, 1], reason="another reason"))
    of = [(tmp_path / f"{seed}.parquet").stat().st_ino for seed in range(4)]
    assert of[0] == of[1]
    assert len(set(of)) == 3

    def refused(*_):
        raise OSError("this disk has no links")

    monkeypatch.setattr(os, "link", refused)
    files.write(4, built([0, 1, 0, 1, 1]))
    assert (tmp_path / "4.parquet").read_bytes() == (tmp_path / "0.parquet").read_bytes()
    assert (tmp_path / "4.parquet").stat().st_ino not in of


def test_vectors_beyond_the_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    prepared = study(tmp_path)
    write_vectors(prepared, lambda texts: np.ones((len(texts), 4), dtype=np.float32), 4, tmp_path / "vectors")
    material = for_one_seed.read_material(prepared.folder, tmp_path, tmp_path / "vectors", 0.9)
    monkeypatch.setattr(for_one_seed, "free_memory", lambda: 239.0)  # 3 copies of 5 rows of 4 numbers of 4 bytes: 240
    with pytest.raises(LabelRiskError, match=r"^the vectors of 5 train rows, 4 numbers each, take .* free; lower"):
        material.vectors()
    monkeypatch.setattr(for_one_seed, "free_memory", lambda: 240.0)
    assert material.vectors().shape == (5, 4)


# --- vectors


class Backwards:
    """An engine whose last task is the first one done."""

    def results(self, function, tasks, needs):
        yield from [(place, function(tasks[place])) for place in range(len(tasks))][::-1]


def lengths(texts):
    """Vectors of two numbers, at once."""
    return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


def write_by(engine, prepared, out, settings=None):
    write_encoded(chunks.encoded_by(engine, prepared, settings, 0), 2, out)


def test_chunks_of_an_engine_are_written_in_the_order_of_rows(tmp_path, monkeypatch):
    prepared = study(tmp_path, train=23, validation=5)
    for name in ("ROWS", "IN_THE_AIR"):
        monkeypatch.setattr(chunks, name, 4)
    monkeypatch.setattr(vectors_file, "ROWS", 4)
    texts = prepared.split("train", ["id", "text"]).assign(text=lambda of: [f"{at} " * at for at in range(23)])
    texts.assign(gold="a").to_parquet(prepared.folder / "train.parquet", row_group_size=7)
    write_vectors(prepared, lengths, 2, tmp_path / "here")
    monkeypatch.setattr(chunks, "_encoder", lambda settings: SimpleNamespace(encode=lengths))
    write_by(Backwards(), prepared, tmp_path / "there")
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes()
    assert read_vectors(tmp_path / "there", "train", texts["id"]).tolist() == lengths(texts["text"]).tolist()
    some = texts.iloc[[9, 2, 17]]
    assert read_vectors(tmp_path / "there", "train", some["id"]).tolist() == lengths(some["text"]).tolist()


def test_groups_of_rows_are_read_once_for_many_chunks(tmp_path, monkeypatch):
    prepared = study(tmp_path, train=50, validation=5)
    for name, size in (("ROWS", 4), ("AHEAD", 3)):
        monkeypatch.setattr(chunks, name, size)
    read, some = [], prepared.some
    monkeypatch.setattr(prepared, "some", lambda *asked: read.append(asked) or some(*asked))
    found = chunks.Chunks(prepared)
    assert [text for chunk in found for text in chunk.texts] == prepared.rows(["text"])["text"].tolist()
    assert read[:5] == [("train", first, 12) for first in (0, 12, 24, 36, 48)]
    assert len(read) < len(found) / 2


@pytest.mark.parametrize("rows", [None, 0, 1, 30, 50, 99])
def test_the_first_rows_and_those_with_gold_are_read_in_parts(tmp_path, monkeypatch, rows):
    prepared = study(tmp_path, train=50, validation=5)
    monkeypatch.setattr("labelrisk.corpora.prepared.ROWS_AT_ONCE", 20)
    train = prepared.split("train")
    train.loc[::3, "gold"] = None
    train.to_parquet(prepared.folder / "train.parquet", row_group_size=7)
    pd.testing.assert_frame_equal(prepared.first("train", rows), train[:rows])
    pd.testing.assert_frame_equal(prepared.with_gold("train"), train.dropna(subset="gold").reset_index(drop=True))


@pytest.mark.slow
def test_workers_give_the_bytes_of_this_process(tmp_path):
    prepared = study(tmp_path, train=5000, validation=3)
    settings = EmbedSettings(max_tokens=16)
    encoder = chunks._encoder(settings)
    write_vectors(prepared, encoder.encode, encoder.dimensions, tmp_path / "here")
    with LocalEngine(2) as engine:
        write_encoded(chunks.encoded_by(engine, prepared, settings, 0), encoder.dimensions, tmp_path / "there")
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes()


# --- seeds on an engine


def test_seeds_that_an_engine_builds_are_those_of_this_process(tmp_path, monkeypatch):
    """A repair is computed where the engine says, and whatever comes first: the folder is the same."""
    generator = np.random.default_rng(0)
    size = 80
    gold = generator.integers(0, 2, size)
    every = pd.DataFrame(
        {"id": [f"{at:04}" for at in range(size)], "text": "a text", "gold": np.array(["weather", "food"])[gold]}
    )
    every["split"] = ["train"] * 60 + ["validation"] * 10 + ["test"] * 10
    write_prepared(tmp_path / "prepared", every, every[:0], ["weather", "food"], {})
    said = np.where(generator.random(size) < 0.2, 1 - gold, gold)
    labels = every[["id", "split"]].assign(label=np.array(["weather", "food"])[said], status="ok")
    labels = labels.assign(entropy=0.5, probabilities=None, votes=None, sampling_probability=np.nan)
    (tmp_path / "labels").mkdir()
    labels.to_parquet(tmp_path / "labels" / "model.parquet")
    by_id = dict(zip(every["id"], gold, strict=True))
    near = {1: [3.0, 1.0, 0.5], 0: [1.0, 3.0, 0.5]}
    vectors = np.array([near[by_id[one]] for one in every["id"]]) + generator.normal(size=(size, 3))
    parts = iter(np.split(vectors.astype(np.float32), [60, 70]))
    write_vectors(Prepared(tmp_path / "prepared"), lambda _: next(parts), 3, tmp_path / "vectors")
    source = {"annotator": "model", "repair": {"kind": "channel_ensemble", "heads": 3, "channels": 0.7}}
    sources = study_files.PLAIN | {"mended": source}
    study_files.write_study(tmp_path, study_files.params(sources=sources, seeds=[3, 1, 2]))
    settings = load(tmp_path / "params.yaml")

    def run(settings, out):
        stage.run(settings, "mended", tmp_path / "prepared", tmp_path / "labels", tmp_path / "vectors", tmp_path / out)
        return {path.name: path.read_bytes() for path in (tmp_path / out).iterdir()}

    here = run(settings, "here")
    opened = []
    monkeypatch.setattr(stage, "opened", lambda how: opened.append(how) or nullcontext(Backwards()))
    there = run(settings.model_copy(update={"engine": EngineSettings(kind="ray")}), "there")
    assert there == here
    assert set(here) == {"1.parquet", "2.parquet", "3.parquet", "notes.json"}
    assert len({here[f"{seed}.parquet"] for seed in (1, 2, 3)}) > 1  # repairs draw folds
    assert len(opened) == 1
    plain = settings.model_copy(update={"engine": EngineSettings(kind="ray")})
    stage.run(plain, "model", tmp_path / "prepared", tmp_path / "labels", tmp_path / "vectors", tmp_path / "plain")
    assert len(opened) == 1  # nothing is computed
