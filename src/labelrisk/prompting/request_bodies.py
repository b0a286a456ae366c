"""Everything that is sent about one row: the body of a Chat Completions request."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

from labelrisk.codebook import Codebook
from labelrisk.prompting.answer_forms import LENGTHS, form_of, json_schema, label_codes
from labelrisk.prompting.confidence import confidence_of
from labelrisk.prompting.prompts import entailment_messages
from labelrisk.settings.chat import ChatSettings


def reads_logprobs(annotator: ChatSettings, codebook: Codebook) -> bool:
    """Whether an annotator's probabilities are those of the token that names the label."""
    return confidence_of(annotator).of_tokens and len(codebook.names) <= len(ascii_uppercase)


def request_body(annotator: ChatSettings, codebook: Codebook, messages: list[dict[str, str]]) -> dict[str, Any]:
    """Everything that is sent with these messages; `extra_body` of the params has the last word, null leaves out."""
    form, kind = form_of(annotator)
    codes = label_codes(codebook.names)
    single_tokens = len(codes) <= len(ascii_uppercase)
    body: dict[str, Any] = {
        "model": annotator.model,
        "messages": messages,
        "temperature": annotator.temperature,
        "max_tokens": 1 if single_tokens and (form, kind) == ("label", "code") else LENGTHS[form],
    }
    if reads_logprobs(annotator, codebook):
        body |= {"logprobs": True, "top_logprobs": annotator.top_logprobs}
    if kind == "json":
        body["response_format"] = {"type": "json_schema", "json_schema": json_schema(form, codes)}
    if annotator.answer == "guided_choice":
        body["structured_outputs"] = {"choice": codes}
    return _with_last_word(body, annotator.extra_body)


def entailment_body(annotator: ChatSettings, codebook: Codebook, explanation: str, text: str) -> dict[str, Any]:
    """Asks whether an explanation follows from the text; with log-probabilities where the endpoint serves them."""
    body: dict[str, Any] = {
        "model": annotator.model,
        "messages": entailment_messages(codebook, explanation, text),
        "temperature": 0.0,
        "max_tokens": 1,
    }
    if annotator.serves is not None and "logprobs" in annotator.serves:
        body |= {"logprobs": True, "top_logprobs": annotator.top_logprobs}
    return _with_last_word(body, annotator.extra_body)


def _with_last_word(body: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in (body | extra).items() if value is not None}
