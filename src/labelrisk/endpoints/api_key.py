"""The key of an endpoint: read from the environment, sent to this endpoint only, and hidden wherever it comes back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from labelrisk.errors import LabelRiskError
from labelrisk.settings.chat import ChatSettings

if TYPE_CHECKING:
    import openai

SHORTEST = 16  # characters from which on a key is one, not a word that may stand in an answer
LONGEST_MESSAGE = 300  # characters
SENT = {"authorization", "accept", "content-type", "user-agent"}  # headers
ACCOUNT = {"openai-organization", "openai-project"}


class ApiKey:
    """The API key from the environment variable that an annotator names; its value is None where it names none.

    Raises LabelRiskError when the variable is not set.
    """

    def __init__(self, annotator: ChatSettings, name: str) -> None:
        self.value = _from_environment(annotator, name)
        self._header = annotator.key_header

    def client_options(self) -> dict[str, object]:
        """How the openai client is to send it."""
        import openai

        # without a key variable a word is sent instead, so that no key of the environment reaches another endpoint
        options: dict[str, object] = {"api_key": self.value or "none"}
        if self._header and self.value:
            options["default_headers"] = {self._header: self.value, "Authorization": openai.Omit()}
        return options

    def headers_sent(self, client: openai.AsyncOpenAI, base_url: str) -> list[tuple[str, str]]:
        """Of the client's headers those that are sent: of the environment's own only the account's, to their owner."""
        sent = SENT | {(self._header or "").lower()} | (ACCOUNT if "api.openai.com" in base_url else set())
        headers = client.auth_headers | client.default_headers
        return [(word, value) for word, value in headers.items() if isinstance(value, str) and word.lower() in sent]

    def hidden_in_message(self, message: str) -> str:
        """What an endpoint says, on one line, without the key."""
        message = " ".join(message.split())
        return (message.replace(self.value, "***") if self.value else message)[:LONGEST_MESSAGE]

    def hidden_in_content(self, content: bytes) -> bytes:
        """A body or a file without the key: some proxies answer with the headers of the request."""
        if self.value is None or len(self.value) < SHORTEST:
            return content
        return content.replace(self.value.encode(), b"***")


def _from_environment(annotator: ChatSettings, name: str) -> str | None:
    if annotator.api_key_env is None:
        return None
    key = os.environ.get(annotator.api_key_env, "").strip()
    if not key:
        raise LabelRiskError(
            f"params.yaml: annotators.{name}.api_key_env names the variable {annotator.api_key_env}, which is not set; "
            f"run `export {annotator.api_key_env}=...` first"
        )
    if not (key.isascii() and key.isprintable()):
        raise LabelRiskError(f"the variable {annotator.api_key_env} holds what is no key (odd characters); set it anew")
    return key
