"""What the headers of a response say about how fast the endpoint may be asked."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a refusal asks for, in any of the forms that endpoints use, or None."""
    if (milliseconds := headers.get("retry-after-ms")) is not None:
        with suppress(ValueError):
            return _finite(float(milliseconds) / 1000)
    value = headers.get("retry-after")
    if value is None:
        return None
    with suppress(ValueError):
        return _finite(float(value))
    from email.utils import parsedate_to_datetime

    with suppress(ValueError):
        return _finite(parsedate_to_datetime(value).timestamp() - time.time())
    return None


def remaining_requests(headers: Mapping[str, str]) -> tuple[float, float] | None:
    """How many more requests are allowed, and for how many seconds that holds, or None."""
    remaining = headers.get("x-ratelimit-remaining-requests")
    reset = seconds_of(headers.get("x-ratelimit-reset-requests"))
    if remaining is None or not remaining.isdigit() or reset is None:
        return None
    return float(remaining), reset


def seconds_of(duration: str | None) -> float | None:
    """`6m0s`, `20ms`, `1.5` (seconds), or None for what is no duration."""
    if duration is None:
        return None
    with suppress(ValueError):
        return _finite(float(duration))
    parts = DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def _finite(seconds: float) -> float | None:
    return max(0.0, seconds) if math.isfinite(seconds) else None
