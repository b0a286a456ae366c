"""What an answer says: a status, a label where there is one, and class probabilities where the endpoint gives them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

VERBALISED = re.compile(r"\s*(\S.*?)[\s,:(]+(\d{1,3}(?:\.\d+)?)\s*%?\)?\s*")
VALUE_NEXT = re.compile(r'"label"\s*:\s*"?\Z')  # what stands before the code in JSON
LAST_LINE = re.compile(r"^\W*Label:\W*(.+?)[\s*.]*\Z", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an annotator says of one row.

    status: `ok`, or why there is no label (`off_list`, `refusal`, `content_filter`, `empty`, `truncated`, `error`,
    `missing`, `contradictory`).
    method: where the probabilities come from (`logprobs`, `votes`, `verbalised`, `explanations`, `probabilities`,
    `dawid_skene`) or None; probabilities: in class order, sum 1.
    outside: probability mass on tokens that are no label; None without logprobs.
    votes: how many samples or coders said each class, in class order; None where one answer was read.
    """

    status: str
    label: str | None = None
    method: str | None = None
    probabilities: tuple[float, ...] | None = None
    outside: float | None = None
    reply: str | None = None
    votes: tuple[int, ...] | None = None


def entropy(probabilities: Sequence[float] | None) -> float | None:
    """H = -sum p log p in nats (paper A); None, never 0, where there is no distribution."""
    if probabilities is None:
        return None
    return -math.fsum(p * math.log(p) for p in probabilities if p > 0) + 0.0


class Reader:
    """Reads Chat Completions responses strictly: only a label's code, or its name, is that label.

    labels: the codebook's names; codes: what stands for them; form: what was asked for, a key of prompts.FORMS;
    logprobs: whether to read those that an endpoint sends, for some send them unasked.
    """

    def __init__(
        self,
        labels: Sequence[str],
        codes: Sequence[str],
        form: tuple[str, str] = ("label", "code"),
        logprobs: bool = True,
    ) -> None:
        self._labels = labels
        self._logprobs = logprobs
        self._form = form
        self._one_token = form == ("label", "code") and all(len(code) == 1 for code in codes)
        self._codes = {_merged(code): place for place, code in enumerate(codes)}
        names = {_merged(name): place for place, name in enumerate(labels)}
        self._places = names | self._codes

    def read(self, response: dict[str, Any]) -> Answer:
        """The answer of one response, with the probabilities that it states or that its tokens have."""
        choice = response["choices"][0]
        message = choice["message"]
        reply = message.get("content")
        if isinstance(reply, str) and not reply.isascii():  # half of an emoji, cut off by the token limit, is no text
            reply = reply.encode(errors="replace").decode()
        if choice.get("finish_reason") == "content_filter":
            return Answer("content_filter", reply=reply)
        if message.get("refusal"):
            return Answer("refusal", reply=str(message["refusal"]).encode(errors="replace").decode())
        if reply is None or reply == "":
            return Answer("empty", reply=reply)
        if not isinstance(reply, str):  # parts of a message, a tool call: nothing that was asked for
            return Answer("off_list", reply=str(reply))
        if not reply.strip():
            return Answer("empty", reply=reply)
        said, stated = self._said(reply)
        place = self._places.get(_merged(said)) if said is not None else None
        if place is None or (self._form[0] == "verbalised" and stated is None):
            cut_off = choice.get("finish_reason") == "length" and not self._one_token
            return Answer("truncated" if cut_off else "off_list", reply=reply)
        label = self._labels[place]
        if stated is not None:
            return Answer("ok", label, "verbalised", self._spread(place, stated), reply=reply)
        probabilities, outside = self._of_tokens(choice, said or "") if self._logprobs else (None, None)
        return Answer("ok", label, "logprobs" if probabilities else None, probabilities, outside, reply)

    def _of_tokens(self, choice: dict[str, Any], said: str) -> tuple[tuple[float, ...] | None, float | None]:
        """Class probabilities and the mass outside; an endpoint's own idea of log-probabilities is none."""
        try:
            top = _top_logprobs((choice.get("logprobs") or {}).get("content"), said, self._form[1])
            return class_probabilities(top, list(self._codes)) if top is not None else (None, None)
        except (TypeError, KeyError, AttributeError, ValueError, OverflowError):
            return None, None

    def _said(self, reply: str) -> tuple[str | None, float | None]:
        """The code or name that a reply names in the form that was asked for, and the stated confidence, if any."""
        said, kind = self._form
        if kind == "json":
            return _of_json(reply, said == "verbalised")
        if said == "verbalised":
            found = VERBALISED.fullmatch(reply)
            percentage = float(found[2]) if found else 101.0
            return (found[1], percentage / 100) if found and percentage <= 100 else (None, None)
        if said == "explanations":
            found = LAST_LINE.search(reply)
            return (found[1] if found else None), None
        return reply, None

    def _spread(self, place: int, stated: float) -> tuple[float, ...]:
        """The stated probability for the label; the rest evenly over the others, of which nothing was said."""
        rest = (1 - stated) / (len(self._labels) - 1)
        return tuple(stated if other == place else rest for other in range(len(self._labels)))


def _of_json(reply: str, with_confidence: bool) -> tuple[str | None, float | None]:
    try:
        content = json.loads(reply)
    except (ValueError, RecursionError):
        return None, None
    said = content.get("label") if isinstance(content, dict) else None
    if not isinstance(said, str):
        return None, None
    stated = content.get("confidence") if with_confidence else None
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 <= stated <= 100:
        return (None if with_confidence else said), None
    return said, stated / 100


def _top_logprobs(content: list[dict[str, Any]] | None, said: str, kind: str) -> list[dict[str, Any]] | None:
    """The alternatives to the token that names the label: the first that is not blank, in JSON the value of `label`."""
    before = ""
    for token in content or ():
        merged = _merged(token["token"])
        if merged and (kind == "code" or (merged == _merged(said) and VALUE_NEXT.search(before))):
            return token.get("top_logprobs") or None
        before += token["token"]
    return None


def class_probabilities(
    top_logprobs: Sequence[dict[str, Any]], codes: Sequence[str]
) -> tuple[tuple[float, ...] | None, float]:
    """Probabilities of the classes among the top tokens, renormalised, and the mass outside the classes.

    Tokens that differ by surrounding space, by quotes or by case are merged.  A class that is not among the top tokens
    gets 0.  None when no class is among them.
    """
    mass = dict.fromkeys(map(_merged, codes), 0.0)
    for token in top_logprobs:
        if (merged := _merged(token["token"])) in mass:
            mass[merged] += math.exp(token["logprob"])
    inside = math.fsum(mass.values())
    outside = max(0.0, 1.0 - inside)
    return (tuple(value / inside for value in mass.values()) if inside > 0 else None), outside


def voted(
    votes: Sequence[int], weights: Sequence[float], labels: Sequence[str], method: str, reply: str | None
) -> Answer:
    """The label with the most weight and p_k = (weight_k + 1) / (sum of weights + K) (Laplace).

    votes, weights: per class; weights are the votes, or votes that count more or less.  Of equals the first label of
    the codebook is taken.
    """
    total = math.fsum(weights) + len(labels)
    smoothed = tuple((weight + 1) / total for weight in weights)  # five equal votes are no certainty
    leading = max(range(len(labels)), key=lambda place: (weights[place], votes[place]))
    return Answer("ok", labels[leading], method, smoothed, reply=reply, votes=tuple(votes))


@lru_cache(maxsize=4096)
def _merged(token: str) -> str:
    return token.strip().strip("\"'").strip().casefold()
