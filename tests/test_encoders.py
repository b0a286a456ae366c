"""Where encoders come from, and that their heads come from the run's seed alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from students import CLASSES, tiny_model

from labelrisk.embedded_model import weights
from labelrisk.encoders import loading
from labelrisk.errors import LabelRiskError
from labelrisk.students import encoders


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("bert"), "bert")


def test_the_embedded_model_is_found_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Path(loading.resolve("embedded", None, "train"))
    assert (found / "config.json").is_file()
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(LabelRiskError, match="has the SHA-256 53aa51172d14"):
        loading.resolve("embedded", None, "train")
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(LabelRiskError, match="not installed"):
        loading.resolve("embedded", None, "train")


def test_names_need_a_revision_and_folders_do_not(folder: Path) -> None:
    assert loading.resolve(str(folder), None, "train") == str(folder)
    assert loading.resolve("FacebookAI/roberta-base", "e2da8e2f811d", "train") == "FacebookAI/roberta-base"
    with pytest.raises(LabelRiskError, match="needs train.revision"):
        loading.resolve("FacebookAI/roberta-base", None, "train")
    with pytest.raises(LabelRiskError, match="there is no folder"):
        loading.resolve("./no/such/folder", None, "train")


def test_what_cannot_be_loaded_is_one_sentence(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    with pytest.raises(LabelRiskError, match="complete model") as caught:
        encoders.load_classifier(str(tmp_path), None, CLASSES, 0.1, 0)
    assert "\n" not in str(caught.value)
    # as if HF_HUB_OFFLINE were set: the hub's client tries again for half a minute otherwise
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for load in (loading.load_tokenizer, lambda *where: encoders.load_classifier(*where, CLASSES, 0.1, 0)):
        with pytest.raises(LabelRiskError, match="at revision abc can't be loaded") as caught:
            load("no-such/model", "abc")
        assert "\n" not in str(caught.value)


def with_tensors(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Callable[[Path], None]:
    """Changes the weights of a folder."""
    return lambda folder: save_file(
        change(load_file(folder / "model.safetensors")), folder / "model.safetensors", metadata={"format": "pt"}
    )


def with_content(name: str, content: bytes) -> Callable[[Path], None]:
    """Writes a file of a folder anew."""
    return lambda folder: (folder / name).write_bytes(content) and None


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no weights in the file": (with_content("model.safetensors", b""), "header too small"),
    "a part of the weights": (lambda at: os.truncate(at / "model.safetensors", 20_000), "not fully covered"),
    "a layer absent": (
        with_tensors(lambda of: {name: one for name, one in of.items() if "layer.1" not in name}),
        r"its weights lack bert\.encoder\.layer\.1\.[a-zA-Z.]+ and 15 more",
    ),
    "all absent": (with_tensors(lambda of: {}), "its weights lack bert.embeddings.LayerNorm.bias and 36 more"),
    "no numbers": (
        with_tensors(lambda of: {name: torch.full_like(one, torch.nan) for name, one in of.items()}),
        "hold what is no number",
    ),
    "another shape": (
        with_tensors(lambda of: {name: one[:-1].contiguous() for name, one in of.items()}),
        "can't be loaded",
    ),
    "a configuration that is a list": (with_content("config.json", b"[]"), "can't be loaded"),
    "heads that are none": (
        lambda at: with_content("config.json", (at / "config.json").read_bytes().replace(b'heads": 4', b'heads": 0'))(
            at
        ),
        "can't be loaded",
    ),
    "a tokenizer that is a list": (with_content("tokenizer.json", b"[]"), "can't be loaded"),
    "a tokenizer without settings": (with_content("tokenizer_config.json", b"{}"), "can't be loaded"),
    "no tokenizer": (lambda at: [path.unlink() for path in at.glob("token*")] and None, "its tokenizer knows no words"),
    "more tokens than the model": (
        lambda at: with_content("config.json", (at / "config.json").read_bytes().replace(b": 268", b": 60"))(at),
        "its tokenizer knows 68 tokens, the model 60",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_folder_is_one_sentence_and_never_a_fresh_encoder(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(folder, tmp_path / "model")
    change, says = DAMAGED[name]
    change(tmp_path / "model")
    with pytest.raises(LabelRiskError, match=says) as caught:  # noqa: PT012
        loading.load_tokenizer(str(tmp_path / "model"), None)
        encoders.load_classifier(str(tmp_path / "model"), None, CLASSES, 0.1, 0)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; check that the folder is a complete model")


def test_pickled_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(LabelRiskError, match="can't be loaded"):
        encoders.load_classifier(str(tmp_path), None, CLASSES, 0.1, 0)


def test_the_head_is_drawn_from_the_seed_and_nothing_else(folder: Path) -> None:
    before = torch.random.get_rng_state()
    first, again, other = (encoders.load_classifier(str(folder), None, CLASSES, 0.3, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.classifier.weight, again.classifier.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    assert torch.equal(first.bert.pooler.dense.weight, other.bert.pooler.dense.weight)
    assert first.config.id2label == dict(enumerate(CLASSES))
    assert first.bert.encoder.layer[0].output.dropout.p == first.dropout.p == 0.3


def test_more_tokens_than_positions_is_an_error(folder: Path, tmp_path: Path) -> None:
    bert = encoders.load_classifier(str(folder), None, CLASSES, 0.1, 0)
    loading.check_length(bert, 64, "train")
    with pytest.raises(LabelRiskError, match="at most 64 tokens"):
        loading.check_length(bert, 65, "train")
    roberta = encoders.load_classifier(str(tiny_model(tmp_path, "roberta")), None, CLASSES, 0.1, 0)
    loading.check_length(roberta, 63, "train")  # positions are counted from padding (0 here) + 1
    with pytest.raises(LabelRiskError, match="at most 63 tokens"):
        loading.check_length(roberta, 64, "train")


RESIDENT = """
import sys
from labelrisk.encoders.memory_and_cores import give_back, keep_mapped

def resident():
    return next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))

if not sys.platform.startswith("linux") or not keep_mapped():
    sys.exit("no glibc")
blocks = [bytearray(b"x" * 50_000) for _ in range(4000)]
blocks = blocks[-1:]  # the last one keeps the top of the heap
kept = resident()
give_back()
print(kept - resident())
"""


def test_what_is_kept_and_free_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=False)
    if "no glibc" in done.stderr:
        pytest.skip("malloc_trim is glibc's")
    assert int(done.stdout) > 150  # of 190 MiB
