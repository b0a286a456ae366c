"""Fine-tuning encoders on labels, one or several together, and their predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labelrisk.encoders import memory_and_cores
from labelrisk.encoders.attention import spread, takes_masks
from labelrisk.encoders.devices import device, moved, precision
from labelrisk.encoders.tokens import Tokens, padding_id
from labelrisk.errors import LabelRiskError
from labelrisk.settings.train import TrainSettings
from labelrisk.students import minibatches
from labelrisk.students.dropout import Masks
from labelrisk.students.fast_layers import FastLayers
from labelrisk.students.losses import batch_loss
from labelrisk.students.low_rank import Adapters
from labelrisk.students.minibatches import MULTIPLE
from labelrisk.students.runs import Codes, Lesson, Log, Probabilities, Run, seeds_of
from labelrisk.students.stacks import Stack
from labelrisk.students.targets import Targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class FineTuned(NamedTuple):
    """The best checkpoint by validation macro-F1 (the earliest of equals), its step and its validation predictions.

    steps: for how many it was trained in all.
    """

    model: PreTrainedModel
    step: int
    steps: int
    validation: Probabilities


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
    lesson = Lesson(train, targets, validation, validation_labels, seed, log)
    return fine_tune_together([model], [lesson], settings, progress)[0]


def fine_tune_together(
    models: Sequence[PreTrainedModel], lessons: Sequence[Lesson], settings: TrainSettings, progress: bool = False
) -> list[FineTuned]:
    """Fine-tune several models of one shape, each on its own lesson, in one pass a step; as `fine_tune` otherwise.

    One that ends early, by patience or by its rows, is computed along until the last has ended, and stays as it was.
    Models that don't take masks of four dimensions are trained one after the other.
    """
    if len(models) > 1 and not takes_masks(models[0]):
        pairs = zip(models, lessons, strict=True)
        return [fine_tune_together([model], [lesson], settings, progress)[0] for model, lesson in pairs]
    for lesson in lessons:
        lesson.check()
    where, dtype, seeds = device(), precision(settings.precision), [seeds_of(lesson.seed) for lesson in lessons]
    masks = None
    if where.type == "cpu":
        memory_and_cores.keep_mapped()
        # a stack draws dropout from PyTorch's generators, as an accelerator does
        masks = Masks(seeds[0].dropout) if len(models) == 1 else None
    ids = reduce(np.union1d, [part.ids for lesson in lessons for part in (lesson.train, lesson.validation)])
    low_rank, fast_layers = [], []
    for model, own in zip(models, seeds, strict=True):
        if settings.method == "lora":
            low_rank.append(Adapters(model, settings.rank, settings.alpha, own.adapters))
        model.to(where)
        fast_layers.append(FastLayers(model, dtype, ids, masks))
    stack = Stack(models) if len(models) > 1 else None
    runs = [Run(model, lesson, settings) for model, lesson in zip(models, lessons, strict=True)]
    with (
        _lent_generators(where, [own.dropout for own in seeds]),
        _bar(max(run.steps for run in runs), progress) as bar,
        _worded_memory(len(models)),
    ):
        for model in models:
            model.train()
        while not all(run.has_ended for run in runs):
            step_of(runs, stack)
            if bar is not None:
                bar.update()
            for run in runs:
                if run.is_to_be_validated and not run.has_ended:
                    run.validated(predict(run.model, run.lesson.validation, settings.evaluation_batch_size))
                    run.model.train()
    finished = []
    for place, run in enumerate(runs):
        best = run.restore()
        fast_layers[place].leave(best.decay, dtype)
        probabilities = best.validation
        if low_rank:
            low_rank[place].merge()
            # merged matrices round otherwise than two products: what is told of the model is what it gives
            probabilities = predict(run.model, run.lesson.validation, settings.evaluation_batch_size)
        finished.append(FineTuned(run.model.eval(), best.step, run.step, probabilities))
    return finished


def step_of(runs: Sequence[Run], stack: Stack | None) -> None:
    """One step of all that have not ended."""
    rows = [run.next_rows() for run in runs]
    tokens = [run.lesson.train for run in runs]
    logits = [logits_of(runs[0].model, tokens[0], rows[0])] if stack is None else stack.logits(tokens, rows)
    losses = [batch_loss(run.lesson.targets, some, given) for run, some, given in zip(runs, rows, logits, strict=True)]
    sum(losses[1:], losses[0]).backward()
    if stack is not None:
        stack.hand_out()
    for run, loss in zip(runs, losses, strict=True):
        if not run.has_ended:
            run.update(loss)


def predict(model: PreTrainedModel, tokens: Tokens, batch_size: int) -> Probabilities:
    """Class probabilities of each row, shape (N, K); the model is left in evaluation mode."""
    model.eval()
    batches = minibatches.by_length(tokens.lengths, batch_size)
    probabilities = np.empty((len(tokens), model.config.num_labels), dtype=np.float32)
    if not batches:
        return probabilities
    with torch.inference_mode():
        found = [logits_of(model, tokens, rows).softmax(-1) for rows in batches]
        # all at once: an accelerator is waited for once
        probabilities[np.concatenate(batches)] = torch.cat(found).cpu().numpy()
    return probabilities


def logits_of(model: PreTrainedModel, tokens: Tokens, rows: NDArray[np.integer[Any]]) -> Tensor:
    """Logits in fp32 of a batch, shape (len(rows), K)."""
    ids, present = tokens.padded(rows, padding_id(model), MULTIPLE)
    where = model.device
    mask = None  # where nothing is padded: attention is then cheaper
    if not present.all():
        is_waited_for = where.type != "cpu" and takes_masks(model)
        mask = spread(moved(present, where)) if is_waited_for else moved(present.astype(np.int64), where)
    logits: Tensor = model(input_ids=moved(ids, where), attention_mask=mask).logits
    return logits.float()


@contextmanager
def _lent_generators(where: torch.device, seeds: Sequence[int]) -> Iterator[None]:
    """PyTorch's generators with a state from `seeds`, put back at the end."""
    seed = seeds[0] if len(seeds) == 1 else int(np.random.SeedSequence(seeds).generate_state(1)[0])
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if where.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield


@contextmanager
def _worded_memory(students: int) -> Iterator[None]:
    """An accelerator that is too small becomes a sentence."""
    try:
        yield
    except torch.OutOfMemoryError:
        lower = f"train.together ({students} students at once)" if students > 1 else "train.batch_size"
        raise LabelRiskError(f"the accelerator's memory is too small for this training; lower {lower}") from None


def _bar(steps: int, progress: bool) -> Any:
    if not progress:
        return nullcontext()
    from labelrisk.progress import bar

    return bar(steps, "training", "step")
