"""Several answers awaited together."""

from __future__ import annotations

import asyncio
from typing import Any


async def all_results(asked: list[Any]) -> list[Any]:
    """All results in order; when one fails, the others are awaited first, so that none is left behind."""
    if len(asked) == 1:
        return [await asked[0]]
    results = await asyncio.gather(*asked, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)
