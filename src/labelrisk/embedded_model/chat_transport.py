"""The embedded annotator: a sentence encoder that answers Chat Completions inside this process.

It is a transport of the openai client's HTTP layer, so that the default run takes the path that a paid LLM takes.
Like any endpoint it sees the messages only: it reads labels, examples and input from the prompt.  It is no LLM: it
compares the text with the definitions and the examples.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx2
import numpy as np

from labelrisk.embedded_model.sentence_vectors import SentenceEncoder
from labelrisk.embedded_model.similarity import class_probabilities, phrases
from labelrisk.embedded_model.weights import SHA256, embedded_folder

REVISION = f"{SHA256[:12]}-1"  # of the weights, and of how this module turns similarities into answers
DIMENSIONS = 384  # of the vectors
LABEL_LINE = re.compile(r"^([A-Z]): (.+)$", re.MULTILINE)
EXAMPLE = re.compile(r"<text>\n(.*?)\n</text>\nLabel:(?: ([A-Z]))?", re.DOTALL)


class EmbeddedTransport(httpx2.AsyncBaseTransport):
    """Answers POST /chat/completions; concurrent requests are encoded in one forward pass."""

    def __init__(self) -> None:
        self._encoder: SentenceEncoder | None = None
        self._vectors: dict[str, np.ndarray] = {}  # of definitions and examples, which stand in every prompt
        self._waiting: list[tuple[str, asyncio.Future[np.ndarray]]] = []
        self._encoding: asyncio.Task[None] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Serve one Chat Completions request."""
        body = json.loads(await request.aread())
        prompt = body["messages"][-1]["content"]
        definitions = LABEL_LINE.findall(prompt.partition("\n\n")[0])
        if not definitions:
            message = "the embedded annotator reads labels as lines 'A: name: definition', for at most 26 labels"
            return httpx2.Response(400, json={"error": {"message": message}})
        *examples, (text, _) = EXAMPLE.findall(prompt)
        codes = [code for code, _ in definitions]
        defined = [await self._cached_vectors(_phrases_of(label)) for _, label in definitions]
        shown = await self._cached_vectors([example for example, _ in examples])
        shown_classes = np.array([codes.index(code) for _, code in examples], dtype=np.int64)
        vector = await self._vector(text)
        probabilities = class_probabilities(vector[None, :], defined, shown, shown_classes)[0]
        return httpx2.Response(200, json=_completion(body, codes, probabilities))

    async def _cached_vectors(self, texts: list[str]) -> np.ndarray:
        """Vectors of texts that come again and again, each encoded once."""
        vectors = [self._vectors[text] if text in self._vectors else await self._vector(text) for text in texts]
        self._vectors |= dict(zip(texts, vectors, strict=True))
        return np.array(vectors, dtype=np.float32).reshape(len(texts), DIMENSIONS)

    async def _vector(self, text: str) -> np.ndarray:
        future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, future))
        if self._encoding is None or self._encoding.done():
            self._encoding = asyncio.create_task(self._encode_waiting())
        return await future

    async def _encode_waiting(self) -> None:
        """Encode all that waits, and what came meanwhile, until nothing waits."""
        await asyncio.sleep(0)  # lets the requests of this turn of the loop join
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                vectors = await asyncio.to_thread(self._encode, [text for text, _ in batch])
            except Exception as error:
                for _, future in batch:
                    future.set_exception(error)
                continue
            for (_, future), vector in zip(batch, vectors, strict=True):
                if not future.done():
                    future.set_result(vector)

    def _encode(self, texts: list[str]) -> np.ndarray:
        if self._encoder is None:
            self._encoder = SentenceEncoder(embedded_folder())
        return self._encoder.encode(texts)


def _phrases_of(label: str) -> list[str]:
    """`linear_algebra: matrices, vectors` as phrases: the name in words and the parts of the definition."""
    name, _, definition = label.partition(": ")
    return [name.replace("_", " "), *phrases(definition)]


def _completion(body: dict[str, Any], codes: list[str], probabilities: np.ndarray) -> dict[str, Any]:
    """A Chat Completions response with the most probable code and the log-probabilities of the codes."""
    order = np.argsort(-probabilities, kind="stable")
    top = [
        {"token": codes[position], "logprob": float(np.log(max(probabilities[position], 1e-30))), "bytes": None}
        for position in order
    ]
    content = [{**top[0], "top_logprobs": top[: body.get("top_logprobs", 0)]}]
    return {
        "id": "embedded",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": top[0]["token"], "refusal": None},
                "logprobs": {"content": content} if body.get("logprobs") else None,
                "finish_reason": "length",
            }
        ],
    }
