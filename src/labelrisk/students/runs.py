"""One student in training, whatever computes its logits: order of rows, rates, log, best checkpoint, and its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labelrisk.encoders.tokens import Tokens
from labelrisk.errors import LabelRiskError
from labelrisk.settings.train import TrainSettings
from labelrisk.statistics import scores
from labelrisk.students import minibatches
from labelrisk.students.optimizer import AdamW, learning_rate
from labelrisk.students.targets import Targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Codes = NDArray[np.integer[Any]]
Probabilities = NDArray[np.float32]
Log = Callable[[int, dict[str, float]], None]

STEPS_BETWEEN_LOSSES = 10


class Seeds(NamedTuple):
    """What a run's seed gives: seeds for the head, for the order of rows, for dropout and for low-rank matrices."""

    head: int
    order: int
    dropout: int
    adapters: int


def seeds_of(seed: int) -> Seeds:
    """Derive the seeds of one run."""
    return Seeds(*(int(part) for part in np.random.SeedSequence(seed).generate_state(len(Seeds._fields))))


class Lesson(NamedTuple):
    """What one student learns from, and what its checkpoints are compared on.

    targets: of the rows of `train`; validation_labels: class codes 0..K-1 of shape (N,).
    """

    train: Tokens
    targets: Targets
    validation: Tokens
    validation_labels: Codes
    seed: int
    log: Log = lambda step, metrics: None

    def check(self) -> None:
        """Raise LabelRiskError without rows."""
        if not len(self.train) or not len(self.validation):
            which = "validation" if len(self.train) else "train"
            raise LabelRiskError(f"there is no labelled {which} row to train with; check the source's labels")


class Checkpoint(NamedTuple):
    """A student after one of its steps.  decay: of AdamW, what a weight without any gradient was multiplied by."""

    macro_f1: float
    step: int
    decay: float
    parameters: list[Tensor]
    validation: Probabilities


class Run:
    """The state of one student's training."""

    def __init__(self, model: PreTrainedModel, lesson: Lesson, settings: TrainSettings) -> None:
        """model: where it is computed, as it is computed in training."""
        self.model, self.lesson = model, lesson
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = AdamW(self.parameters, settings.weight_decay)
        self.step = 0
        self.steps = settings.steps_for(len(lesson.train))
        self.best: Checkpoint | None = None
        self._settings = settings
        self._interval = settings.validate_every or settings.steps_per_epoch(len(lesson.train))
        self._warmup = math.ceil(settings.warmup_share * self.steps)
        order = np.random.default_rng(seeds_of(lesson.seed).order)
        self._batches = minibatches.endless(lesson.train.lengths, settings.batch_size, order)
        self._losses: list[Tensor] = []
        self._has_ended = False

    def next_rows(self) -> minibatches.Rows:
        """The rows of the next step."""
        return next(self._batches)

    @property
    def has_ended(self) -> bool:
        """No step is left, or patience is."""
        return self._has_ended

    @property
    def is_to_be_validated(self) -> bool:
        """After the step that was taken last."""
        return self.step % self._interval == 0 or self.step == self.steps

    def update(self, loss: Tensor) -> None:
        """Take one step with the gradients that are there; the loss is what they are of."""
        self.step += 1
        rate = learning_rate(self.step - 1, self.steps, self._warmup, self._settings.learning_rate)
        self.optimizer.step(rate)
        self._losses.append(loss.detach())
        if self.is_to_be_validated or self.step % STEPS_BETWEEN_LOSSES == 0:
            self.optimizer.check()
            self.lesson.log(self.step, {"loss": float(torch.stack(self._losses).mean()), "learning_rate": rate})
            self._losses = []

    def validated(self, probabilities: Probabilities) -> None:
        """Note what the model says of the validation rows now; keep it where it is better than all before."""
        labels = self.lesson.validation_labels
        counts = scores.confusion(labels, probabilities.argmax(axis=1), probabilities.shape[1])
        macro_f1 = float(scores.macro_f1(counts))
        scored = {"validation/accuracy": float(scores.accuracy(counts)), "validation/macro_f1": macro_f1}
        self.lesson.log(self.step, scored)
        self._has_ended = self.step == self.steps
        if self.best is None or macro_f1 > self.best.macro_f1:
            kept = [parameter.detach().clone() for parameter in self.parameters]
            self.best = Checkpoint(macro_f1, self.step, self.optimizer.decay, kept, probabilities)
        elif self.step >= self._settings.least_steps:
            waited = self.step - self.best.step
            self._has_ended |= waited >= self._interval * (self._settings.patience or math.inf)

    def restore(self) -> Checkpoint:
        """Give the model the weights of its best checkpoint."""
        assert self.best is not None
        for parameter, value in zip(self.parameters, self.best.parameters, strict=True):
            parameter.data = value
        return self.best
