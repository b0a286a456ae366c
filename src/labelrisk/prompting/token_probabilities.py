"""Class probabilities from the log-probabilities of the token that names the label."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from labelrisk.prompting.reply_texts import THOUGHT_END

ROUNDING = 1e-3  # by which an endpoint's arithmetic may put a log-probability above 0
LONGEST = 1000  # characters of a token or a label
LONGEST_END = 60  # of the end of a thought
AROUND = "*_`~#()[]{}.,:;!"  # of a label in an answer
SPACES = "▁ĠĊ"  # what stands for space and line end in the vocabularies of tokenizers
VALUE_NEXT = re.compile(r'"label"\s*:\s*"?\Z')  # what stands before the code in JSON


def top_logprobs_of(
    content: list[dict[str, Any]] | None, code: str, name: str, kind: str
) -> list[dict[str, Any]] | None:
    """The alternatives to the token that names the label: its code, in JSON as the value of `label`.

    Where it is named without its code, these are those to the first token that is not blank.  None where there is
    but one, which is no distribution, and where the name comes before the code, which then follows from it.
    """
    said = _after_thought(content or [])
    before, first = "", None
    for token in said:
        bare = bare_token(token["token"])
        if kind == "json":
            found = bare in (bare_token(code), bare_token(name)) and VALUE_NEXT.search(before) is not None
        else:
            found = bare.strip(AROUND) == bare_token(code) and bare_token(name) not in before.casefold()
            first = first or (token if bare.strip(AROUND) else None)
        if found:
            return _several(token)
        before += token["token"]
    return _several(first) if first is not None else None


def _several(token: dict[str, Any]) -> list[dict[str, Any]] | None:
    top = token.get("top_logprobs") or []
    first = top[0]["token"] if top else None
    return top if any(one["token"] != first for one in top) else None


def _after_thought(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tokens after the last end of a thought; all where there is none."""
    ends, text = 0, ""
    for number, token in enumerate(content, start=1):
        text = text[-LONGEST_END:] + token["token"]
        if ">" in text[-LONGEST_END:] or "]" in text or "▷" in text:
            found = THOUGHT_END.search(text)
            if found:
                ends, text = number, text[found.end() :]
    return content[ends:]


def class_probabilities(
    top_logprobs: Sequence[dict[str, Any]], codes: Sequence[str]
) -> tuple[tuple[float, ...] | None, float]:
    """Probabilities of the classes among the top tokens, renormalised, and the mass outside the classes.

    Tokens that differ by surrounding space, by quotes or by case are merged.  A class that is not among the top tokens
    gets 0.  None when no class is among them.
    Raises ValueError, TypeError, KeyError or OverflowError for what are no log-probabilities.
    """
    mass = dict.fromkeys(map(bare_token, codes), 0.0)
    for token in top_logprobs:
        logprob, word = token["logprob"], token["token"]
        if not -math.inf < logprob <= ROUNDING or logprob is True or logprob is False:  # one is none: so are the others
            raise ValueError("no log-probability")
        bare = _bare_token(word) if len(word) <= LONGEST else word
        if bare in mass:
            mass[bare] += math.exp(logprob)
    inside = math.fsum(mass.values())
    outside = max(0.0, 1.0 - inside)
    return (tuple(value / inside for value in mass.values()) if inside > 0 else None), outside


def bare_token(token: str) -> str:
    """A token, or a label, without what tokenizers and models put around it: space, quotes, capitals."""
    return _bare_token(token) if len(token) <= LONGEST else token


@lru_cache(maxsize=4096)
def _bare_token(token: str) -> str:
    return token.strip().strip(SPACES).strip().strip("\"'").strip().casefold()
