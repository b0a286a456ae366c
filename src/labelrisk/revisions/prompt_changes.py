"""What changed in what annotators are asked, beside the codebook: settings, and the instruction's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from labelrisk.prompting.answer_forms import FORMS, form_of
from labelrisk.revisions.param_changes import ParamChange, param_changes
from labelrisk.revisions.snapshot import Snapshot
from labelrisk.settings.chat import ChatSettings

# what decides about a request; others say when, how fast and at what price it is sent
ASKED = (
    "model", "base_url", "extra_query", "shots", "draw", "pool", "seed", "temperature", "answer", "confidence",
    "top_logprobs", "samples", "vary", "reasks", "screening", "extra_body",
)  # fmt: skip


class PromptChange(NamedTuple):
    """An annotator, settings that ask otherwise, how the instruction ends on both sides, and parts of its codebook."""

    annotator: str
    settings: list[ParamChange]
    instruction: tuple[str, str] | None
    codebook_parts: int


def prompt_changes(before: Snapshot, after: Snapshot, codebook_parts: Mapping[str, int]) -> list[PromptChange]:
    """Annotators of both revisions that are asked otherwise; codebook_parts: by annotator how much of it differs."""
    found = []
    for name in (name for name in before.chat_annotators if name in after.chat_annotators):
        one, other = before.chat_annotators[name], after.chat_annotators[name]
        kept = [{key: entry[key] for key in ASKED if key in entry} for entry in (one, other)]
        settings = param_changes(kept[0], kept[1])
        ends = _instruction(one), _instruction(other)
        instruction = ends if ends[0] and ends[1] and ends[0] != ends[1] else None
        parts = codebook_parts.get(name, 0)
        if settings or instruction or parts:
            found.append(PromptChange(name, settings, instruction, parts))  # type: ignore[arg-type]
    return found


def _instruction(entry: Mapping[str, Any]) -> str | None:
    """How the answer is asked for; None where this version does not know the settings."""
    known = {key: value for key, value in entry.items() if key != "kind"}
    try:
        return FORMS[form_of(ChatSettings.model_validate(known))]
    except ValidationError:
        return None
