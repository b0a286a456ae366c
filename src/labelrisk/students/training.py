"""Fine-tuning an encoder on labels, and its predictions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labelrisk.encoders import memory_and_cores
from labelrisk.encoders.devices import device, precision
from labelrisk.encoders.tokens import Tokens, padding_id
from labelrisk.errors import LabelRiskError
from labelrisk.settings.train import TrainSettings
from labelrisk.statistics import scores
from labelrisk.students import minibatches
from labelrisk.students.dropout import Masks
from labelrisk.students.fast_layers import FastLayers
from labelrisk.students.losses import batch_loss
from labelrisk.students.low_rank import Adapters
from labelrisk.students.optimizer import AdamW, learning_rate
from labelrisk.students.targets import Targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Codes = NDArray[np.integer[Any]]
Probabilities = NDArray[np.float32]
Log = Callable[[int, dict[str, float]], None]

STEPS_BETWEEN_LOSSES = 10
MULTIPLE = 4


class Seeds(NamedTuple):
    """What a run's seed gives: seeds for the head, for the order of rows, for dropout and for low-rank matrices."""

    head: int
    order: int
    dropout: int
    adapters: int


class FineTuned(NamedTuple):
    """The best checkpoint by validation macro-F1 (the earliest of equals), its step and its validation predictions.

    steps: for how many it was trained in all.
    """

    model: PreTrainedModel
    step: int
    steps: int
    validation: Probabilities


class _Checkpoint(NamedTuple):
    macro_f1: float
    step: int
    decay: float
    parameters: list[Tensor]
    validation: Probabilities


def seeds_of(seed: int) -> Seeds:
    """Derive the seeds of one run."""
    return Seeds(*(int(part) for part in np.random.SeedSequence(seed).generate_state(len(Seeds._fields))))


def fine_tune(
    model: PreTrainedModel,
    train: Tokens,
    targets: Targets,
    validation: Tokens,
    validation_labels: Codes,
    settings: TrainSettings,
    seed: int,
    log: Log = lambda step, metrics: None,
    progress: bool = False,
) -> FineTuned:
    """Fine-tune `model` (fp32, its head already initialised) in place by the recipe in `settings`.

    targets: of the rows of `train`; validation_labels: class codes 0..K-1 of shape (N,).  The order of rows, dropout
    and low-rank matrices depend on `seed` only.  `log` gets the step with `loss` (mean since the last) and
    `learning_rate`, and every `validate_every` steps `validation/accuracy` and `validation/macro_f1`.
    Raises LabelRiskError without rows, on divergence, and for a rank that is too large.
    """
    if not len(train) or not len(validation):
        which = "validation" if len(train) else "train"
        raise LabelRiskError(f"there is no labelled {which} row to train with; check the source's labels")
    seeds, where, dtype = seeds_of(seed), device(), precision(settings.precision)
    if where.type == "cpu":
        memory_and_cores.keep_mapped()
    steps, per_epoch = settings.steps_for(len(train)), settings.steps_per_epoch(len(train))
    interval = settings.validate_every or per_epoch
    warmup = math.ceil(settings.warmup_share * steps)
    batches = minibatches.endless(train.lengths, settings.batch_size, np.random.default_rng(seeds.order))
    low_rank = Adapters(model, settings.rank, settings.alpha, seeds.adapters) if settings.method == "lora" else None
    model.to(where)
    fast_layers = FastLayers(
        model, dtype, np.union1d(train.ids, validation.ids), Masks(seeds.dropout) if where.type == "cpu" else None
    )
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = AdamW(parameters, settings.weight_decay)
    best: _Checkpoint | None = None
    losses: list[Tensor] = []
    # on an accelerator dropout draws from PyTorch's generators: lend them a state of our own
    with _lent_generators(where, seeds.dropout), _bar(steps, progress) as bar:
        model.train()
        for step, rows in enumerate(itertools.islice(batches, steps), start=1):
            rate = learning_rate(step - 1, steps, warmup, settings.learning_rate)
            loss = batch_loss(targets, rows, logits_of(model, train, rows))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step(rate)
            losses.append(loss.detach())
            validates = step % interval == 0 or step == steps
            if validates or step % STEPS_BETWEEN_LOSSES == 0:
                log(step, {"loss": float(torch.stack(losses).mean()), "learning_rate": rate})
                losses = []
            if bar is not None:
                bar.update()
            if not validates:
                continue
            probabilities = predict(model, validation, settings.evaluation_batch_size)
            model.train()
            scored = _scores(validation_labels, probabilities)
            log(step, {f"validation/{name}": value for name, value in scored.items()})
            if best is None or scored["macro_f1"] > best.macro_f1:
                kept = [parameter.detach().clone() for parameter in parameters]
                best = _Checkpoint(scored["macro_f1"], step, optimizer.decay, kept, probabilities)
            elif step >= settings.least_steps and step - best.step >= interval * (settings.patience or math.inf):
                break
    assert best is not None
    for parameter, value in zip(parameters, best.parameters, strict=True):
        parameter.data = value
    fast_layers.leave(best.decay, dtype)
    probabilities = best.validation
    if low_rank is not None:
        low_rank.merge()
        # merged matrices round otherwise than two products: what is told of the model is what it gives
        probabilities = predict(model, validation, settings.evaluation_batch_size)
    model.eval()
    return FineTuned(model, best.step, step, probabilities)


def predict(model: PreTrainedModel, tokens: Tokens, batch_size: int) -> Probabilities:
    """Class probabilities of each row, shape (N, K); the model is left in evaluation mode."""
    model.eval()
    probabilities = np.empty((len(tokens), model.config.num_labels), dtype=np.float32)
    with torch.inference_mode():
        for rows in minibatches.by_length(tokens.lengths, batch_size):
            probabilities[rows] = logits_of(model, tokens, rows).softmax(-1).cpu().numpy()
    return probabilities


def logits_of(model: PreTrainedModel, tokens: Tokens, rows: NDArray[np.integer[Any]]) -> Tensor:
    """Logits in fp32 of a batch, shape (len(rows), K)."""
    ids, present = tokens.padded(rows, padding_id(model), MULTIPLE)
    where = model.device
    # no mask where nothing is padded: attention is then cheaper
    mask = None if present.all() else torch.from_numpy(present).to(where, torch.int64)
    logits: Tensor = model(input_ids=torch.from_numpy(ids).to(where), attention_mask=mask).logits
    return logits.float()


def _scores(labels: Codes, probabilities: Probabilities) -> dict[str, float]:
    counts = scores.confusion(labels, probabilities.argmax(axis=1), probabilities.shape[1])
    return {"accuracy": float(scores.accuracy(counts)), "macro_f1": float(scores.macro_f1(counts))}


@contextmanager
def _lent_generators(where: torch.device, seed: int) -> Iterator[None]:
    """PyTorch's generators with a state from `seed`, put back at the end."""
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if where.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield


def _bar(steps: int, progress: bool) -> Any:
    if not progress:
        return nullcontext()
    from labelrisk.progress import bar

    return bar(steps, "training", "step")
