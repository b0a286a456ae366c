"""The chat annotators that params.yaml declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.errors import LabelRiskError, nearest


def chat_annotators(annotators: Mapping[str, object], params: Path, name: str | None) -> dict[str, ChatAnnotator]:
    """Those of kind chat among the annotators of params.yaml, or only the one of that name.

    Raises LabelRiskError when there is none of that name.
    """
    chats = {key: declared for key, declared in annotators.items() if isinstance(declared, ChatAnnotator)}
    if name is not None and name not in chats:
        raise LabelRiskError(f"{params}: there is no chat annotator '{name}'; {nearest(name, chats)}")
    return {name: chats[name]} if name is not None else chats
