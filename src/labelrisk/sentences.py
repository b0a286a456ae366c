"""Sentence vectors of a small encoder that lies in a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAXIMUM_TOKENS = 256  # all-MiniLM-L6-v2 was trained on at most that much
BATCH = 64


class SentenceEncoder:
    """Mean-pooled, normalised token vectors of a transformers model, as sentence-transformers makes them.

    Runs on the CPU in 32 bits: answers are kept, so a text's vector must not depend on its neighbours or the machine
    by more than rounding, and 16 bits would shift cosines in the third digit.
    """

    def __init__(self, folder: Path) -> None:
        """Load model and tokenizer from `folder`; nothing is downloaded."""
        import torch
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self._model = AutoModel.from_pretrained(str(folder), local_files_only=True, dtype=torch.float32).eval()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1 in the order of `texts`: shape (N, 384) for all-MiniLM-L6-v2."""
        import torch

        vectors = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float32)
        # texts of like length share a batch: little padding to compute
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                vectors[rows] = self._batch([texts[row] for row in rows])
        return vectors

    def _batch(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=MAXIMUM_TOKENS, return_tensors="pt")
        states = self._model(**tokens).last_hidden_state
        real = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * real).sum(dim=1) / real.sum(dim=1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(means, dim=1).numpy()
        return vectors
