"""`labelrisk export`: a classifier for programs that know nothing of labelrisk, with the same predictions."""

import json
import shutil
import sys

import numpy as np
import pytest
from applied_study import CLASSES, rows, study

import labelrisk
from labelrisk.classifiers.folders import write_form
from labelrisk.cli import main


@pytest.fixture(scope="module")
def root():
    return study()


@pytest.fixture(scope="module")
def texts():
    return [*rows(30, seed=41)["text"], "bad " * 100, "unknown"]


def export(root, classifier, *words):
    return main(["export", "--classifier", str(root / "classifiers" / classifier), *map(str, words)])


@pytest.fixture(scope="module")
def graph(root, tmp_path_factory):
    """The ensemble as ONNX: to export takes seconds."""
    folder = tmp_path_factory.mktemp("onnx") / "out"
    assert export(root, "chosen", "--to", folder, "--format", "onnx") == 0
    return folder


def ours(root, classifier, texts):
    found = labelrisk.load(root / "classifiers" / classifier).label(texts)
    return found["label"].tolist(), found[["p_no", "p_yes"]].to_numpy()


def test_a_plain_folder_says_the_same_in_a_pipeline(root, texts, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    assert export(root, "distilled", "--to", tmp_path / "out") == 0
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert model.config.id2label == dict(enumerate(CLASSES))
    assert AutoTokenizer.from_pretrained(tmp_path / "out").model_max_length == 32
    classify = pipeline("text-classification", str(tmp_path / "out"), top_k=None)
    said = [{one["label"]: one["score"] for one in of} for of in classify(texts, truncation=True)]
    labels, probabilities = ours(root, "distilled", texts)
    assert [max(of, key=of.get) for of in said] == labels
    assert np.array([[of[name] for name in CLASSES] for of in said]) == pytest.approx(probabilities, abs=1e-4)
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.suffix in (".bin", ".pt", ".pkl")]


def test_uncalibrated_is_what_the_student_says(root, texts, tmp_path):
    from transformers import pipeline

    assert export(root, "distilled", "--to", tmp_path / "out", "--uncalibrated") == 0
    classify = pipeline("text-classification", str(tmp_path / "out"), top_k=None)
    said = [{one["label"]: one["score"] for one in of} for of in classify(texts, truncation=True)]
    raw = labelrisk.load(root / "classifiers" / "distilled").probabilities(texts)
    assert np.array([[of[name] for name in CLASSES] for of in said]) == pytest.approx(raw, abs=1e-4)
    assert raw != pytest.approx(ours(root, "distilled", texts)[1], abs=1e-3)  # or nothing was tested


def test_an_ensemble_is_one_graph_for_any_batch_and_length(root, texts, graph):
    import onnxruntime
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(graph)
    session = onnxruntime.InferenceSession(graph / "model.onnx", providers=["CPUExecutionProvider"])
    assert json.loads((graph / "classes.json").read_text())["classes"] == CLASSES
    said = []
    for part in (texts[:1], texts[1:20], texts[20:]):
        read = tokenizer(part, truncation=True, padding=True, return_tensors="np")
        said.append(session.run(None, {name: read[name] for name in ("input_ids", "attention_mask")})[0])
    labels, probabilities = ours(root, "chosen", texts)
    assert np.concatenate(said) == pytest.approx(probabilities, abs=1e-4)
    assert [CLASSES[code] for code in np.concatenate(said).argmax(axis=1)] == labels
    readme = (graph / "README.md").read_text()
    assert "mean probabilities of 2 students" in readme


def test_what_is_written_beside_shows_how_it_is_called(root, graph, tmp_path):
    """The blocks of code run."""
    assert export(root, "distilled", "--to", tmp_path / "plain") == 0
    for folder in (graph, tmp_path / "plain"):
        block = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
        exec(compile(block.replace("FOLDER", str(folder)), str(folder), "exec"), {})


def test_what_can_not_be_exported_is_one_sentence_and_leaves_nothing(root, tmp_path, capsys, monkeypatch):
    assert export(root, "chosen", "--to", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "is an ensemble of 2 students, and a folder of transformers holds one; export classifiers/distilled" in said
    (tmp_path / "there").mkdir()
    assert export(root, "distilled", "--to", tmp_path / "there") == 1
    assert "there is there already; name another folder by --to" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert export(root, "distilled", "--to", tmp_path / "out", "--format", "onnx") == 1
    assert "--format onnx needs the package onnxscript, which is not installed" in capsys.readouterr().err
    monkeypatch.undo()
    shutil.copytree(root / "classifiers" / "chosen", tmp_path / "mixed")
    file = tmp_path / "mixed" / "gold-1" / "tokenizer.json"
    file.write_text(file.read_text().replace('"word1"', '"word1x"'))
    write_form(tmp_path / "mixed", "gold", CLASSES, 32, [("gold", 0), ("gold", 1)])
    words = ["export", "--classifier", str(tmp_path / "mixed"), "--uncalibrated", "--format", "onnx"]
    assert main([*words, "--to", str(tmp_path / "out")]) == 1
    assert "read other tokens, so that no one graph fits" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixed", "there"]
