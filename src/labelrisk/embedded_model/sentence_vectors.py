"""Sentence vectors of a small encoder that lies in a local folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAXIMUM_TOKENS = 256  # all-MiniLM-L6-v2 was trained on at most that much
# Every forward pass has one of few shapes: then a text's vector is the same to the last bit whoever its neighbours are.
BATCH = 8
WIDTH = 16


class SentenceEncoder:
    """Mean-pooled, normalised token vectors of a transformers model, as sentence-transformers makes them.

    Runs on the CPU in 32 bits: answers are kept, and 16 bits would shift cosines in the third digit.
    """

    def __init__(self, folder: Path) -> None:
        """Load model and tokenizer from `folder`; nothing is downloaded."""
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self._model = AutoModel.from_pretrained(str(folder), local_files_only=True, dtype=torch.float32).eval()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1 in the order of `texts`: shape (N, 384) for all-MiniLM-L6-v2."""
        vectors = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float32)
        if not texts:
            return vectors
        tokens = self._tokenizer(list(texts), truncation=True, max_length=MAXIMUM_TOKENS)["input_ids"]
        by_width = defaultdict(list)
        for row, sequence in enumerate(tokens):
            by_width[-(-len(sequence) // WIDTH) * WIDTH].append(row)
        for width, rows in by_width.items():
            for start in range(0, len(rows), BATCH):
                batch = rows[start : start + BATCH]
                vectors[batch] = self._batch([tokens[row] for row in batch], width)
        return vectors

    def _batch(self, sequences: list[list[int]], width: int) -> NDArray[np.float32]:
        import torch

        ids = torch.zeros(BATCH, width, dtype=torch.long)
        real = torch.zeros(BATCH, width, dtype=torch.long)
        real[:, 0] = 1  # a row that only fills the batch is one token long
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            real[row, : len(sequence)] = 1
        with torch.inference_mode():
            states = self._model(input_ids=ids, attention_mask=real).last_hidden_state
            means = (states * real.unsqueeze(-1)).sum(dim=1) / real.sum(dim=1, keepdim=True)
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(means, dim=1)[: len(sequences)].numpy()
        return vectors
