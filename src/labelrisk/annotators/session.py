"""One run of annotate for a chat annotator: rows in, labels out, progress, interruption, and what it cost."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from labelrisk.annotators.chat import ChatLabels
from labelrisk.annotators.flow import Piece, label_all
from labelrisk.annotators.labels import LabelsWriter
from labelrisk.annotators.remembered import Remembered, Seeds
from labelrisk.annotators.totals import of_run
from labelrisk.batches.asker import INTERRUPTED, BatchAsker
from labelrisk.cache.calls import CallCache
from labelrisk.chat_settings import ChatAnnotator
from labelrisk.corpora.rows import SPLITS
from labelrisk.endpoints.asking import Asker
from labelrisk.endpoints.prices import price_of
from labelrisk.endpoints.purse import Counts
from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json, written_aside
from labelrisk.progress import bar
from labelrisk.settings import AnnotateSettings

GROWING = ".growing"  # name of a labels file that is being written
TOLD_EVERY = 16  # rows between looks at cost and errors
ROWS_AT_ONCE = 32768  # whose answers are awaited, at most
BATCH_ROWS = 20000  # as many, where each of them waits for its batch
INTERRUPTED_REQUESTS = "interrupted: waiting for the answers in flight (again to leave at once)"


def chat_labels(labels: ChatLabels, settings: AnnotateSettings, prepared: Path, call_cache: Path, out: Path) -> None:
    """Write the labels of all rows, from the cache where it has them, else asked and stored.

    Raises LabelRiskError when the endpoint can't be used or rows are left without an answer; what was answered
    until then is stored.
    """
    calls = CallCache(call_cache)
    folder = calls.path.parent / "labels"
    growing = folder / f"{calls.owner}{GROWING}"  # not beside `out`: a killed run would leave it among DVC's outputs
    try:
        calls.remove_left_behind(folder, GROWING)
        with calls.readable(), calls.transaction():
            lost = calls.write_off_dead()
        if lost:
            print(
                f"{lost} requests were in flight when a run was killed: counted as paid, asked again", file=sys.stderr
            )
        remembered = Remembered(folder / labels.name, labels.signature())
        seeds = Seeds(labels.name, labels.annotator, out, folder / f"{labels.name}.revisions")
        pieces = labels.prepared_rows(remembered.pieces(prepared, SPLITS))
        with LabelsWriter(growing) as writer:
            counts = asyncio.run(_run(labels, settings, calls, seeds, pieces, writer, _number_of_rows(prepared)))
        with written_aside(out) as temporary:
            shutil.copyfile(growing, temporary)
        remembered.keep(growing)
        write_json(of_run(counts), calls.path.parent / "runs" / f"{labels.name}.json")
        print(
            f"annotate {labels.name}: {counts.answered:,} answers asked now, {cost_now(counts, labels.annotator)}",
            file=sys.stderr,
        )
    finally:
        growing.unlink(missing_ok=True)
        calls.close()


async def _run(
    labels: ChatLabels,
    settings: AnnotateSettings,
    calls: CallCache,
    seeds: Seeds,
    pieces: Iterator[Piece],
    writer: LabelsWriter,
    total: int,
) -> Counts:
    in_batches = labels.annotator.mode == "batch"
    asker = (BatchAsker if in_batches else Asker)(labels.name, labels.annotator, settings, calls, labels.check_first)
    purse = asker.purse
    _stop_at_first_interrupt(purse.stop, INTERRUPTED if in_batches else INTERRUPTED_REQUESTS)
    with bar(total, f"annotate {labels.name}", "row") as progress:

        def done(rows: int) -> None:
            if progress.n % TOLD_EVERY < rows:
                progress.set_postfix_str(told(purse.counts, labels.annotator), refresh=False)
            progress.update(rows)

        try:
            left = await label_all(
                pieces,
                lambda piece, place: labels.label(asker, seeds, piece, place),
                writer,
                min(total, BATCH_ROWS) if in_batches else settings.concurrency,
                BATCH_ROWS if in_batches else ROWS_AT_ONCE,
                lambda: purse.stopped is not None,
                done,
            )
        finally:
            await asker.close()
    _tell_other_models(labels, purse.counts)
    if purse.stopped:
        raise purse.stopped
    if left:
        reasons = ", ".join(f"{number} x {kind}" for kind, number in purse.counts.errors.most_common())
        raise LabelRiskError(
            f"annotators.{labels.name}: {left:,} of {total:,} rows have no answer ({reasons}); "
            "every answer so far is stored: check the endpoint and run again to ask for the rest only"
        )
    return purse.counts


def _tell_other_models(labels: ChatLabels, counts: Counts) -> None:
    """Say it when the answers of one annotator are of several models, or of another than was asked for."""
    asked, said = labels.annotator.model.lower(), {name: n for name, n in counts.models.items() if name != "None"}
    others = [name for name in said if asked not in name.lower() and name.lower() not in asked]
    if others or len(said) > 1:
        each = ", ".join(f"{number:,} of {name}" for name, number in sorted(said.items()))
        print(f"\nannotators.{labels.name}: asked {labels.annotator.model}, but got answers {each}", file=sys.stderr)


def _number_of_rows(prepared: Path) -> int:
    return sum(pq.ParquetFile(prepared / f"{split}.parquet").metadata.num_rows for split in SPLITS)


def told(counts: Counts, annotator: ChatAnnotator) -> str:
    """What the progress line says besides rows, rate and time."""
    parts = []
    if counts.answered and annotator.price is not None:
        cap = f" of {annotator.max_cost:g}" if annotator.max_cost is not None else ""
        more = f" + {counts.unpriced} unknown" if counts.unpriced else ""
        parts.append(f"cost {counts.cost:.4f}{more}{cap}")
    parts += [f"{number} {kind}" for kind, number in counts.errors.most_common(3)]
    return ", ".join(parts)


def cost_now(counts: Counts, annotator: ChatAnnotator) -> str:
    """What a run cost, in words; cached answers cost nothing now."""
    if price_of(annotator) is None and counts.answered:
        return "cost unknown: no price is set"
    more = f" and {counts.unpriced:,} requests of unknown cost" if counts.unpriced else ""
    return f"cost {counts.cost:.4f}{more}"


def _stop_at_first_interrupt(stop: Callable[[BaseException], None], told: str) -> None:
    """The first Ctrl-C waits for what is in flight, the second one does not."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        print(f"\n{told}", file=sys.stderr)
        stop(KeyboardInterrupt())
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except ValueError:  # not in the main thread: whoever runs this there handles signals
        return
