"""A request with a slot for the text: what is sent, and the call key that holds all of it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any

from labelrisk.files import canonical_json


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """The canonical JSON of endpoint, request and sample around the text that is asked.

    Most rows of an annotator share one template: it is rendered, hashed and stored once.
    """

    endpoint: str
    model: str
    prefix: str
    suffix: str
    _hashed: Any = field(repr=False, compare=False)

    def key(self, text: str) -> bytes:
        """The call key: SHA-256 of the endpoint, the whole request body and the sample index."""
        hashed = self._hashed.copy()
        hashed.update((_escaped(text) + self.suffix).encode())
        return bytes(hashed.digest())

    def request(self, text: str) -> dict[str, Any]:
        """The request body for a text."""
        body: dict[str, Any] = json.loads(self.prefix + _escaped(text) + self.suffix)["request"]
        return body

    def size(self, text: str) -> int:
        """Bytes of the prompt in UTF-8 and its JSON around: no tokenizer makes more tokens of it than this."""
        return len(self.prefix.encode()) + len(_escaped(text).encode()) + len(self.suffix.encode())


@dataclass(frozen=True, slots=True)
class Call:
    """One request: a template, the text in it, and the key that holds both."""

    key: bytes
    template: RequestTemplate
    text: str

    def request(self) -> dict[str, Any]:
        """The request body."""
        return self.template.request(self.text)


def request_template(endpoint: str, body_of: Callable[[str], dict[str, Any]], sample: int = 0) -> RequestTemplate:
    """The template of the request that `body_of` makes of a text, which must stand in it exactly once.

    sample: index among requests that are alike; the first one's key holds no index.
    """
    slot = secrets.token_hex(16)  # nobody can have written it into a text
    body = body_of(slot)
    whole: dict[str, Any] = {"endpoint": endpoint, "request": body}
    prefix, suffix = canonical_json(whole | ({"sample": sample} if sample else {})).split(slot)
    return stored_template(endpoint, body["model"], prefix, suffix)


def stored_template(endpoint: str, model: str, prefix: str, suffix: str) -> RequestTemplate:
    """A template of its parts, as the call cache keeps them."""
    return RequestTemplate(endpoint, model, prefix, suffix, hashlib.sha256(prefix.encode()))


def _escaped(text: str) -> str:
    return encode_basestring(text)[1:-1]  # as canonical JSON has it
