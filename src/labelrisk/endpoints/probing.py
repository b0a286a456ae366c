"""One request per capability: what an endpoint serves of log-probabilities, JSON schema and guided choice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labelrisk.cache.calls import CallCache
from labelrisk.cache.templates import request_template
from labelrisk.codebook import Codebook
from labelrisk.endpoints.endpoint import RowRefused, endpoint_name
from labelrisk.endpoints.request_asker import Asker
from labelrisk.prompting.answers import Reader
from labelrisk.prompting.prompts import messages, request_body
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending.budget import Unanswered

ASKED = "Write the word hello, and nothing else."  # only a constraint makes a code of this
CODEBOOK = Codebook(task="t", labels={"first": "x", "second": "y"})
CODES = ["A", "B"]
AS_ASKED: dict[str, dict[str, str]] = {
    "logprobs": {"confidence": "logprobs", "answer": "code"},
    "json_schema": {"confidence": "none", "answer": "json_schema"},
    "guided_choice": {"confidence": "none", "answer": "guided_choice"},
}


def _has_logprobs(response: dict[str, Any]) -> bool:
    content = (response["choices"][0].get("logprobs") or {}).get("content") or []
    return bool(content and content[0].get("top_logprobs"))


def _is_label(form: tuple[str, str]) -> Callable[[dict[str, Any]], bool]:
    reader = Reader(CODEBOOK.names, CODES, form)
    return lambda response: reader.read(response).status == "ok"


SERVED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "logprobs": _has_logprobs,
    "json_schema": _is_label(("label", "json")),
    "guided_choice": _is_label(("label", "code")),
}


def served(name: str, annotator: ChatSettings, settings: AnnotateSettings, call_cache: Path) -> list[str]:
    """Capabilities of the endpoint, found with one short request each; answers are stored, so asking again is free.

    Raises LabelRiskError when the endpoint can't be used.
    """
    cache = CallCache(call_cache)
    try:
        return asyncio.run(_served(name, annotator, settings, cache))
    finally:
        cache.close()


def _body(asked: ChatSettings, as_usual: bool, text: str) -> dict[str, Any]:
    said = messages(CODEBOOK, (), text) if as_usual else [{"role": "user", "content": text}]
    return request_body(asked, CODEBOOK, said)


async def _served(name: str, annotator: ChatSettings, settings: AnnotateSettings, cache: CallCache) -> list[str]:
    asker = Asker(name, annotator, settings, cache, lambda response: True)
    found = []
    try:
        for capability, changes in AS_ASKED.items():
            asked = annotator.model_copy(update=changes | {"temperature": 0.0})

            def body(
                text: str, asked: ChatSettings = asked, as_usual: bool = capability == "logprobs"
            ) -> dict[str, Any]:
                said = [{"role": "user", "content": text}]
                return request_body(asked, CODEBOOK, messages(CODEBOOK, (), text) if as_usual else said)

            template = request_template(endpoint_name(annotator), body)
            try:
                stored = await asker.ask(template.key(ASKED), template, ASKED)
            except RowRefused:
                continue
            found += [capability] if SERVED[capability](stored.response) else []
    except Unanswered:
        pass
    finally:
        await asker.close()
    if asker.budget.stopped:
        raise asker.budget.stopped
    return found
