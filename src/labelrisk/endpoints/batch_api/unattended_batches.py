"""Batches of earlier runs whose answers no process fetches."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from labelrisk.endpoints.batch_api.job import BatchJob
from labelrisk.spending import batch_claims, batch_files
from labelrisk.spending.budget import Budget


async def unattended_batches(
    folder: Path, endpoint: str, budget: Budget, closing: asyncio.Event
) -> AsyncIterator[BatchJob]:
    """Those of the budget's annotator at this endpoint, whose files are locked from now on.

    folder: of the files; a batch whose file is gone is given up.
    """
    known = await budget.write(batch_claims.open_batches)
    batch_files.remove_left_behind(folder, {token for token, _ in known})
    for token in [token for token, annotator in known if annotator == budget.name]:
        try:
            file = batch_files.BatchFile.open_if_unlocked(folder, token)
        except FileNotFoundError:
            if number := await budget.write(partial(batch_claims.give_up_batch, token=token)):
                message = f"{folder / token}{batch_files.SUFFIX} is gone"
                print(f"{message}: its {number:,} requests count as paid and are asked again", file=sys.stderr)
            continue
        if file and file.endpoint() != endpoint:  # its time comes when that base_url is set again
            file.close()
        elif file:
            yield BatchJob(token, file, budget, closing)
