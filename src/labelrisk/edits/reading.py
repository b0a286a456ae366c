"""What a student reads of a text, as tokens: which part, and which variants are the same to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.encoders.tokens import Tokens, ragged, tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Reading(NamedTuple):
    """Texts as a student reads them: the distinct rows of tokens, which of them each text is, and what is cut off.

    tokens: U rows; places (N,): of each text among them; cut (N,): whether the text is longer than what is read.
    """

    tokens: Tokens
    places: NDArray[np.int64]
    cut: NDArray[np.bool_]


def read_parts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> list[str]:
    """The texts without what is cut off after `max_tokens` tokens.

    As they are where the tokenizer can't say where in a text its tokens stand.
    """
    if not tokenizer.is_fast or not texts:
        return list(texts)
    encoded = tokenizer(list(texts), truncation=True, max_length=max_tokens, return_offsets_mapping=True)
    ends = [max((end for _, end in offsets), default=0) for offsets in encoded["offset_mapping"]]
    long = tokenise(tokenizer, texts, max_tokens + 1).lengths > max_tokens
    return [text[:end] if one else text for text, end, one in zip(texts, ends, long.tolist(), strict=True)]


def reading(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> Reading:
    """Tokenise, cut, and put together what is the same in tokens.

    To an encoder that ignores case or white space such edits are none: it would give the same answer, but for rounding.
    """
    cut = tokenise(tokenizer, texts, max_tokens + 1).lengths > max_tokens
    tokens = tokenise(tokenizer, texts, max_tokens)
    known: dict[bytes, int] = {}
    places = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows_of(tokens)], dtype=np.int64)
    return Reading(ragged([np.frombuffer(row, dtype=np.int32).tolist() for row in known]), places, cut)


def rows_of(tokens: Tokens) -> list[NDArray[np.int32]]:
    """The ids of each row."""
    return np.split(tokens.ids, tokens.offsets[1:-1])
