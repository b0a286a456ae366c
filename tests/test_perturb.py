"""The stage perturb: each drawn row in all its variants, as students of each source label them."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from prepared_folder import write_prepared
from students import CLASSES, WORDS, recipe, tiny_model

from labelrisk.edits import reading
from labelrisk.edits.variants import variants
from labelrisk.encoders.loading import load_tokenizer
from labelrisk.encoders.tokens import tokenise
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.edited_texts import read_edited
from labelrisk.settings.perturb import PerturbSettings
from labelrisk.stages import perturb
from labelrisk.students.encoders import load_classifier
from labelrisk.students.training import predict

EDITS = ("upper", "typos", "white_space")
TEXTS = [f"{WORDS[row % 4]} {' '.join(WORDS[4 + row : 10 + row])}, good. Poor {WORDS[row]} word" for row in range(30)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the stage computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lower_cased(folder: Path) -> None:
    """Let the tokenizer of a folder ignore case."""
    from tokenizers import normalizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save_pretrained(folder)


@dataclasses.dataclass
class Folders:
    """Prepared rows, and students of two sources with two seeds each."""

    root: Path
    kind: str = "bert"

    def __post_init__(self):
        encoder = tiny_model(self.root / "encoder", self.kind)
        lower_cased(encoder)
        tokenizer = load_tokenizer(str(encoder), None)
        for source in ("gold", "llm"):
            for seed in (0, 1):
                student = load_classifier(str(encoder), None, CLASSES, 0.1, seed + 10 * (source == "llm"))
                student.save_pretrained(self.root / "models" / source / str(seed))
                tokenizer.save_pretrained(self.root / "models" / source / str(seed))
        test = pd.DataFrame({"id": [f"t{row:02d}" for row in range(30)], "text": TEXTS, "split": "test"})
        test["gold"] = [CLASSES[row % 3] if row % 5 else None for row in range(30)]
        train = test.assign(split="train", gold=CLASSES[0])
        write_prepared(self.root / "prepared", pd.concat([train, test]), train, CLASSES, {})

    def run(self, name="out", max_tokens=32, **changes):
        given = PerturbSettings(**({"rows": 10, "seeds": 2, "edits": EDITS, "chain": 3} | changes))
        settings = SimpleNamespace(
            perturb=given, train=recipe(max_tokens=max_tokens), sources={"gold": 0, "llm": 0}, seeds=(0, 1)
        )
        out = self.root / f"{name}.parquet"
        perturb.run(settings, self.root / "prepared", self.root / "models", out)
        return pd.read_parquet(out)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory.mktemp("perturb"))


@pytest.fixture(scope="module")
def written(folders):
    return folders.run()


def test_each_student_labels_each_variant_of_each_drawn_row(folders, written):
    assert written.columns.tolist() == perturb.SCHEMA.names
    assert len(written) == 2 * 2 * 10 * (1 + 3 + 3)
    assert not written.duplicated(["id", "source", "seed", "edit"]).any()
    drawn = set(written["id"])
    assert all(int(one[1:]) % 5 for one in drawn)  # those with gold
    of_first = written[(written["source"] == "gold") & (written["seed"] == 0)]
    for identity, rows in of_first.groupby("id"):
        expected = list(variants(TEXTS[int(identity[1:])], identity, EDITS, 3, 0))
        assert list(rows[["edit", "text", "changed"]].itertuples(index=False, name=None)) == [
            tuple(e) for e in expected
        ]
    for _, rows in written.groupby(["source", "seed"]):
        same = ["id", "edit", "text", "changed", "read", "cut"]
        assert rows[same].reset_index(drop=True).equals(of_first[same].reset_index(drop=True))


def test_probabilities_are_those_that_the_students_give(folders, written):
    for (source, seed), rows in written.groupby(["source", "seed"]):
        folder = folders.root / "models" / source / str(seed)
        tokens = tokenise(load_tokenizer(str(folder), None), rows["text"].tolist(), 64)
        expected = predict(perturb.load_student(folder), tokens, 8)
        found = np.stack(rows["probabilities"])
        assert np.abs(found - expected).max() < 1e-6
        assert (rows["label"] == np.array(CLASSES)[found.argmax(axis=1)]).all()


def test_what_reads_the_same_has_the_same_answer(written):
    read = written.groupby("edit")["read"].mean()
    assert (read["upper"], read["white_space"], read["unedited"]) == (0, 0, 0)
    assert read["typos"] > 0.5
    answers = written.assign(answer=[tuple(one) for one in written["probabilities"]])
    wide = answers.pivot_table(index=["id", "source", "seed"], columns="edit", values="answer", aggfunc="first")
    assert (wide["upper"] == wide["unedited"]).all()
    assert (wide["white_space"] == wide["unedited"]).all()
    assert (wide["typos"] != wide["unedited"]).mean() > 0.5


def test_bytes_do_not_depend_on_cores_or_on_a_run_before(folders, written, monkeypatch):
    before = (folders.root / "out.parquet").read_bytes()
    monkeypatch.setattr(perturb, "cores", lambda: 1)
    folders.run("again")
    assert (folders.root / "again.parquet").read_bytes() == before


def test_edits_rows_and_seeds_that_are_added_change_none_of_the_others(folders, written):
    fewer = folders.run("fewer", rows=4, seeds=1, edits=("typos",), chain=0)
    assert len(fewer) == 2 * 4 * 2
    found = fewer.merge(written, on=["id", "source", "seed", "edit", "text", "changed", "read", "label"])
    assert len(found) == len(fewer)


def test_a_student_of_case_flips_under_edits_of_case_alone(folders, monkeypatch):
    """An encoder that reads case, and a student that answers by the case of a text's first letter."""
    texts = {}

    def keeps(tokenizer, rows, max_tokens):
        found = reading.reading(tokenizer, [f"{place}" for place in range(len(rows))], max_tokens)
        texts.update(enumerate(rows))
        return found._replace(places=np.arange(len(rows)), tokens=found.tokens)

    def by_case(student, tokens, batch_size):
        lower = np.array([text[0].islower() for _, text in sorted(texts.items())])
        return np.stack([lower, ~lower, 0 * lower], axis=1).astype(np.float32)

    monkeypatch.setattr(perturb, "reading", keeps)
    monkeypatch.setattr(perturb, "_predictions", by_case)
    found = folders.run("case", edits=("upper", "lower", "typos", "white_space", "homoglyphs"), chain=0)
    wide = found.pivot_table(index=["id", "source", "seed"], columns="edit", values="label", aggfunc="first")
    flips = wide.ne(wide["unedited"], axis=0).mean()
    assert flips.to_dict() == {"upper": 1, "lower": 0, "typos": 0, "white_space": 0, "homoglyphs": 0, "unedited": 0}


def test_a_student_that_ignores_the_text_never_flips(folders, tmp_path):
    other = Folders(tmp_path)
    for folder in (tmp_path / "models").glob("*/*"):
        student = perturb.load_student(folder)
        student.classifier.weight.data.zero_()
        student.classifier.bias.data = torch.tensor([0.0, 1.0, 0.0])
        student.save_pretrained(folder)
    found = other.run(rows=24, edits=PerturbSettings().edits, chain=4)
    assert set(found["label"]) == {CLASSES[1]}


def test_what_students_do_not_read_is_neither_edited_nor_moved_into_sight(folders):
    found = folders.run("short", max_tokens=8)
    unedited = found[found["edit"] == "unedited"]
    for row in unedited.itertuples():
        text = TEXTS[int(row.id[1:])]
        assert text.startswith(row.text)
        assert len(row.text.split()) == 6  # and two tokens around them
    assert not unedited["cut"].any()
    assert found["text"].str.split().str.len().max() < 14
    # a sentence more is read to its end, since an edit may double the tokens
    tokenizer = load_tokenizer(str(folders.root / "models" / "gold" / "0"), None)
    lengths = tokenise(tokenizer, found["text"].tolist(), 100).lengths
    assert (found["cut"] == (lengths > 16)).all()


def test_no_more_tokens_than_the_encoder_has_positions(folders):
    folder = folders.root / "models" / "gold" / "0"
    assert (perturb._longest(folder, 20), perturb._longest(folder, 40)) == (40, 64)


def test_parts_that_are_read_and_rows_that_are_the_same():
    class Letters:
        """A tokenizer of letters, lower-cased, between two marks."""

        is_fast = True

        def set_truncation_and_padding(self, max_length, **_):
            self.most = max_length

        @property
        def backend_tokenizer(self):
            return self

        def encode_batch_fast(self, texts):
            return [SimpleNamespace(ids=ids) for ids in self(texts, True, self.most)["input_ids"]]

        def __call__(self, texts, truncation, max_length, return_attention_mask=False, return_offsets_mapping=False):
            kept = [text.lower()[: max_length - 2] for text in texts]
            ids = [[1, *map(ord, text), 2] for text in kept]
            offsets = [[(0, 0), *((at, at + 1) for at in range(len(text))), (0, 0)] for text in kept]
            return {"input_ids": ids, "offset_mapping": offsets}

    assert reading.read_parts(Letters(), ["abc", "abcd", "abcde "], 6) == ["abc", "abcd", "abcd"]
    found = reading.reading(Letters(), ["ab", "AB", "abcde", "abcdf", "b"], 6)
    assert found.places.tolist() == [0, 0, 1, 1, 2]
    assert found.cut.tolist() == [False, False, True, True, False]
    assert [row.tolist() for row in reading.rows_of(found.tokens)] == [
        [1, 97, 98, 2],
        [1, 97, 98, 99, 100, 2],
        [1, 98, 2],
    ]
    assert reading.read_parts(SimpleNamespace(is_fast=False), ["abc"], 3) == ["abc"]


def test_no_rows_are_an_empty_file(folders):
    assert folders.run("none", rows=0).empty
    assert pq.read_schema(folders.root / "none.parquet").names == perturb.SCHEMA.names
    assert read_edited(folders.root / "none.parquet") is None


def test_a_student_that_is_missing_or_damaged_is_one_sentence(tmp_path):
    other = Folders(tmp_path)
    (tmp_path / "models" / "llm" / "1" / "model.safetensors").write_bytes(b"spoilt")
    with pytest.raises(LabelRiskError, match=r"the model .*models/llm/1 can't be loaded .*; check that the folder is"):
        other.run()
    (tmp_path / "models" / "llm" / "1").rename(tmp_path / "elsewhere")
    with pytest.raises(LabelRiskError) as caught:
        other.run()
    folder = tmp_path / "models" / "llm" / "1"
    assert str(caught.value) == f"{folder}: source 'llm' has no student for seed 1; run `dvc repro`"
    assert not (tmp_path / "out.parquet").exists()
