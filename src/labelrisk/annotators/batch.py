"""Asking by the Batch API: what is asked at about the same time goes up as one file and is answered within a day.

A batch outlives the process that made it.  Its requests are kept in a file and claimed in its name before anything is
sent, so that the next run can fetch its answers, whenever this one dies.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from labelrisk.annotators import batch_rows as rows
from labelrisk.annotators.asking import IN_A_ROW
from labelrisk.annotators.batch_api import Batch, BatchApi, Gone, Outcome
from labelrisk.annotators.batch_files import Record, abandoned, abandonment, folder_of, remove_left_behind, upload_of
from labelrisk.annotators.calls import BATCH_OWNER, CallCache, Reservation, Stored
from labelrisk.annotators.endpoint import NoAnswer, NotThere, RowRefused, endpoint_name
from labelrisk.annotators.frames import Frame
from labelrisk.annotators.purse import BETWEEN_LOOKS, Call, Purse, Unanswered
from labelrisk.errors import LabelRiskError
from labelrisk.settings import AnnotateSettings, ChatAnnotator

QUIET = 0.1  # seconds without a new call after which those that wait go up
MOST_REQUESTS = 50_000  # of one batch
MOST_BYTES = 190_000_000  # of its file; the endpoint takes 200 MB
LINE_BYTES = 200  # of a line around its request, at most
FIRST_POLL = 1.0  # seconds between looks at a batch; grows ...
LONGEST_POLL = 60.0  # ... to this
GROWTH = 1.5
APPEARS = 30.0  # seconds after which a batch that was created is in the endpoint's list
AT_ONCE = 1000  # answers that are stored before those who wait for them go on
BETWEEN_LINES = 60.0  # seconds between lines on a batch whose status stays
ENDED = ("completed", "expired", "cancelled", "failed")
INTERRUPTED = "interrupted: the batches go on at the endpoint; run again to fetch their answers"
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Asked:
    """A call that somebody waits for."""

    call: Call
    answer: asyncio.Future[Stored]
    failures: int = 0
