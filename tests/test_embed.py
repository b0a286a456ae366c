"""Sentence vectors: those of sentence-transformers, whoever shares a batch; written whole, and read by row."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from chat_study import SPLITS, ChatStudy
from students import texts as words
from students import tiny_model

from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.encoders import attention
from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.settings.embed import EmbedSettings
from labelrisk.stages import embed
from labelrisk.vectors import encoder, vectors_file
from labelrisk.vectors.encoder import Encoder, batches
from labelrisk.vectors.vectors_file import read_vectors, stream_vectors, write_vectors

TEXTS = [
    "Rain falls.",
    "The council has voted for a new bridge over the harbour, which the mayor calls a waste of public money.",
    "A",
    "Zażółć gęślą jaźń — 東京 🙂",
    "soup " * 300,  # more tokens than the model was trained on
    "There is soup in the north, and there is no bread in the south, say those who came from the east.",
    "There is soup in the north, and there is no bread in the south, say those who came from the west!",
    "Wind.",
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the stage computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def usual() -> np.ndarray:
    """What sentence-transformers makes of TEXTS."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(embedded_folder()), device="cpu").encode(TEXTS, show_progress_bar=False)


@pytest.fixture(scope="module")
def exact() -> Encoder:
    return Encoder(EmbedSettings(precision="fp32"))


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    return (one * other).sum(axis=1)


def test_vectors_are_those_of_sentence_transformers(usual, exact):
    vectors = exact.encode(TEXTS)
    assert (vectors.dtype, vectors.shape) == (np.float32, (len(TEXTS), 384))
    assert cosines(vectors, usual).min() > 0.999999
    assert cosines(Encoder(EmbedSettings(precision="bf16")).encode(TEXTS), usual).min() > 0.9995
    assert exact.encode([]).shape == (0, 384)


def test_bytes_do_not_depend_on_cores_and_neighbours_only_round(exact, monkeypatch):
    together = exact.encode(TEXTS)
    assert exact.encode(TEXTS).tobytes() == together.tobytes()
    monkeypatch.setattr(encoder, "cores", lambda: 1)
    alone = Encoder(EmbedSettings(precision="fp32"))
    assert alone.encode(TEXTS).tobytes() == together.tobytes()
    one_by_one = np.concatenate([alone.encode([text]) for text in TEXTS])
    assert np.abs(one_by_one - together).max() < 1e-6


def test_texts_are_cut_after_max_tokens(exact):
    short = Encoder(EmbedSettings(precision="fp32", max_tokens=8))
    assert np.abs(short.encode(["soup " * 400]) - exact.encode(["soup " * 6])).max() < 1e-6  # and two that stand around


@pytest.mark.parametrize(
    ("kind", "longest"), [("bert", 512), ("bert", 4), ("roberta", 512), ("modernbert", 512), ("distilbert", 512)]
)
def test_any_encoder_is_pooled_over_its_tokens(kind, longest, tmp_path, monkeypatch):
    from transformers import AutoModel, AutoTokenizer

    monkeypatch.setattr(attention, "LONGEST", longest)
    folder = str(tiny_model(tmp_path, kind))
    rows, _ = words(8)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    expected = []
    with torch.inference_mode():
        for row in rows:  # alone, so that nothing is padded
            mean = model(**tokenizer(row, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            expected.append((mean / mean.norm()).numpy())
    found = Encoder(EmbedSettings(model=folder, precision="fp32", max_tokens=32)).encode(rows)
    assert np.abs(found - np.array(expected)).max() < 1e-5


def test_batches_hold_so_many_tokens_with_their_padding():
    lengths = np.array([3, 9, 5, 1, 20, 8])
    found = [rows.tolist() for rows in batches(lengths, 16)]
    # widths 20, 12, 8 and 4: one row of 20 though it is too long; one of 12; two of 8; the others of 4
    assert found == [[4], [1], [5, 2], [0, 3]]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ChatStudy(tmp_path)


def run(study: ChatStudy) -> Path:
    embed.run(load(study.root / "params.yaml"), study.root / "prepared", study.root / "vectors")
    return study.root / "vectors"


def test_the_stage_writes_the_vector_of_each_row(study, monkeypatch, capfd):
    monkeypatch.setattr(vectors_file, "ROWS", 5)
    folder = run(study)
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{split}.parquet" for split in SPLITS)
    encode = Encoder(EmbedSettings()).encode
    for split in SPLITS:
        rows, found = (pd.read_parquet(study.root / at / f"{split}.parquet") for at in ("prepared", "vectors"))
        assert list(found) == ["id", "vector"]
        assert list(found["id"]) == list(rows["id"])
        assert cosines(np.stack(found["vector"]), encode(rows["text"].tolist())).min() > 0.9999
        file = pq.ParquetFile(folder / f"{split}.parquet")
        assert max(file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)) <= 5
    assert file.schema_arrow.field("vector").type.list_size == 384
    assert "vectors: 100%" in capfd.readouterr().err
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(study)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def numbers(texts: list[str]) -> np.ndarray:
    """A vector that tells the text."""
    return np.array([[len(text), sum(map(ord, text))] for text in texts], dtype=np.float32)


class Rows:
    """Rows without a corpus."""

    def __init__(self, **ids: list[str]) -> None:
        self.ids = ids

    def batches(self, rows):
        import pyarrow as pa

        for split, ids in self.ids.items():
            for start in range(0, len(ids), rows):
                some = ids[start : start + rows]
                yield split, pa.record_batch({"id": some, "text": [f"text {one}" for one in some]})

    def __len__(self):
        return sum(map(len, self.ids.values()))


def test_vectors_are_read_by_row_and_in_pieces(tmp_path):
    rows, done = Rows(train=["a", "bb", "c", "d"], test=["e"]), []
    write_vectors(rows, numbers, 2, tmp_path / "vectors", done.append)
    assert done == [4, 1]
    expected = numbers(["text d", "text a", "text bb"])
    assert (read_vectors(tmp_path / "vectors", "train", ["d", "a", "bb"]) == expected).all()
    assert read_vectors(tmp_path / "vectors", "validation", []).size == 0
    pieces = list(stream_vectors(tmp_path / "vectors", "train", rows=3))
    assert [ids for ids, _ in pieces] == [["a", "bb", "c"], ["d"]]
    assert (np.concatenate([part for _, part in pieces])[[3, 0, 1]] == expected).all()


def test_other_rows_are_refused(tmp_path):
    write_vectors(Rows(train=["a", "b"]), numbers, 2, tmp_path / "vectors")
    with pytest.raises(LabelRiskError) as caught:
        read_vectors(tmp_path / "vectors", "train", ["b", "x", "y"])
    assert str(caught.value) == (
        f"{tmp_path}/vectors/train.parquet has other train rows than were prepared (2 of 3 are not there); "
        "run `dvc repro embed`"
    )
    with pytest.raises(LabelRiskError, match="holds no vectors of the test rows yet; run `dvc repro embed`"):
        read_vectors(tmp_path / "nowhere", "test", ["a"])
    os.truncate(tmp_path / "vectors" / "train.parquet", 100)
    with pytest.raises(LabelRiskError, match=r"train.parquet is damaged .*; remove it and run `dvc repro`"):
        read_vectors(tmp_path / "vectors", "train", ["a"])


def test_an_interrupt_leaves_the_vectors_as_they_were(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors_file, "ROWS", 2)
    write_vectors(Rows(train=["a"]), numbers, 2, tmp_path / "vectors")

    def interrupted(texts):
        if "text d" in texts:
            raise KeyboardInterrupt
        return numbers(texts)

    with pytest.raises(KeyboardInterrupt):
        write_vectors(Rows(train=["b", "c", "d"]), interrupted, 2, tmp_path / "vectors")
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]
    assert (read_vectors(tmp_path / "vectors", "train", ["a"]) == numbers(["text a"])).all()


def test_encoders_that_cannot_be_had_are_one_sentence(tmp_path):
    with pytest.raises(LabelRiskError, match=r"embed.model: .* needs embed.revision; set it to the commit"):
        Encoder(EmbedSettings(model="sentence-transformers/all-mpnet-base-v2"))
    with pytest.raises(LabelRiskError, match=r"embed.model: there is no folder './no/such'"):
        Encoder(EmbedSettings(model="./no/such"))
    folder = tiny_model(tmp_path / "tiny", "bert")
    with pytest.raises(LabelRiskError, match="embed.max_tokens is 65, but the model reads at most 64 tokens"):
        Encoder(EmbedSettings(model=str(folder), max_tokens=65))
    shutil.move(folder / "model.safetensors", tmp_path)
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(LabelRiskError, match="can't be loaded .*; check that the folder is a complete model"):
        Encoder(EmbedSettings(model=str(folder), max_tokens=32))


def test_weights_that_lack_a_layer_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tiny_model(tmp_path, "bert")
    path = folder / "model.safetensors"
    kept = {name: one for name, one in load_file(path).items() if "layer.1" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(LabelRiskError, match=r"its weights lack encoder\.layer\.1\.\S+ and 15 more"):
        Encoder(EmbedSettings(model=str(folder), max_tokens=32))


def test_a_model_that_writes_texts_is_refused(tmp_path):
    from transformers import AutoConfig, AutoModel

    folder = tiny_model(tmp_path, "bert")
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 300}
    AutoModel.from_config(AutoConfig.for_model("t5", **sizes)).save_pretrained(folder)
    with pytest.raises(LabelRiskError, match="it writes texts: it is an encoder with a decoder"):
        Encoder(EmbedSettings(model=str(folder), max_tokens=32))
