"""A classifier in forms that other programs load: a plain folder of transformers, or one ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from labelrisk.classifiers import export_notes
from labelrisk.classifiers.folders import Form, read_form
from labelrisk.encoders.loading import load_tokenizer, quiet, worded
from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json, written_aside
from labelrisk.sources.learning import at_temperature
from labelrisk.students.fast_layers import is_head

if TYPE_CHECKING:
    from transformers import PreTrainedModel

EXACT = 1e-4  # by which probabilities of what was exported may differ from those in fp32
TEXTS = ("A text.", "Another text that has some more words than the first one, and a comma.")  # that are tried
MODEL = "model.onnx"
LARGEST = 1_500_000_000  # bytes of weights in one ONNX file, whose format ends at 2 GB


def export_transformers(folder: Path, to: Path, temperature: float) -> None:
    """Write the one student of a classifier in fp32, its head divided by the temperature.

    Raises LabelRiskError for an ensemble, and where the head is none that can be divided.
    """
    form = read_form(folder)
    if len(form.members) > 1:
        raise LabelRiskError(
            f"{folder} is an ensemble of {len(form.members)} students, and a folder of transformers holds one; export "
            "classifiers/distilled, the student that learned from it, or give --format onnx"
        )
    model, tokenizer = load_plain(folder / form.members[0], form)
    before = at_temperature(_probabilities(Voting([model]), tokenizer, form), temperature)
    _divide_head(model, temperature)
    if np.abs(_probabilities(Voting([model]), tokenizer, form) - before).max() > EXACT:
        raise LabelRiskError(f"the head of {folder} can't be divided by a temperature; give --uncalibrated")
    tokenizer.model_max_length = form.max_tokens
    with new_folder(to) as temporary, quiet():
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        (temporary / "README.md").write_text(export_notes.transformers(form, temperature), encoding="utf-8")


def export_onnx(folder: Path, to: Path, temperature: float) -> None:
    """Write all students of a classifier as one graph in fp32: token ids and mask -> the vote's probabilities.

    Raises LabelRiskError where an optional package is missing, and where students read other tokens.
    """
    try:
        import onnxruntime  # type: ignore[import-untyped]
        import onnxscript  # noqa: F401  # type: ignore[import-untyped]
    except ImportError as error:
        raise LabelRiskError(
            f"--format onnx needs the package {error.name}, which is not installed; run pip install 'labelrisk[onnx]'"
        ) from None
    form = read_form(folder)
    loaded = [load_plain(folder / member, form) for member in form.members]
    tokenizer = loaded[0][1]
    if len({of.backend_tokenizer.to_str() for _, of in loaded}) > 1:
        raise LabelRiskError(
            f"the students in {folder} read other tokens, so that no one graph fits; export one of them"
        )
    voting = Voting([model for model, _ in loaded], temperature)
    with new_folder(to) as temporary:
        _write_graph(voting, tokenizer, temporary / MODEL)
        session = onnxruntime.InferenceSession(str(temporary / MODEL), providers=["CPUExecutionProvider"])
        wanted = _probabilities(voting, tokenizer, form)
        found = np.concatenate(
            [session.run(None, {"input_ids": ids, "attention_mask": mask})[0] for ids, mask in _inputs(tokenizer, form)]
        )
        if np.abs(found - wanted).max() > EXACT:
            raise LabelRiskError(
                f"the graph of {folder} says something else than its students; this encoder can't be exported"
            )
        tokenizer.model_max_length = form.max_tokens
        tokenizer.save_pretrained(temporary)
        write_json({"classes": form.classes, "max_tokens": form.max_tokens}, temporary / "classes.json")
        (temporary / "README.md").write_text(export_notes.onnx(form, temperature), encoding="utf-8")


class Voting(nn.Module):
    """The mean probabilities of students at a temperature."""

    def __init__(self, models: Sequence[PreTrainedModel], temperature: float = 1.0) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.temperature = temperature

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        of_all = [model(input_ids=input_ids, attention_mask=attention_mask).logits.softmax(-1) for model in self.models]
        mean = torch.stack(of_all).mean(dim=0)
        return (mean.clamp_min(1e-6).log() / self.temperature).softmax(-1)


def load_plain(path: Path, form: Form, attention: str = "eager") -> tuple[Any, Any]:
    """A student in fp32 with a kind of attention that can be exported, and its tokenizer."""
    from transformers import AutoModelForSequenceClassification

    with quiet(), worded(str(path), None):
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            str(path), dtype=torch.float32, use_safetensors=True, trust_remote_code=False, attn_implementation=attention
        )
    model.config.id2label = dict(enumerate(form.classes))
    model.config.label2id = {name: code for code, name in enumerate(form.classes)}
    return model.eval(), load_tokenizer(str(path), None)


def _divide_head(model: PreTrainedModel, temperature: float) -> None:
    heads = [module for module in model.modules() if is_head(module, model.config.num_labels)]
    if not heads:
        return
    with torch.no_grad():
        for weight in heads[-1].parameters():
            weight /= temperature


def _inputs(tokenizer: Any, form: Form) -> Iterator[tuple[Any, Any]]:
    """A batch of one, and one of two lengths."""
    for texts in (TEXTS[:1], TEXTS):
        read = tokenizer(list(texts), truncation=True, max_length=form.max_tokens, padding=True, return_tensors="np")
        yield read["input_ids"].astype(np.int64), read["attention_mask"].astype(np.int64)


def _probabilities(voting: Voting, tokenizer: Any, form: Form) -> Any:
    with torch.inference_mode():
        return np.concatenate(
            [voting(*map(torch.from_numpy, batch)).numpy().astype(np.float64) for batch in _inputs(tokenizer, form)]
        )


def _write_graph(voting: Voting, tokenizer: Any, path: Path) -> None:
    import logging
    import warnings

    read = tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    size = sum(weight.numel() * weight.element_size() for weight in voting.parameters())
    shape = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("length", min=2)}
    level = logging.root.manager.disable
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            torch.onnx.export(
                voting,
                (read["input_ids"], read["attention_mask"]),
                str(path),
                input_names=["input_ids", "attention_mask"],
                output_names=["probabilities"],
                dynamic_shapes={"input_ids": shape, "attention_mask": shape},
                dynamo=True,
                external_data=size > LARGEST,
                verbose=False,
            )
        finally:
            logging.disable(level)


@contextmanager
def new_folder(to: Path) -> Iterator[Path]:
    """A new folder, whole or not at all.  Raises LabelRiskError where something is there already."""
    if to.exists():
        raise LabelRiskError(f"{to} is there already; name another folder by --to")
    with written_aside(to) as temporary:
        temporary.mkdir()
        yield temporary
