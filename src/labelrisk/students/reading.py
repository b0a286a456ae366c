"""Students that read texts as fast as the machine does: batches of one length, as many at once as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from labelrisk.encoders.devices import precision
from labelrisk.encoders.memory_and_cores import give_back, keep_mapped
from labelrisk.encoders.tokens import Tokens
from labelrisk.engines.machine import cores
from labelrisk.students import minibatches
from labelrisk.students.fast_layers import first_token_only
from labelrisk.students.training import logits_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Tokens of a batch, padding included.  On the CPU so few that what one layer writes is still in the cache for the next.
TOKENS = {"cpu": 2_048, "cuda": 131_072}


class Reader:
    """One student, ready to read.  What it says depends on the texts of a call and the machine, not on cores or load.

    On the CPU each batch is computed by one thread: threads that share a batch wait for each other all the time.
    """

    def __init__(self, model: PreTrainedModel, batch: int | None = None) -> None:
        """batch: tokens of a batch with their padding; None for what suits the device.

        A student that was saved in bf16 computes in fp32 where the device multiplies bf16 slowly.
        """
        self.model = model.eval()
        where = model.device.type
        if model.dtype == torch.bfloat16 and precision("auto") != torch.bfloat16:
            self.model.float()
        first_token_only(self.model)
        self._batch = batch or TOKENS[where]
        self._workers = 1
        if where == "cpu":
            keep_mapped()
            self._workers = cores()

    @property
    def classes(self) -> int:
        """How many it tells apart."""
        return int(self.model.config.num_labels)

    @property
    def computes(self) -> str:
        """On what, and in which type."""
        return f"{self.model.device.type} {str(self.model.dtype).removeprefix('torch.')}"

    def probabilities(self, tokens: Tokens, done: Callable[[int], object] = lambda rows: None) -> NDArray[np.float32]:
        """Class probabilities (N, K) of texts; done: called with how many more are finished."""
        found = np.empty((len(tokens), self.classes), dtype=np.float32)

        def fill(rows: NDArray[np.int64]) -> int:
            with torch.inference_mode():
                found[rows] = logits_of(self.model, tokens, rows).softmax(-1).cpu().numpy()
            return len(rows)

        with single_threads(), ThreadPoolExecutor(self._workers) as pool:
            for rows in pool.map(fill, minibatches.by_tokens(tokens.lengths, self._batch)):
                done(rows)
        if self.model.device.type == "cpu":
            give_back()
        return found


@contextmanager
def single_threads() -> Iterator[None]:
    """Let each product be computed by one thread meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
