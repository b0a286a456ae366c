"""The loss of a batch: cross-entropy with labels or distributions, or the probability of sets of plausible labels.

Sets: Jin & Ghahramani (2002), *Learning with Multiple Labels*, whose likelihood of a set is the sum over its labels;
Feng et al. (2020), arXiv 2007.08929, whose classifier-consistent risk (CC) is the mean of -log of that sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from labelrisk.encoders.devices import moved
from labelrisk.students.targets import Targets


def batch_loss(targets: Targets, rows: NDArray[np.integer[Any]], logits: Tensor) -> Tensor:
    """Mean loss of the batch `rows`, from their logits in fp32 of shape (len(rows), K).

    A row's loss is multiplied by its weight and the sum divided by the number of rows, not by the batch's weights: its
    mean over batches is then the weighted mean over all rows, whichever rows meet in a batch.
    """
    where = logits.device
    codes = moved(targets.codes[rows].astype(np.int64), where)
    if targets.soft is None and targets.candidates is None and targets.weights is None:
        return functional.cross_entropy(logits, codes)
    logs = functional.log_softmax(logits, dim=1)
    if targets.soft is not None:
        losses = -(logs * moved(targets.soft[rows].astype(np.float32), where)).sum(1)
    elif targets.candidates is not None:
        plausible = moved(targets.candidates[rows], where)
        losses = -logs.masked_fill(~plausible, -np.inf).logsumexp(1)
    else:
        losses = functional.nll_loss(logs, codes, reduction="none")
    if targets.weights is not None:
        losses = losses * moved(targets.weights[rows].astype(np.float32), where)
    return losses.mean()
