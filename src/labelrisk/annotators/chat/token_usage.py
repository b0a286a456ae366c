"""The tokens that a model's answers took, measured on its newest ones in the call cache."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.cache.calls import CallCache

NEWEST = 200  # answers that it is measured on, at most


class TokenUsage(NamedTuple):
    """Sums over answers: bytes of their requests, tokens read and written."""

    answers: int
    request_bytes: int
    input_tokens: int
    output_tokens: int


def newest_usage(calls: CallCache, model: str) -> TokenUsage:
    """The usage of the model's newest answers that state their tokens, whoever asked for them."""
    newest = calls.execute(
        "SELECT length(CAST(prefix AS BLOB)) + length(CAST(text AS BLOB)) + length(CAST(suffix AS BLOB)), "
        "input_tokens, output_tokens FROM calls JOIN frames ON frame = frames.id "
        "WHERE model = ? AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL ORDER BY calls.id DESC LIMIT ?",
        (model, NEWEST),
    )
    found = list(newest)
    return TokenUsage(len(found), *(sum(row[column] for row in found) for column in range(3)))
