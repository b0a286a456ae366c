"""Whether the body of a response is a chat completion."""

from __future__ import annotations

import json
from typing import Any

from labelrisk.endpoints.failures import NoAnswer


def parsed_completion(content: bytes) -> dict[str, Any]:
    """The body of a response, whatever it says, if it is a chat completion at all.

    Raises NoAnswer.
    """
    try:
        response = json.loads(content)
    except ValueError:
        response = None
    return completion_of(response)


def completion_of(response: Any) -> dict[str, Any]:
    """The response, whatever it says, if it is a chat completion at all; a `usage` that is none is left out.

    Raises NoAnswer.
    """
    try:
        response["choices"][0]["message"].keys()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("the answer was broken or no chat completion", "broken answer", maybe_paid=True) from None
    return dict(response) if _counts_tokens(response.get("usage")) else {**response, "usage": None}


def _counts_tokens(usage: Any) -> bool:
    """Whether a `usage` is what the API says: numbers, or null."""
    if not isinstance(usage, dict):
        return usage is None
    details = usage.get("prompt_tokens_details")
    counts = [usage.get(word) for word in ("prompt_tokens", "completion_tokens", "total_tokens")]
    counts += [details.get("cached_tokens")] if isinstance(details, dict) else [details]
    return all(count is None or (isinstance(count, int) and count >= 0) for count in counts)
