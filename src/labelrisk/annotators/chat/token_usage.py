"""The tokens that a model's answers took, as its newest ones in the call cache say, and what follows for prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labelrisk.annotators.chat.capabilities import TEXT
from labelrisk.annotators.chat.token_counter import TokenCounter
from labelrisk.cache.calls import CallCache
from labelrisk.cache.templates import stored_template

NEWEST = 400  # answers that it is measured on, at most
AROUND = 11.0  # tokens that templates put around two messages, about
FEW = 10  # rows that say little
# by which part all prompts together may have more tokens than is expected
OF_ROWS, OF_FEW, OF_OWN_TOKENIZER, OF_OTHER_TOKENIZER = 0.1, 0.25, 0.15, 0.35
APART = 1.25  # times as long: of prompts that tell what is around from what is in them


@dataclass(frozen=True)
class InputFit:
    """Input tokens of a prompt: around + slope x tokens that the tokenizer at hand counts; margin: see OF_ROWS."""

    around: float
    slope: float
    margin: float

    def total(self, requests: float, counted: float) -> float:
        """Tokens of that many prompts, in which so many are counted together."""
        return requests * self.around + counted * self.slope


@dataclass(frozen=True)
class Measured:
    """What answers to rows asked as now said; probes are none.

    rows: answers to a row's first questions; output, output_most: tokens of one on average, and what that average is at
    most (3 standard errors); asked_again: share of rows, and what that is at most.
    """

    rows: int = 0
    output: float = 0.0
    output_most: float = 0.0
    asked_again: float = 0.0
    asked_again_most: float = 0.25


def usage_of_model(
    calls: CallCache, model: str, asked_now: dict[str, Any], counter: TokenCounter
) -> tuple[InputFit, Measured]:
    """Fitted on all answers of the model that state their tokens; measured on those to rows that were asked as now.

    asked_now: a request's body without its messages.
    """
    newest = calls.execute(
        "SELECT endpoint, model, prefix, text, suffix, input_tokens, output_tokens FROM calls "
        "JOIN frames ON frame = frames.id "
        "WHERE model = ? AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL ORDER BY calls.id DESC LIMIT ?",
        (model, NEWEST),
    )
    points, outputs, again = list[tuple[int, int]](), list[int](), 0
    for endpoint, name, prefix, text, suffix, read, written in newest:
        asked = calls.text(text)
        request = stored_template(endpoint, name, prefix, suffix).request(asked)
        messages = request.pop("messages")
        points.append((counter.of_messages(messages), read))
        if asked != TEXT and request == asked_now:
            is_again = len(messages) > 2
            again += is_again
            outputs += [] if is_again else [written]
    return _fit(points, len(outputs), counter.is_own), _measured(outputs, again)


def _fit(points: Sequence[tuple[int, int]], rows: int, is_own: bool) -> InputFit:
    if not points:
        return InputFit(AROUND, 1.0, OF_OWN_TOKENIZER if is_own else OF_OTHER_TOKENIZER)
    counted, read = np.array(points, dtype=float).T
    margin = OF_ROWS if rows >= FEW else OF_FEW
    if counted.max() > APART * max(1.0, counted.min()):
        slope, around = np.polyfit(counted, read, 1)
        if slope > 0 and around >= 0:
            return InputFit(float(around), float(slope), margin)
        if slope <= 0:  # a server that says the same of all
            return InputFit(float(read.mean()), 0.0, margin)
    return InputFit(0.0, float(read.sum() / max(1.0, counted.sum())), margin)


def _measured(outputs: Sequence[int], again: int) -> Measured:
    if not outputs:
        return Measured()
    rows, mean = len(outputs), float(np.mean(outputs))
    error = float(np.std(outputs)) / math.sqrt(rows)
    share = again / rows
    return Measured(rows, mean, mean + 3 * error, share, min(1.0, share + 3 * math.sqrt((share + 1 / rows) / rows)))
