"""One run of annotate for a chat annotator: rows in, labels out, progress, interruption, and what it cost."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.annotators.chat.stored_chunks import with_stored_labels
from labelrisk.annotators.contract import Asking, Task
from labelrisk.cache.calls import CallCache
from labelrisk.cache.process_locks import remove_files_of_dead
from labelrisk.endpoints.asker import Asker
from labelrisk.endpoints.batch_api.batch_asker import BatchAsker
from labelrisk.endpoints.request_asker import RequestAsker
from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json, written_aside
from labelrisk.labels.earlier_run import EarlierRun
from labelrisk.labels.labels_file import LabelsWriter
from labelrisk.labels.other_revisions import OtherRevisions
from labelrisk.labels.row_chunks import Chunk
from labelrisk.labels.streaming import label_all
from labelrisk.labels.totals import of_run
from labelrisk.progress import bar
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending.ledger import Ledger
from labelrisk.spending.prices import price_of
from labelrisk.spending.run_counts import RunCounts

UNFINISHED = ".growing"  # name of a labels file that is being written
SHOWN_EVERY = 16  # rows between looks at cost and errors
ROWS_AT_ONCE = 32768  # whose answers are awaited, at most
WAITING = 4  # rows for each request at once: some wait, after a refusal or for another process
BATCH_ROWS = 20000  # as many, where each of them waits for its batch


def label_rows(labeller: ChatLabeller, task: Task, asking: Asking, out: Path) -> None:
    """Write the labels of all rows, from the cache where it has them, else asked and stored.

    Raises LabelRiskError when the endpoint can't be used or rows are left without an answer; what was answered
    until then is stored.
    """
    calls = CallCache(asking.cache)
    folder = calls.path.parent / "labels"
    unfinished = (
        folder / f"{calls.owner}{UNFINISHED}"
    )  # not beside `out`: a killed run would leave it among DVC's outputs
    try:
        remove_files_of_dead(folder, UNFINISHED, calls.locks)
        with calls.readable(), calls.transaction():
            lost = Ledger(calls).write_off_dead()
        if lost:
            print(
                f"{lost} requests were in flight when a run was killed: counted as paid, asked again", file=sys.stderr
            )
        earlier = EarlierRun(folder / task.name, labeller.signature())
        revisions = OtherRevisions(task.name, labeller.annotator, out, folder / f"{task.name}.revisions")
        chunks = labeller.prepared_chunks(earlier.chunks(task.rows))
        chunks = with_stored_labels(labeller, task.prepared, calls.path, chunks)
        with closing(chunks), LabelsWriter(unfinished) as writer:
            counts = asyncio.run(_run(labeller, asking.settings, calls, revisions, chunks, writer, len(task.rows)))
        with written_aside(out) as temporary:
            if task.asked is None:
                shutil.copyfile(unfinished, temporary)
            else:
                task.asked.write_all(unfinished, temporary)
        earlier.keep(unfinished)
        write_json(of_run(counts), calls.path.parent / "runs" / f"{task.name}.json")
        print(
            f"annotate {task.name}: {counts.answered:,} answers asked now, {cost_text(counts, labeller.annotator)}",
            file=sys.stderr,
        )
    finally:
        unfinished.unlink(missing_ok=True)
        calls.close()


async def _run(
    labeller: ChatLabeller,
    settings: AnnotateSettings,
    calls: CallCache,
    revisions: OtherRevisions,
    chunks: Iterator[Chunk],
    writer: LabelsWriter,
    total: int,
) -> RunCounts:
    in_batches = labeller.annotator.mode == "batch"
    asker: Asker = (BatchAsker if in_batches else RequestAsker)(
        labeller.name, labeller.annotator, settings, calls, labeller.check_first
    )
    budget = asker.budget
    _stop_at_first_interrupt(budget.stop, asker.interrupted)
    with bar(total, f"annotate {labeller.name}", "row") as progress:

        def done(rows: int) -> None:
            if progress.n % SHOWN_EVERY < rows:
                progress.set_postfix_str(progress_text(budget.counts, labeller.annotator), refresh=False)
            progress.update(rows)

        try:
            left = await label_all(
                chunks,
                lambda chunk, place: labeller.label(asker, revisions, chunk, place),
                writer,
                min(total, BATCH_ROWS if in_batches else WAITING * settings.concurrency),
                BATCH_ROWS if in_batches else ROWS_AT_ONCE,
                lambda: budget.stopped is not None,
                done,
            )
        finally:
            await asker.close()
    _report_other_models(labeller, budget.counts)
    if budget.stopped:
        raise budget.stopped
    if left:
        reasons = ", ".join(f"{number} x {kind}" for kind, number in budget.counts.errors.most_common())
        raise LabelRiskError(
            f"annotators.{labeller.name}: {left:,} of {total:,} rows have no answer ({reasons}); "
            "every answer so far is stored: check the endpoint and run again to ask for the rest only"
        )
    return budget.counts


def _report_other_models(labeller: ChatLabeller, counts: RunCounts) -> None:
    """Say it when the answers of one annotator are of several models, or of another than was asked for."""
    asked, answered = labeller.annotator.model.lower(), {name: n for name, n in counts.models.items() if name != "None"}
    others = [name for name in answered if asked not in name.lower() and name.lower() not in asked]
    if others or len(answered) > 1:
        each = ", ".join(f"{number:,} of {name}" for name, number in sorted(answered.items()))
        print(
            f"\nannotators.{labeller.name}: asked {labeller.annotator.model}, but got answers {each}", file=sys.stderr
        )


def progress_text(counts: RunCounts, annotator: ChatSettings) -> str:
    """What the progress line says besides rows, rate and time."""
    parts = []
    if counts.answered and annotator.price is not None:
        cap = f" of {annotator.max_cost:g}" if annotator.max_cost is not None else ""
        more = f" + {counts.unpriced} unknown" if counts.unpriced else ""
        parts.append(f"cost {counts.cost:.4f}{more}{cap}")
    parts += [f"{number} {kind}" for kind, number in counts.errors.most_common(3)]
    return ", ".join(parts)


def cost_text(counts: RunCounts, annotator: ChatSettings) -> str:
    """What a run cost, in words; cached answers cost nothing now."""
    if price_of(annotator) is None and counts.answered:
        return "cost unknown: no price is set"
    more = f" and {counts.unpriced:,} requests of unknown cost" if counts.unpriced else ""
    return f"cost {counts.cost:.4f}{more}"


def _stop_at_first_interrupt(stop: Callable[[BaseException], None], message: str) -> None:
    """The first Ctrl-C waits for what is in flight, the second one does not."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        print(f"\n{message}", file=sys.stderr)
        stop(KeyboardInterrupt())
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except ValueError:  # not in the main thread: whoever runs this there handles signals
        return
