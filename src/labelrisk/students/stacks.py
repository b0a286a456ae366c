"""Several students of one shape computed in one pass: an accelerator is launched once for all of them.

A batch of short rows is too little to keep an accelerator busy for as long as launching its kernels takes; the weights
of S students stacked, each kernel does S times as much.  Through torch.func, so that the encoder's own code is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from labelrisk.encoders.attention import spread
from labelrisk.encoders.devices import moved
from labelrisk.encoders.tokens import Tokens, padding_id
from labelrisk.students.minibatches import MULTIPLE, Rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Stack:
    """Students whose trainable weights lie side by side; each model's own are views of them, and are trained as ever.

    What a student learns is what it learns alone, to rounding, but for dropout, which is drawn for all together.  The
    models must take masks of four dimensions.
    """

    def __init__(self, models: Sequence[PreTrainedModel]) -> None:
        self._models = models
        named = [dict(model.named_parameters()) for model in models]
        trained = [name for name, parameter in named[0].items() if parameter.requires_grad]
        self._weights: dict[str, Tensor] = {}
        for name in trained:
            stacked = torch.stack([parameters[name].detach() for parameters in named])
            self._weights[name] = stacked.requires_grad_()
            for parameters, own in zip(named, stacked.detach(), strict=True):
                parameters[name].data = own
        self._own = [[parameters[name] for name in trained] for parameters in named]

    def logits(self, tokens: Sequence[Tokens], rows: Sequence[Rows]) -> list[Tensor]:
        """Logits in fp32 of a batch of each student, shape (len(rows of it), K).

        All are padded to the longest row, and smaller batches with rows that are in them, whose logits are left out.
        """
        first = self._models[0]
        most = max(map(len, rows))
        longest = max(int(each.lengths[some].max()) for each, some in zip(tokens, rows, strict=True))
        padded = [
            each.padded(np.resize(some, most), padding_id(first), MULTIPLE, least=longest)
            for each, some in zip(tokens, rows, strict=True)
        ]
        ids, present = (moved(np.stack(part), first.device) for part in zip(*padded, strict=True))
        found = vmap(self._one, randomness="different")(self._weights, ids, spread(present)).float()
        return [logits[: len(some)] for logits, some in zip(found, rows, strict=True)]

    def _one(self, weights: dict[str, Tensor], ids: Tensor, mask: Tensor) -> Tensor:
        given = {"input_ids": ids, "attention_mask": mask}
        logits: Tensor = functional_call(self._models[0], weights, (), given).logits
        return logits

    def hand_out(self) -> None:
        """Give each model's weights their gradients."""
        for place, weights in enumerate(self._weights.values()):
            for student, own in enumerate(self._own):
                own[place].grad = None if weights.grad is None else weights.grad[student]
            weights.grad = None
