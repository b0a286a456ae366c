"""A classifier as a graph of OpenVINO, in int8 where its labels stay those of the classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labelrisk.classifiers import export_notes
from labelrisk.classifiers.calibration import digest
from labelrisk.classifiers.exported import Voting, load_plain, new_folder
from labelrisk.classifiers.folders import read_form
from labelrisk.classifiers.openvino_graph import (
    FILE,
    MODEL,
    TOKENS,
    Agreement,
    GraphForm,
    compiled,
    imported,
    said_by,
)
from labelrisk.classifiers.voting import Classifier, reread
from labelrisk.encoders.tokens import Tokens, padding_id, tokenise
from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json
from labelrisk.statistics.scores import Floats
from labelrisk.students import minibatches
from labelrisk.students.fast_layers import first_token_only

LEAST = 0.995  # share of texts whose label must be the classifier's
FITTED = 300  # texts at most, and half of them, by which int8 and the margin are fitted; the others measure
# A label can differ only where the probabilities of two classes, each off by so much, change places: of so many of the
# fitted texts they are less far off, and texts whose two likeliest classes are nearer are left to the students.
SURE = 0.99
FEWEST = 400  # texts in all: where half of them measure, one other label is already too many


def export_openvino(folder: Path, to: Path, temperature: float, precision: str, texts: Sequence[str]) -> GraphForm:
    """Write all students of a classifier as one graph: token ids and mask -> the vote's probabilities.

    texts: like those that will be labelled; the first FITTED, or half, fit int8 and the margin, the others measure.
    Raises LabelRiskError where an optional package is missing, where students read other tokens, for too few texts,
    and where fewer than LEAST of the labels are the classifier's.
    """
    openvino = imported("openvino")
    form = read_form(folder)
    if len(texts) < FEWEST:
        raise LabelRiskError(
            f"--texts holds {len(texts):,} different texts, of which some fit the graph and others measure it; give "
            f"{FEWEST} or more, such as 2,000"
        )
    loaded = [load_plain(folder / member, form, "sdpa") for member in form.members]
    tokenizer = loaded[0][1]
    if len({of.backend_tokenizer.to_str() for _, of in loaded}) > 1:
        raise LabelRiskError(
            f"the students in {folder} read other tokens, so that no one graph fits; export one of them"
        )
    padding = padding_id(loaded[0][0])
    half = min(FITTED, len(texts) // 2)
    fitted, measured = (tokenise(tokenizer, part, form.max_tokens) for part in (texts[:half], texts[half:]))
    graph = _traced(openvino, [model for model, _ in loaded], tokenizer)
    if precision == "int8":
        graph = _in_int8(graph, fitted, padding)
    ready, classifier = compiled(openvino, graph), Classifier(folder)
    blank = Agreement(texts=len(measured), same=0, alone=0, reread=0, farthest=0.0)
    found = GraphForm(
        classifier=digest(folder), classes=form.classes, max_tokens=form.max_tokens, padding=padding,
        precision=precision, temperature=temperature, margin=0.0, agreement=blank,  # type: ignore[arg-type]
    )  # fmt: skip
    if precision == "int8":
        off = np.abs(said_by(ready, fitted, found) - classifier.read(texts[:half]).probabilities)
        found = found.model_copy(update={"margin": min(1.0, 2 * float(np.quantile(off.max(axis=1), SURE)))})
    alone, wanted = said_by(ready, measured, found).astype(np.float64), classifier.read(texts[half:]).probabilities
    says = alone.copy()  # what predict gives: students in batches of texts that are close may say a little else
    close = reread(says, found.margin, texts[half:], lambda some: classifier.read(some).probabilities)
    found = found.model_copy(update={"agreement": agreement(alone, says, wanted, close)})
    check(found, folder)
    with new_folder(to) as temporary:
        openvino.save_model(graph, temporary / MODEL, compress_to_fp16=False)
        tokenizer.model_max_length = form.max_tokens
        tokenizer.save_pretrained(temporary)
        write_json(found.model_dump(), temporary / FILE)
        note = export_notes.openvino(form, found.told, found.agreement.alone / found.agreement.texts)
        (temporary / "README.md").write_text(note, encoding="utf-8")
    return found


def agreement(alone: Floats, says: Floats, wanted: Floats, close: NDArray[np.int64]) -> Agreement:
    """Of probabilities (N, K) of a graph, of it with students that read the texts `close`, and of the classifier."""
    off = np.abs(np.delete(says - wanted, close, axis=0))
    return Agreement(
        texts=len(says),
        same=int((says.argmax(axis=1) == wanted.argmax(axis=1)).sum()),
        alone=int((alone.argmax(axis=1) == wanted.argmax(axis=1)).sum()),
        reread=len(close),
        farthest=float(off.max()) if len(off) else 0.0,
    )


def check(form: GraphForm, folder: Path) -> None:
    """Raise LabelRiskError where not more than LEAST of the labels are the classifier's."""
    of = form.agreement
    if of.share <= LEAST:
        raise LabelRiskError(
            f"in {form.precision} {of.same:,} of {of.texts:,} texts ({100 * of.share:.2f} %) have the label that "
            f"{folder} gives, and above {100 * LEAST:g} % is asked for; give --precision fp32, or use the classifier "
            "as it is"
        )


def _traced(openvino: Any, models: Sequence[Any], tokenizer: Any) -> Any:
    for model in models:
        first_token_only(model)
    read = tokenizer(["A text.", "Another text that is longer."], padding=True, return_tensors="pt")
    with torch.inference_mode(), _silent():
        return openvino.convert_model(
            Voting(models).eval(),
            example_input=(read["input_ids"], read["attention_mask"]),
            input=[openvino.PartialShape([-1, -1]), openvino.PartialShape([-1, -1])],
        )


def _in_int8(graph: Any, tokens: Tokens, padding: int) -> Any:
    """Weights and what is multiplied with them, fitted to what occurs; NNCF's scheme for transformers."""
    nncf = imported("nncf")
    batches = [
        {0: ids, 1: present.astype(np.int64)}
        for ids, present in (tokens.padded(rows, padding) for rows in minibatches.by_tokens(tokens.lengths, TOKENS, 1))
    ]
    with _silent():
        return nncf.quantize(
            graph, nncf.Dataset(batches), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(batches)
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Without bars and warnings of what is traced."""
    import io
    import logging
    import warnings
    from contextlib import redirect_stdout

    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
