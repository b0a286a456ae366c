"""A chat annotator: what its rows share, and the label of one row, known already or asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from labelrisk.annotators.chat.first_answers import FirstAnswers
from labelrisk.codebook import Codebook
from labelrisk.corpora.prepared import Prepared
from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.endpoints.endpoint import endpoint_name
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json
from labelrisk.labels.answer import Answer
from labelrisk.labels.earlier_run import signature_of
from labelrisk.labels.labels_file import LabelledRow
from labelrisk.labels.other_revisions import OtherRevisions
from labelrisk.labels.row_chunks import Chunk
from labelrisk.labels.row_cost import RowCost
from labelrisk.prompting.answer_forms import WRONG, form_of, label_codes
from labelrisk.prompting.demonstrations import Demonstrations, Encode, candidates_of
from labelrisk.prompting.prompts import Shown
from labelrisk.prompting.questions import Questions, row_key
from labelrisk.prompting.replies import ReplyReader
from labelrisk.settings.chat import EMBEDDED, ChatSettings
from labelrisk.spending.budget import Unanswered

if TYPE_CHECKING:
    from labelrisk.embedded_model.sentence_vectors import SentenceEncoder
    from labelrisk.endpoints.asker import Asker

READING = "2"  # of answers: a change means that remembered labels are read anew from their answers
NOT_ASKED = {  # what decides about how, by whom or at what price, but not about what is asked
    *("reads", "api_key_env", "key_header", "mode", "timeout", "price", "max_cost", "max_requests"),
    *("requests_per_minute", "tokens_per_minute"),
}


class ChatLabeller:
    """Everything about one annotator that its rows share."""

    def __init__(self, name: str, annotator: ChatSettings, codebook: Codebook, prepared: Prepared) -> None:
        self.name = name
        self.annotator = annotator
        self.questions = Questions(annotator, codebook)
        self.first_answers = FirstAnswers(name, annotator)
        self.codebook = codebook
        self.version = codebook.version
        encoder: Callable[[], SentenceEncoder] = cache(_encoder)  # loaded at its first use
        self._encode: Encode = lambda texts: encoder().encode(texts)
        candidates = candidates_of(prepared, annotator)
        self.demonstrations = Demonstrations(candidates, annotator, name, self._encode)
        self._screen = _screen_of(annotator, encoder)

    def signature(self) -> str:
        """Of all that decides about a label besides the text."""
        declared = self.annotator.model_dump(mode="json", exclude=NOT_ASKED)
        shown = self.demonstrations.identity(self.questions.draws)
        endpoint = endpoint_name(self.annotator)
        template = self.questions.template((), 0, False)  # the wording, which a newer program may change
        wording = [template.prefix, template.suffix]
        return signature_of(
            [READING, endpoint, self.version, canonical_json(declared), canonical_json(shown), *wording]
        )

    def prepared_chunks(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks with what must be computed for many rows at a time."""
        for chunk in chunks:
            chunk.known = self._signed(chunk.known)
            first = self.first_answers
            first.has_label = first.has_label or "ok" in chunk.known["status"].to_pylist()
            texts = [chunk.texts[place] for place in chunk.asked]
            if texts and self.demonstrations.needs_vectors:
                chunk.vectors = dict(zip(chunk.asked, self._encode(texts), strict=True))
            if texts and self._screen:
                chunk.flags = dict(zip(chunk.asked, map(tuple, self._screen(texts)), strict=True))
            yield chunk

    def _signed(self, known: pa.Table) -> pa.Table:
        """Rows of earlier versions don't say whose they are."""
        place = known.schema.get_field_index("labeller")
        return known.set_column(place, known.schema.field(place), pc.fill_null(known["labeller"], self.name))

    def shown(self, chunk: Chunk, place: int) -> list[Shown]:
        """The demonstrations of a row, for each of its draws."""
        vector = chunk.vectors.get(place)
        return [self.demonstrations.shown_to(chunk.ids[place], draw, vector) for draw in range(self.questions.draws)]

    async def label(self, asker: Asker, revisions: OtherRevisions, chunk: Chunk, place: int) -> LabelledRow | None:
        """The label of one row, or None when it got no answer."""
        async with self.first_answers.turn():
            if asker.budget.stopped:
                return None
            return await self._label(asker, revisions, chunk, place)

    async def _label(self, asker: Asker, revisions: OtherRevisions, chunk: Chunk, place: int) -> LabelledRow | None:
        shown = self.shown(chunk, place)
        calls = self.questions.calls(shown, chunk.texts[place])
        budget, row = asker.budget, row_key([key for key, _, _ in calls])
        try:
            if not all(budget.has(key) for key, _, _ in calls) and (known := revisions.find(row)):
                known = self.as_asked_now(known, chunk, place)
                if known is not None:
                    self.first_answers.has_label |= known.answer.status == "ok"
                    return known
            canary = self.annotator.screening == "canary"
            answer, spent, flags = await self.questions.answer(
                asker.ask, calls, shown, chunk.flags.get(place), canary, self.first_answers.look
            )
        except Unanswered:
            return None
        except LabelRiskError as error:
            budget.stop(error)
            return None
        return self.row(chunk, place, answer, flags, spent, row)

    def row(
        self, chunk: Chunk, place: int, answer: Answer, flags: tuple[str, ...] | None, spent: RowCost, call: str
    ) -> LabelledRow:
        """A row of the labels file; call: of `row_key`."""
        if self.annotator.base_url == EMBEDDED:  # the same file whenever it is made
            spent = replace(spent, answered=None)
        return LabelledRow(chunk.ids[place], chunk.splits[place], answer, flags, self.version, spent, call, self.name)

    def as_asked_now(self, known: LabelledRow, chunk: Chunk, place: int) -> LabelledRow | None:
        """A row of another revision, or None where it was made with fewer checks than are wanted now."""
        flags = chunk.flags.get(place)
        if self.annotator.screening == "canary" and flags:
            return None
        once = known.spent.requests <= (self.annotator.samples if self.questions.several else 1)
        if self.annotator.reasks and known.answer.status in WRONG and once:
            return None
        placed = replace(known, id=chunk.ids[place], split=chunk.splits[place])
        return replace(placed, flags=flags, codebook=self.version, labeller=self.name, sampling_probability=None)

    def check_first(self, response: dict[str, Any]) -> bool:
        """Whether an answer shows that the endpoint serves what was asked for.

        Raises LabelRiskError when it does not.
        """
        codes = label_codes(self.codebook.names)
        if self.annotator.confidence != "logprobs" or len(codes) > 26:
            return True
        answer = ReplyReader(self.codebook.names, codes, form_of(self.annotator)).read(response)
        if answer.status == "ok" and answer.method is None:
            raise LabelRiskError(
                f"annotators.{self.name}: {self.annotator.model} answers without log-probabilities of several tokens, "
                "so its labels would have no entropy; set confidence to votes, verbalised or none in params.yaml"
            )
        return answer.status == "ok"


def _encoder() -> SentenceEncoder:
    from labelrisk.embedded_model.sentence_vectors import SentenceEncoder

    return SentenceEncoder(embedded_folder())


def _screen_of(
    annotator: ChatSettings, encoder: Callable[[], SentenceEncoder]
) -> Callable[[Sequence[str]], list[list[str]]] | None:
    """What flags texts before they are sent, or None."""
    if annotator.screening == "none":
        return None
    from labelrisk.prompting.injection_screening import InjectionScorer, screened

    @cache
    def scorer() -> InjectionScorer | None:
        return None if annotator.screening == "rules" else InjectionScorer(encoder())

    return lambda texts: screened(texts, scorer())
