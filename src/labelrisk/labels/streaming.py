"""Rows in, labels out, in order and in bounded memory: chunks of rows are open while their answers come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from labelrisk.labels.labels_file import LabelledRow, LabelsWriter
from labelrisk.labels.row_chunks import Chunk

Place = tuple[Chunk, int]


async def label_all(
    chunks: Iterator[Chunk],
    label: Callable[[Chunk, int], Awaitable[LabelledRow | None]],
    writer: LabelsWriter,
    workers: int,
    rows_at_once: int,
    stopped: Callable[[], bool],
    done: Callable[[int], None],
) -> int:
    """Label every row and write the chunks in order; returns how many rows are left without an answer.

    label: the row at a place of a chunk, or None when it got no answer; writing ends at the first of these, asking
    does not.  rows_at_once: rows of open chunks, a little more or less.  done: called with how many rows are finished.
    """
    queue: asyncio.Queue[Place | None] = asyncio.Queue(maxsize=max(1, workers))
    finished = asyncio.Condition()
    open_chunks: list[Chunk] = []
    left = 0

    async def work() -> None:
        nonlocal left
        while (place := await queue.get()) is not None:
            chunk, row = place
            labelled = await label(chunk, row)
            if labelled is None:
                left += 1
                chunk.left += 1
            else:
                chunk.labelled[row] = labelled
                done(1)
            if chunk.is_complete():
                async with finished:
                    finished.notify_all()
        await queue.put(None)

    def write_complete() -> None:
        while open_chunks and open_chunks[0].is_complete():
            chunk = open_chunks.pop(0)
            if not left:
                writer.write_table(chunk.table())

    async def feed() -> None:
        # in a thread: encoding and screening thousands of texts here would let the requests in flight time out
        while not stopped() and (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            done(len(chunk.ids) - len(chunk.asked))
            open_chunks.append(chunk)
            for row in chunk.asked:
                await queue.put((chunk, row))
            async with finished:
                write_complete()
                while sum(len(one.ids) for one in open_chunks) >= rows_at_once and not stopped():
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
