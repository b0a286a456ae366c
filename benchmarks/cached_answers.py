"""Generated texts and Chat Completions responses like those of an endpoint, for call caches of any size.

Words are drawn as often as they are in a language (Zipf's law), so that texts are packed about as well as news are.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LABELS = {
    "world": "Countries, wars and governments.",
    "sport": "Games and players.",
    "business": "Companies and markets.",
    "science": "Research and technology.",
}
WORDS, LENGTH = 30_000, 40  # different words; of a text, about
SYLLABLES = [
    one + two for one in "bcdfghklmnprstvwz" for two in ("a", "e", "i", "o", "u", "an", "er", "in", "on", "st")
]
CHARACTERS = string.ascii_letters + string.digits
TOP = 20  # alternatives to a token
OTHERS = [
    " A",
    " B",
    " C",
    " D",
    "a",
    "b",
    "c",
    "d",
    "The",
    "This",
    "I",
    "It",
    "**",
    "Answer",
    "Label",
    "Code",
    " ",
    "1",
]
AT_ONCE = 8192


def texts(rows: int) -> Iterator[str]:
    """Different texts of some 240 characters."""
    draw, numbers = random.Random(0), np.random.default_rng(0)
    words = ["".join(draw.choices(SYLLABLES, k=draw.choice((1, 2, 2, 3, 4)))) for _ in range(WORDS)]
    shares = 1 / (np.arange(WORDS) + 2.7)
    bounds = np.cumsum(shares / shares.sum())
    for start in range(0, rows, AT_ONCE):
        lengths = numbers.integers(LENGTH // 2, LENGTH * 3 // 2, AT_ONCE)  # one row more changes no other
        drawn = np.minimum(np.searchsorted(bounds, numbers.random(lengths.sum())), WORDS - 1).tolist()
        end = 0
        for row, length in enumerate(lengths[: rows - start].tolist()):
            yield f"{' '.join(words[word] for word in drawn[end : end + length])} {start + row}."
            end += length


def responses(rows: int, logprobs: bool) -> Iterator[dict[str, Any]]:
    """What an endpoint answers to each text; logprobs: with those of the TOP likeliest tokens."""
    draw = random.Random(1)
    for row in range(rows):
        prompt = draw.randrange(190, 260)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": draw.choice("ABCD"), "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
        if logprobs:
            choice["logprobs"] = _logprobs(draw, str(choice["message"]["content"]))  # type: ignore[index]
        yield {
            "id": f"chatcmpl-{''.join(draw.choices(CHARACTERS, k=29))}",
            "object": "chat.completion",
            "created": 1_764_000_000 + row // 20,
            "model": "gpt-4.1-mini-2025-04-14",
            "choices": [choice],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": 1,
                "total_tokens": prompt + 1,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": draw.choice(("fp_38343a2f8f", "fp_6f2eabb9a5")),
        }


def _logprobs(draw: random.Random, said: str) -> dict[str, Any]:
    tokens = [said, *draw.sample([code for code in "ABCD" if code != said] + OTHERS, k=TOP - 1)]
    falls = sorted(round(-draw.expovariate(0.15), draw.choice((5, 6, 6, 7))) for _ in range(TOP - 1))[::-1]
    values = [round(-draw.expovariate(4.0), 8), *falls]
    top = [
        {"token": token, "logprob": value, "bytes": list(token.encode())}
        for token, value in zip(tokens, values, strict=True)
    ]
    return {"content": [{**top[0], "top_logprobs": top}], "refusal": None}


def write_prepared(folder: Path, rows: int) -> None:
    """The prepared rows of a study, all of them in train, written some at a time."""
    schema = pa.schema({"id": pa.string(), "text": pa.string(), "gold": pa.string()})
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("validation", "test", "demonstrations"):
        pq.write_table(schema.empty_table(), folder / f"{split}.parquet")
    with pq.ParquetWriter(folder / "train.parquet", schema) as writer:
        waiting: list[str] = []
        for number, text in enumerate(texts(rows), start=1):
            waiting.append(text)
            if len(waiting) == 65536 or number == rows:
                ids = [f"{one:016x}" for one in range(number - len(waiting), number)]
                writer.write_table(pa.table([ids, waiting, pa.nulls(len(ids), pa.string())], schema=schema))
                waiting = []
