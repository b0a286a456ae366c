"""The files that an ended batch leaves: one line for each request, in any order, with its answer or its error."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from labelrisk.endpoints.api_key import ApiKey
from labelrisk.endpoints.completions import completion_of
from labelrisk.endpoints.failures import NoAnswer, RowRefused, refusal_in_batch

Outcome = dict[str, Any] | RowRefused | NoAnswer  # of one request


def outcomes_in(content: bytes, api_key: ApiKey) -> Iterator[tuple[bytes, Outcome]]:
    """Call key and outcome of each line of a file of answers or errors; broken lines are left out."""
    for line in io.BytesIO(content):
        try:
            parsed = json.loads(line)
            key = bytes.fromhex(parsed["custom_id"])
            response, error = parsed.get("response") or {}, parsed.get("error") or {}
            yield key, _outcome(response.get("status_code"), response.get("body"), error, api_key)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _outcome(status: int | None, body: Any, error: Any, api_key: ApiKey) -> Outcome:
    if status != 200:
        return refusal_in_batch(status, body, error, api_key)
    try:
        return completion_of(body)
    except NoAnswer as broken:
        return broken
