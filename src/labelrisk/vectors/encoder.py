"""Texts as vectors of any encoder: the mean of its last layer over all tokens, of length 1.

That is what sentence-transformers makes by default (Reimers and Gurevych 2019, *Sentence-BERT*, arXiv 1908.10084,
section 3: MEAN is the pooling that did best).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from labelrisk.encoders.attention import attend_so
from labelrisk.encoders.devices import device, precision
from labelrisk.encoders.loading import check_length, load_encoder, load_tokenizer, resolve
from labelrisk.encoders.memory_and_cores import give_back, keep_mapped
from labelrisk.encoders.tokens import Tokens, beginnings, padding_id, tokenise
from labelrisk.engines.machine import cores
from labelrisk.settings.embed import EmbedSettings

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]

MULTIPLE = 4  # of the width of a batch, in tokens
# Tokens of a batch, padding included.  On the CPU so few that what one layer writes is still in the cache for the next.
TOKENS = {"cpu": 1_024, "cuda": 131_072}


class Encoder:
    """An encoder, ready to encode.  Its bytes depend on the texts of a call and the machine, not on its cores or load.

    On the CPU each batch is computed by one thread, and as many batches at once as there are cores: threads that share
    a batch wait for each other at each of some hundred products.
    """

    def __init__(self, settings: EmbedSettings, threads: int | None = None) -> None:
        """Load tokenizer and weights.  threads: batches at once on the CPU; None: as many as there are cores.

        Raises LabelRiskError when they can't be had, or read fewer tokens."""
        found = resolve(settings.model, settings.revision, "embed")
        where = device()
        self._tokenizer = load_tokenizer(found, settings.revision)
        self._model: Any = load_encoder(found, settings.revision, precision(settings.precision)).eval().to(where)
        check_length(self._model, settings.max_tokens, "embed")
        self._max_tokens = settings.max_tokens
        self._workers = 1
        if where.type == "cpu":
            keep_mapped()
            attend_so(self._model)
            self._workers = threads or cores()

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return int(self._model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1 in the order of `texts`: (N, D).

        Texts share batches with others of their length: a vector depends on them by rounding only.
        """
        tokens = tokenise(self._tokenizer, beginnings(self._tokenizer, texts, self._max_tokens), self._max_tokens)
        vectors = np.empty((len(tokens), self.dimensions), dtype=np.float32)

        def fill(rows: Rows) -> None:
            vectors[rows] = self._encoded(tokens, rows)

        with ThreadPoolExecutor(self._workers) as pool:
            for _ in pool.map(fill, batches(tokens.lengths, TOKENS[self._model.device.type])):
                pass
        if self._model.device.type == "cpu":
            give_back()
        return vectors

    def _encoded(self, tokens: Tokens, rows: Rows) -> Vectors:
        ids, present = tokens.padded(rows, padding_id(self._model), MULTIPLE)
        where = self._model.device
        with torch.inference_mode():
            real = torch.from_numpy(present).to(where)
            # no mask where nothing is padded: attention is then cheaper
            mask = None if present.all() else real.to(torch.int64)
            states = self._model(input_ids=torch.from_numpy(ids).to(where), attention_mask=mask).last_hidden_state
            sums = (states.float() * real.unsqueeze(-1)).sum(dim=1)  # of the same direction as the mean
            vectors: Vectors = functional.normalize(sums, dim=1).cpu().numpy()
        return vectors


def batches(lengths: NDArray[np.integer[Any]], tokens: int) -> list[Rows]:
    """Cut rows of such lengths into batches of at most so many tokens with their padding, and of one row at least.

    Longest first: so that too little memory shows at once, and cores end at about the same time.
    """
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        width = -(-int(lengths[order[start]]) // MULTIPLE) * MULTIPLE
        end = start + max(1, tokens // width)
        found.append(order[start:end])
        start = end
    return found
