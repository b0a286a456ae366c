"""Rows in, labels out, in order and in bounded memory: pieces of the rows are open while their answers come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from labelrisk.annotators.labels import LabelledRow, LabelsWriter, labels_table

Place = tuple["Piece", int]


@dataclass
class Piece:
    """Some rows that are written together.

    known: their labels as far as an earlier file has them, and where they go; asked: places of the other rows.
    """

    ids: list[str]
    splits: list[str]
    texts: list[str]
    known: pa.Table
    known_places: Any
    asked: list[int]
    labelled: dict[int, LabelledRow] = field(default_factory=dict)
    left: int = 0  # rows that got no answer
    vectors: dict[int, Any] = field(default_factory=dict)  # of asked rows, where demonstrations need them
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)  # of asked rows, where they are screened

    def is_complete(self) -> bool:
        """Whether all of its rows are labelled, or given up."""
        return len(self.labelled) + self.left == len(self.asked)

    def table(self) -> pa.Table:
        """The labels of all rows in their order."""
        if not self.asked:
            return self.known
        both = pa.concat_tables([self.known, labels_table([self.labelled[place] for place in self.asked])])
        order = np.empty(len(self.ids), dtype=np.int64)
        order[np.concatenate([self.known_places, np.array(self.asked, dtype=np.int64)])] = np.arange(len(self.ids))
        return both.take(pa.array(order))


async def label_all(
    pieces: Iterator[Piece],
    label: Callable[[Piece, int], Awaitable[LabelledRow | None]],
    writer: LabelsWriter,
    workers: int,
    rows_at_once: int,
    stopped: Callable[[], bool],
    done: Callable[[int], None],
) -> int:
    """Label every row and write the pieces in order; returns how many rows are left without an answer.

    label: the row at a place of a piece, or None when it got no answer; writing ends at the first of these, asking
    does not.  rows_at_once: rows of open pieces, a little more or less.  done: told how many rows are finished.
    """
    queue: asyncio.Queue[Place | None] = asyncio.Queue(maxsize=max(1, workers))
    finished = asyncio.Condition()
    open_pieces: list[Piece] = []
    left = 0

    async def work() -> None:
        nonlocal left
        while (place := await queue.get()) is not None:
            piece, row = place
            labelled = await label(piece, row)
            if labelled is None:
                left += 1
                piece.left += 1
            else:
                piece.labelled[row] = labelled
                done(1)
            if piece.is_complete():
                async with finished:
                    finished.notify_all()
        await queue.put(None)

    def write_complete() -> None:
        while open_pieces and open_pieces[0].is_complete():
            piece = open_pieces.pop(0)
            if not left:
                writer.write_table(piece.table())

    async def feed() -> None:
        # in a thread: encoding and screening thousands of texts here would let the requests in flight time out
        while not stopped() and (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            done(len(piece.ids) - len(piece.asked))
            open_pieces.append(piece)
            for row in piece.asked:
                await queue.put((piece, row))
            async with finished:
                write_complete()
                while sum(len(one.ids) for one in open_pieces) >= rows_at_once and not stopped():
                    await finished.wait()
                    write_complete()
        await queue.put(None)  # not when cancelled: the queue may be full, and the workers gone

    tasks = [asyncio.ensure_future(work()) for _ in range(workers)]
    feeding = asyncio.ensure_future(feed())
    try:
        await asyncio.gather(feeding, *tasks)
    except BaseException:
        for task in (feeding, *tasks):
            task.cancel()
        await asyncio.gather(feeding, *tasks, return_exceptions=True)
        raise
    write_complete()
    return left
