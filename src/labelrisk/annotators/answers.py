"""What an answer says: a status, a label where there is one, and class probabilities where the endpoint gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One row of an annotator's labels file.

    status: `ok`, or why there is no label (`off_list`, `refusal`, `content_filter`, `empty`, `error`, `missing`,
    `contradictory`).
    method: where the probabilities come from (`logprobs`, `votes`) or None; probabilities: in class order, sum 1.
    outside: probability mass on tokens that are no label; None without logprobs.
    """

    status: str
    label: str | None = None
    method: str | None = None
    probabilities: tuple[float, ...] | None = None
    outside: float | None = None
    reply: str | None = None


def entropy(probabilities: Sequence[float] | None) -> float | None:
    """H = -sum p log p in nats (paper A); None, never 0, where there is no distribution."""
    if probabilities is None:
        return None
    return -math.fsum(p * math.log(p) for p in probabilities if p > 0) + 0.0


def read_answer(response: dict[str, Any], labels: Sequence[str], codes: Sequence[str]) -> Answer:
    """Read a Chat Completions response strictly: only a label's code, or its name, is that label."""
    choice = response["choices"][0]
    message = choice["message"]
    reply = message.get("content")
    if choice.get("finish_reason") == "content_filter":
        return Answer("content_filter", reply=reply)
    if message.get("refusal"):
        return Answer("refusal", reply=message["refusal"])
    if reply is None or reply == "":
        return Answer("empty", reply=reply)
    if not isinstance(reply, str):  # parts of a message, a tool call: nothing that was asked for
        return Answer("off_list", reply=str(reply))
    if not reply.strip():
        return Answer("empty", reply=reply)
    by_reply = {_merged(code): position for position, code in enumerate(codes)}
    by_reply |= {_merged(name): position for position, name in enumerate(labels) if _merged(name) not in by_reply}
    position = by_reply.get(_merged(reply))
    if position is None:
        return Answer("off_list", reply=reply)
    content = (choice.get("logprobs") or {}).get("content")
    if not content or not content[0].get("top_logprobs"):
        return Answer("ok", labels[position], reply=reply)
    probabilities, outside = class_probabilities(content[0]["top_logprobs"], codes)
    if probabilities is None:
        return Answer("ok", labels[position], reply=reply, outside=outside)
    return Answer("ok", labels[position], "logprobs", probabilities, outside, reply)


def class_probabilities(
    top_logprobs: Sequence[dict[str, Any]], codes: Sequence[str]
) -> tuple[tuple[float, ...] | None, float]:
    """Probabilities of the classes among the top tokens, renormalised, and the mass outside the classes.

    Tokens that differ by surrounding space or by case are merged.  A class that is not among the top tokens gets 0.
    None when no class is among them.
    """
    mass = dict.fromkeys(map(_merged, codes), 0.0)
    for token in top_logprobs:
        if (merged := _merged(token["token"])) in mass:
            mass[merged] += math.exp(token["logprob"])
    inside = math.fsum(mass.values())
    outside = max(0.0, 1.0 - inside)
    return (tuple(value / inside for value in mass.values()) if inside > 0 else None), outside


def _merged(token: str) -> str:
    return token.strip().casefold()
