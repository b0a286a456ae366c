"""What is asked about one row, and how its answers become a label: one answer, votes, or explanations."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Protocol

from labelrisk.cache.calls import Stored
from labelrisk.cache.templates import RequestTemplate, request_template
from labelrisk.codebook import Codebook
from labelrisk.endpoints.endpoint import endpoint_name
from labelrisk.endpoints.failures import RowRefused
from labelrisk.labels.answer import Answer
from labelrisk.labels.row_cost import RowCost
from labelrisk.prompting.answer_forms import WRONG, form_of, label_codes
from labelrisk.prompting.awaited import all_results
from labelrisk.prompting.confidence import confidence_of, merged_answers
from labelrisk.prompting.prompts import Shown, corrected, disarmed, messages
from labelrisk.prompting.replies import ReplyReader
from labelrisk.prompting.request_bodies import entailment_body, reads_logprobs, request_body
from labelrisk.prompting.row_cost_counter import RowCostCounter
from labelrisk.settings.chat import ChatSettings

CANARY = "canary"  # flag: the label changed when the text was not delimited
YES, NO = "A", "B"  # answers on entailment
Look = Callable[[Answer, dict[str, Any]], None]  # is shown each answer on a label and its response; may raise


class Ask(Protocol):
    """How a call gets its answer."""

    def __call__(self, key: bytes, template: RequestTemplate, text: str, /) -> Awaitable[Stored]: ...


class Questions:
    """The calls that an annotator makes about a row."""

    def __init__(self, annotator: ChatSettings, codebook: Codebook) -> None:
        self._annotator = annotator
        self._codebook = codebook
        self._endpoint = endpoint_name(annotator)
        self._form = form_of(annotator)
        self._confidence = confidence_of(annotator)
        self._samples = annotator.samples if self._confidence.sampled else 1
        self._reader = ReplyReader(
            codebook.names, label_codes(codebook.names), self._form, reads_logprobs(annotator, codebook)
        )
        self._entailment = ReplyReader([YES, NO], [YES, NO])
        self.template = lru_cache(maxsize=64)(self._template)

    @property
    def several(self) -> bool:
        """Whether a row is asked several times."""
        return self._samples > 1

    @property
    def draws(self) -> int:
        """How many different demonstrations a row is asked with."""
        return self._samples if self._annotator.vary == "demonstrations" else 1

    def calls(self, shown: Sequence[Shown], text: str) -> list[tuple[bytes, RequestTemplate, str]]:
        """The calls that every answer starts with: key, template and text.  shown: one for each of `draws`."""
        text = disarmed(text)
        templates = [self.template(shown[sample % len(shown)], sample, False) for sample in range(self._samples)]
        return [(template.key(text), template, text) for template in templates]

    def check_messages(self, text: str) -> list[dict[str, str]]:
        """What is asked about an explanation of a text, without the explanation."""
        messages: list[dict[str, str]] = entailment_body(self._annotator, self._codebook, "", text)["messages"]
        return messages

    def of_first_answers(self, keys: Sequence[bytes], stored: Sequence[Stored]) -> tuple[Answer, RowCost] | None:
        """A row's answer and what it cost, from the answers to its `calls`; None where more is asked about it."""
        answers = [self._reader.read(one.response) for one in stored]
        if self._confidence.entailed or (self._annotator.reasks and any(answer.status in WRONG for answer in answers)):
            return None
        costs = RowCostCounter()
        for key, one in zip(keys, stored, strict=True):
            costs.add(key, one)
        answer = answers[0]
        if self.several:
            answer = merged_answers(answers, [1.0] * len(answers), self._codebook.names, self._annotator.confidence)
        return answer, costs.total()

    async def answer(
        self,
        ask: Ask,
        calls: Sequence[tuple[bytes, RequestTemplate, str]],
        shown: Sequence[Shown],
        flags: tuple[str, ...] | None,
        canary: bool,
        look: Look = lambda answer, response: None,
    ) -> tuple[Answer, RowCost, tuple[str, ...] | None]:
        """A row's answer, what it cost, and its flags.

        calls: of `calls` with the same `shown`; canary: ask a flagged text a second time without delimiters.
        Raises Unanswered, and what `look` raises.
        """
        costs = RowCostCounter()
        text = calls[0][2]
        answers = await all_results(
            [self._one(ask, shown[place % len(shown)], place, call, costs, look) for place, call in enumerate(calls)]
        )
        answer = answers[0]
        if self.several:
            weights = [1.0] * len(answers)
            if self._confidence.entailed:
                weights = await all_results([self._entailed(ask, answer, text, costs) for answer in answers])
            answer = merged_answers(answers, weights, self._codebook.names, self._annotator.confidence)
        if canary and flags:
            plain = self.template(shown[0], 0, True)
            with suppress(RowRefused):
                other = await self._read(ask, plain.key(text), plain, text, costs, look)
                flags += (CANARY,) if other.label != answers[0].label else ()
        return answer, costs.total(), flags

    async def _one(
        self,
        ask: Ask,
        shown: Shown,
        sample: int,
        call: tuple[bytes, RequestTemplate, str],
        costs: RowCostCounter,
        look: Look,
    ) -> Answer:
        """One answer; what is no label is asked once more, with what was wrong."""
        key, template, text = call
        try:
            answer = await self._read(ask, key, template, text, costs, look)
        except RowRefused as error:
            return Answer("content_filter" if error.filtered else "error", reply=str(error))
        if answer.status not in WRONG or not self._annotator.reasks:
            return answer

        def body(text: str) -> dict[str, Any]:
            asked = messages(self._codebook, shown, text, self._form)
            return self._body(corrected(asked, answer.reply, answer.status, self._form))

        again = request_template(
            self._endpoint, body, sample
        )  # samples that are wrong in the same words are asked each again
        try:
            second = await self._read(ask, again.key(text), again, text, costs, look)
        except RowRefused:
            return answer
        return second if second.status == "ok" else answer

    async def _read(
        self, ask: Ask, key: bytes, template: RequestTemplate, text: str, costs: RowCostCounter, look: Look
    ) -> Answer:
        stored = await ask(key, template, text)
        answer = self._reader.read(stored.response)
        costs.add(key, stored)
        look(answer, stored.response)
        return answer

    async def _entailed(self, ask: Ask, answer: Answer, text: str, costs: RowCostCounter) -> float:
        """How probable it is that an explanation follows from the text: the weight of its vote.

        An approximation through the endpoint of Becker & Soatto, Cycles of Thought (2024): the model itself says
        whether an explanation follows; its probability is read from log-probabilities where `serves` lists them, else
        it is 0 or 1.
        """
        if answer.status != "ok" or answer.reply is None:
            return 0.0
        explanation = answer.reply
        template = request_template(
            self._endpoint, lambda slot: entailment_body(self._annotator, self._codebook, explanation, slot)
        )
        key = template.key(text)
        try:
            stored = await ask(key, template, text)
        except RowRefused:
            return 0.0
        read = self._entailment.read(stored.response)
        costs.add(key, stored)
        return read.probabilities[0] if read.probabilities else float(read.label == YES)

    def _template(self, shown: Shown, sample: int, plain: bool) -> RequestTemplate:
        def body(text: str) -> dict[str, Any]:
            return self._body(messages(self._codebook, shown, text, self._form, plain))

        return request_template(self._endpoint, body, sample)

    def _body(self, sent: list[dict[str, str]]) -> dict[str, Any]:
        return request_body(self._annotator, self._codebook, sent)


def row_key(keys: Sequence[bytes]) -> str:
    """The key of a row's question: that of its call, or of all of its first calls together."""
    return keys[0].hex() if len(keys) == 1 else hashlib.sha256(b"".join(keys)).hexdigest()
