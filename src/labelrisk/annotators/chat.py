"""Labels from a chat endpoint: each row is asked once, each answer is stored the moment it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tqdm import tqdm

from labelrisk.annotators.answers import Answer, read_answer
from labelrisk.annotators.calls import CallCache, call_key
from labelrisk.annotators.demonstrations import Demonstrations
from labelrisk.annotators.endpoint import Endpoint, NoAnswer, RowRefused, endpoint_name
from labelrisk.annotators.prompts import label_codes, messages
from labelrisk.codebook import Codebook
from labelrisk.errors import LabelRiskError
from labelrisk.progress import bar
from labelrisk.settings import AnnotateSettings, ChatAnnotator

TOP_LOGPROBS = 20  # as many as the OpenAI API serves
FAILURES_IN_A_ROW = 20  # requests, each with all its retries, after which an endpoint counts as down


@dataclass(frozen=True)
class Call:
    """A request body with its place among the rows and its key in the cache."""

    position: int
    key: str
    request: dict[str, Any]


def request_body(
    annotator: ChatAnnotator, codebook: Codebook, demonstrations: list[tuple[str, str]], text: str
) -> dict[str, Any]:
    """Everything that is sent for one text; `extra_body` of the params has the last word."""
    single_token = label_codes(codebook.names) != codebook.names
    body: dict[str, Any] = {
        "model": annotator.model,
        "messages": messages(codebook, demonstrations, text),
        "temperature": annotator.temperature,
        "max_tokens": 1 if single_token else 32,
    }
    if annotator.logprobs and single_token:
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return body | annotator.extra_body


def chat_answers(
    name: str,
    annotator: ChatAnnotator,
    settings: AnnotateSettings,
    codebook: Codebook,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    cache: CallCache,
) -> tuple[list[Answer], list[str]]:
    """Answers and call keys in row order, from the cache where it has them, else asked and stored.

    train: rows to draw demonstrations from; rows: columns `id`, `text`.
    Raises LabelRiskError when the endpoint can't be used or rows are left without an answer; what was answered
    until then is stored.
    """
    demonstrations = Demonstrations(train, annotator.shots, annotator.draw, annotator.seed, name)
    endpoint = endpoint_name(annotator)
    shown = map(demonstrations.shown_to, rows["id"])
    requests = [request_body(annotator, codebook, pairs, text) for pairs, text in zip(shown, rows["text"], strict=True)]
    calls = [Call(place, call_key(endpoint, body), body) for place, body in enumerate(requests)]
    responses = {call.position: found for call in calls if (found := cache.find(call.key)) is not None}
    session = _Session(name, endpoint, cache, responses)
    if len(responses) < len(calls):  # a key is needed only where something is left to ask
        client = Endpoint(annotator, settings, name)
        with bar(len(calls), f"annotate {name}", "row", done=len(responses)) as progress:
            asyncio.run(session.ask_missing(calls, client, progress, settings.concurrency))
    codes = label_codes(codebook.names)
    answers = [
        Answer("error", reply=session.refused[call.position])
        if call.position in session.refused
        else read_answer(responses[call.position], codebook.names, codes)
        for call in calls
    ]
    return answers, [call.key for call in calls]


class _Session:
    """The asking of one annotator: workers that take the next call as soon as they are free."""

    def __init__(self, name: str, endpoint: str, cache: CallCache, responses: dict[int, dict[str, Any]]) -> None:
        self.refused: dict[int, str] = {}
        self._name = name
        self._endpoint = endpoint
        self._cache = cache
        self._responses = responses
        self._fatal: LabelRiskError | None = None
        self._failed_in_a_row = 0
        self._refused_in_a_row = 0
        self._reason = ""

    async def ask_missing(self, calls: list[Call], client: Endpoint, progress: tqdm[Any], concurrency: int) -> None:
        """Ask every call without a response; the first one alone, so that a wrong endpoint costs one request."""
        missing = [call for call in calls if call.position not in self._responses]
        try:
            await self._work(iter(missing[:1]), client, progress)
            if not self._reason:
                queue = iter(missing[1:])
                await asyncio.gather(*(self._work(queue, client, progress) for _ in range(concurrency)))
        finally:
            await client.close()
        if self._fatal is not None:
            raise self._fatal
        if left := len(calls) - len(self._responses) - len(self.refused):
            raise LabelRiskError(
                f"annotators.{self._name}: {left} of {len(calls)} rows have no answer ({self._reason}); "
                "every answer so far is stored: check the endpoint and run again to ask for the rest only"
            )

    async def _work(self, queue: Iterator[Call], client: Endpoint, progress: tqdm[Any]) -> None:
        """Ask until the queue is empty or the endpoint turns out useless; what is in flight then is still stored."""
        while self._fatal is None and self._failed_in_a_row < FAILURES_IN_A_ROW:
            if (call := next(queue, None)) is None:
                return
            try:
                response = await client.ask(call.request)
                self._cache.store(call.key, self._endpoint, call.request, response)
            except RowRefused as error:
                self.refused[call.position] = str(error)
                self._refused_in_a_row += 1
                if self._refused_in_a_row >= FAILURES_IN_A_ROW:
                    self._fatal = self._refusal(str(error))
            except NoAnswer as error:
                self._reason = str(error)
                self._failed_in_a_row += 1
            except LabelRiskError as error:
                self._fatal = error
            else:
                self._responses[call.position] = response
                self._failed_in_a_row = self._refused_in_a_row = 0
            progress.update()

    def _refusal(self, reason: str) -> LabelRiskError:
        return LabelRiskError(
            f"annotators.{self._name}: the endpoint refused {FAILURES_IN_A_ROW} requests in a row ({reason}); "
            "every answer so far is stored: check model, logprobs and extra_body in params.yaml"
        )
