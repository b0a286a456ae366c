"""Labels from a chat endpoint: known ones are taken, the others asked, each answer stored the moment it arrives."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from labelrisk.annotators.answers import Reader
from labelrisk.annotators.demonstrations import Demonstrations, Encode, candidates_of
from labelrisk.annotators.flow import Piece, label_all
from labelrisk.annotators.labels import LabelledRow, LabelsWriter
from labelrisk.annotators.prompts import WRONG, Shown, codebook_hash, form_of, label_codes
from labelrisk.annotators.questions import Questions, row_key
from labelrisk.annotators.remembered import Remembered, Seeds, signature_of
from labelrisk.annotators.totals import of_run
from labelrisk.batches.asker import INTERRUPTED, BatchAsker
from labelrisk.cache.calls import CallCache
from labelrisk.cache.frames import canonical
from labelrisk.codebook import Codebook
from labelrisk.corpora.rows import DEMONSTRATIONS, SPLITS
from labelrisk.endpoints.asking import Asker
from labelrisk.endpoints.endpoint import endpoint_name
from labelrisk.endpoints.prices import price_of
from labelrisk.endpoints.purse import Counts, Unanswered
from labelrisk.errors import LabelRiskError
from labelrisk.files import write_json, written_aside
from labelrisk.progress import bar
from labelrisk.settings import AnnotateSettings, ChatAnnotator
from labelrisk.weights import embedded_folder

if TYPE_CHECKING:
    from labelrisk.annotators.sentences import SentenceEncoder

READING = "1"  # of answers: a change means that remembered labels are read anew from their answers
GROWING = ".growing"  # name of a labels file that is being written
TOLD_EVERY = 16  # rows between looks at cost and errors
ROWS_AT_ONCE = 32768  # whose answers are awaited, at most
BATCH_ROWS = 20000  # as many, where each of them waits for its batch
INTERRUPTED_REQUESTS = "interrupted: waiting for the answers in flight (again to leave at once)"
NOT_ASKED = {  # what decides about how, by whom or at what price, but not about what is asked
    *("reads", "api_key_env", "key_header", "mode", "timeout", "price", "max_cost", "max_requests"),
    *("requests_per_minute", "tokens_per_minute"),
}


class ChatLabels:
    """Everything about one annotator that its rows share."""

    def __init__(
        self, name: str, annotator: ChatAnnotator, settings: AnnotateSettings, codebook: Codebook, prepared: Path
    ) -> None:
        self.name = name
        self.annotator = annotator
        self.questions = Questions(annotator, codebook)
        self._settings = settings
        self._codebook = codebook
        self._prepared = prepared
        self.version = codebook_hash(codebook)
        encoder: Callable[[], SentenceEncoder] = cache(_encoder)  # loaded at its first use
        self._encode: Encode = lambda texts: encoder().encode(texts)
        candidates = candidates_of(prepared / DEMONSTRATIONS, annotator)
        self.demonstrations = Demonstrations(candidates, annotator, name, self._encode)
        self._screen = _screen_of(annotator, encoder)

    def signature(self) -> str:
        """Of all that decides about a label besides the text."""
        declared = self.annotator.model_dump(mode="json", exclude=NOT_ASKED)
        shown = self.demonstrations.identity(self.questions.draws)
        endpoint = endpoint_name(self.annotator)
        return signature_of([READING, endpoint, self.version, canonical(declared), canonical(shown)])

    def prepared_rows(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces with what must be computed for many rows at a time."""
        for piece in pieces:
            texts = [piece.texts[place] for place in piece.asked]
            if texts and self.demonstrations.needs_vectors:
                piece.vectors = dict(zip(piece.asked, self._encode(texts), strict=True))
            if texts and self._screen:
                piece.flags = dict(zip(piece.asked, map(tuple, self._screen(texts)), strict=True))
            yield piece

    def shown(self, piece: Piece, place: int) -> list[Shown]:
        """The demonstrations of a row, for each of its draws."""
        vector = piece.vectors.get(place)
        return [self.demonstrations.shown_to(piece.ids[place], draw, vector) for draw in range(self.questions.draws)]

    async def label(self, asker: Asker | BatchAsker, seeds: Seeds, piece: Piece, place: int) -> LabelledRow | None:
        """The label of one row, or None when it got no answer."""
        shown = self.shown(piece, place)
        calls = self.questions.calls(shown, piece.texts[place])
        purse, row = asker.purse, row_key([key for key, _, _ in calls])
        try:
            if not all(purse.has(key) for key, _, _ in calls) and (known := seeds.find(row)):
                known = self._as_asked_now(known, piece, place)
                if known is not None:
                    return known
            canary = self.annotator.screening == "canary"
            answer, spent, flags = await self.questions.answer(asker.ask, calls, shown, piece.flags.get(place), canary)
        except Unanswered:
            return None
        except LabelRiskError as error:
            purse.stop(error)
            return None
        return LabelledRow(piece.ids[place], piece.splits[place], answer, flags, self.version, spent, row)

    def _as_asked_now(self, known: LabelledRow, piece: Piece, place: int) -> LabelledRow | None:
        """A row of another revision, or None where it was made with fewer checks than are wanted now."""
        flags = piece.flags.get(place)
        if self.annotator.screening == "canary" and flags and not set(flags) <= set(known.flags or ()):
            return None
        once = known.spent.requests <= (self.annotator.samples if self.questions.several else 1)
        if self.annotator.reasks and known.answer.status in WRONG and once:
            return None
        flags = known.flags if self.annotator.screening == "canary" and flags else flags
        placed = replace(known, id=piece.ids[place], split=piece.splits[place])
        return replace(placed, flags=flags, codebook=self.version)

    def check_first(self, response: dict[str, Any]) -> bool:
        """Whether an answer shows that the endpoint serves what was asked for.

        Raises LabelRiskError when it does not.
        """
        codes = label_codes(self._codebook.names)
        if self.annotator.confidence != "logprobs" or len(codes) > 26:
            return True
        answer = Reader(self._codebook.names, codes, form_of(self.annotator)).read(response)
        if answer.status == "ok" and answer.method is None:
            raise LabelRiskError(
                f"annotators.{self.name}: {self.annotator.model} answers without log-probabilities, so its labels "
                "would have no entropy; set confidence to votes, verbalised or none in params.yaml"
            )
        return answer.status == "ok"


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


def _encoder() -> SentenceEncoder:
    from labelrisk.annotators.sentences import SentenceEncoder

    return SentenceEncoder(embedded_folder())


def _screen_of(
    annotator: ChatAnnotator, encoder: Callable[[], SentenceEncoder]
) -> Callable[[Sequence[str]], list[list[str]]] | None:
    """What flags texts before they are sent, or None."""
    if annotator.screening == "none":
        return None
    from labelrisk.annotators.screening import InjectionScorer, screened

    @cache
    def scorer() -> InjectionScorer | None:
        return None if annotator.screening == "rules" else InjectionScorer(encoder())

    return lambda texts: screened(texts, scorer())


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
