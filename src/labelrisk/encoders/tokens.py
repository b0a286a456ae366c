"""Texts as token ids: every text is tokenised once, and batches are cut from one ragged array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


LETTERS = 32  # for each token that is read, of the beginning of a long text: some have four or five


@dataclass(frozen=True)
class Tokens:
    """N ragged rows of token ids: row i is `ids[offsets[i]:offsets[i + 1]]`; offsets has shape (N + 1,)."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens per row, shape (N,)."""
        return np.diff(self.offsets)

    def padded(
        self, rows: NDArray[np.integer[Any]], padding: int, multiple: int = 1, least: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Cut a batch: ids of shape (len(rows), width) filled with `padding`, and where there are tokens.

        The width is that of the longest row, or `least`, rounded up to a multiple of `multiple`.
        """
        starts, lengths = self.offsets[rows], self.lengths[rows]
        width = -(-max(int(lengths.max()), least) // multiple) * multiple
        present = np.arange(width)[None, :] < lengths[:, None]
        ids = np.full(present.shape, padding, dtype=np.int64)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        ids[present] = self.ids[np.repeat(starts, lengths) + within]
        return ids, present


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> Tokens:
    """Tokenise with special tokens, cut to `max_tokens` tokens; no padding."""
    if not len(texts):
        return ragged([])
    from transformers.tokenization_utils_base import TruncationStrategy
    from transformers.utils import PaddingStrategy

    if not tokenizer.is_fast:
        return ragged(tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"])
    # what the tokenizer's call does, without masks and places of letters, which take as long as the ids
    tokenizer.set_truncation_and_padding(  # type: ignore[attr-defined]
        padding_strategy=PaddingStrategy.DO_NOT_PAD,
        truncation_strategy=TruncationStrategy.LONGEST_FIRST,
        max_length=max_tokens,
        stride=0,
        pad_to_multiple_of=None,
        padding_side=None,
    )
    backend: Any = tokenizer.backend_tokenizer  # type: ignore[attr-defined]
    return ragged([one.ids for one in backend.encode_batch_fast(list(texts))])


def beginnings(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> Sequence[str]:
    """Texts that have the same first tokens, long ones without their rest, which takes seconds a megabyte to tokenise.

    A beginning stands for a text where it alone has twice the tokens that are read: its last word may have been cut.
    """
    letters = LETTERS * max_tokens
    long = [place for place, text in enumerate(texts) if len(text) > letters]
    if not long:
        return texts
    found = list(texts)
    for place in long:
        start = found[place][:letters]
        if len(tokenizer(start, truncation=True, max_length=2 * max_tokens)["input_ids"]) == 2 * max_tokens:
            found[place] = start
    return found


def ragged(rows: Sequence[Sequence[int]]) -> Tokens:
    """Join rows of ids."""
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return Tokens(np.fromiter(chain.from_iterable(rows), np.int32, count=int(offsets[-1])), offsets)


def padding_id(model: PreTrainedModel) -> int:
    """The id that pads rows; 0 where the model names none."""
    padding = model.config.pad_token_id
    return 0 if padding is None else int(padding)
