"""The tokens that an answer says it took: whole numbers of a possible size, or nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

MOST_TOKENS = 10**9  # of one answer; what says more counts something else


class Usage(NamedTuple):
    """Tokens of one answer; None is unknown.  cached: of the input ones, those that the endpoint had read before."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cached: int | None = None


UNKNOWN = Usage()


def usage_of(response: dict[str, Any]) -> Usage:
    """What an answer says of its tokens."""
    return usage_in(response.get("usage"))


def usage_in(usage: Any) -> Usage:
    """The numbers of a `usage`; where anything in it is no number of tokens, none of it is known."""
    if not isinstance(usage, dict):
        return UNKNOWN
    details = usage.get("prompt_tokens_details")
    if details is not None and not isinstance(details, dict):
        return UNKNOWN
    read, written, total = usage.get("prompt_tokens"), usage.get("completion_tokens"), usage.get("total_tokens")
    cached = details.get("cached_tokens") if details else None
    if not (_is_count(read) and _is_count(written) and _is_count(total) and _is_count(cached)):
        return UNKNOWN
    return UNKNOWN if (cached or 0) > (MOST_TOKENS if read is None else read) else Usage(read, written, total, cached)


def _is_count(count: Any) -> bool:
    return count is None or (type(count) is int and 0 <= count <= MOST_TOKENS)
