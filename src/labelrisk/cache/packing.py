"""Texts and responses as the call cache keeps them, and back: whole, to the byte."""

from __future__ import annotations

import zlib
from typing import Any

from labelrisk.cache.answer_json import parsed
from labelrisk.cache.dictionaries import Dictionaries, named_in
from labelrisk.files import canonical_json

MOST_UNPACKED = 2**26  # bytes of a response; none that was stored has as many
SHORT = 40  # bytes of a text that are not worth packing


def response_bytes(response: dict[str, Any]) -> bytes:
    """A response as it is kept for good: its canonical JSON."""
    return canonical_json(response).encode(errors="surrogatepass")


def unpacked(content: bytes, dictionaries: Dictionaries) -> bytes:
    """What was packed, by this version or an earlier one.

    Raises zlib.error, ValueError or TypeError for what is nothing packed.
    """
    checksum = named_in(content)
    unpacking = zlib.decompressobj() if checksum is None else zlib.decompressobj(zdict=dictionaries.content(checksum))
    whole = unpacking.decompress(content, MOST_UNPACKED)
    if not unpacking.eof:
        raise ValueError("it is not whole, or larger than any answer")
    return whole


def response_of(whole: bytes) -> dict[str, Any]:
    """The response in its JSON.

    Raises ValueError for what is no object.
    """
    response = parsed(whole)
    if not isinstance(response, dict):
        raise ValueError("it is no chat completion")
    return response


def packed_text(text: str, dictionaries: Dictionaries, annotator: str, call: int) -> str | bytes:
    """A text as it is stored: itself where packing it saves nothing."""
    try:
        content = text.encode()
    except UnicodeEncodeError:  # half a pair, which SQLite takes as little
        return text
    if len(content) < SHORT:
        return text
    packed = dictionaries.packed(content, "text", annotator, call)
    return packed if len(packed) < len(content) else text


def text_of(stored: Any, dictionaries: Dictionaries) -> Any:
    """A text out of the cache; what is stored there and is none, as it is.

    Raises zlib.error or ValueError for what can't be unpacked.
    """
    return unpacked(stored, dictionaries).decode() if isinstance(stored, bytes) else stored
