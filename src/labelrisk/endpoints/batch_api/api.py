"""The Batch API of an OpenAI-compatible endpoint: files of requests go up, files of answers come down."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from typing import IO, Any

from labelrisk.endpoints.endpoint import (
    MAYBE_PAID,
    REFUSED,
    SECRET,
    Endpoint,
    NoAnswer,
    NotThere,
    RowRefused,
    completion_of,
    secret_of,
)
from labelrisk.errors import LabelRiskError
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings

URL = "/v1/chat/completions"
WINDOW = "24h"  # the only one there is
MARK = "labelrisk"  # the word in a batch's metadata that holds its token
FILE_TIMEOUT = 600.0  # seconds without a byte of a file
NOBODY = "refused to all"  # kind of a failure that no other request would get past
FIRST_PAUSE = 0.5  # seconds after a request that failed; doubles
LONGEST_PAUSE = 60.0
PAGE = 100  # batches in one answer
EARLIER = 86400.0  # seconds by which the clocks of endpoint and this machine may differ

Batch = dict[str, Any]
Outcome = dict[str, Any] | RowRefused | NoAnswer


class EndpointSilent(LabelRiskError):
    """The endpoint has not answered for longer than patience."""


class BatchApi:
    """Batches of one annotator; all but `create` are tried again until patience ends.

    Raises LabelRiskError for what stands in the way of all batches, RowRefused for what it finds wrong with one.
    """

    def __init__(self, name: str, annotator: ChatSettings, settings: AnnotateSettings) -> None:
        self.where = f"annotators.{name} ({annotator.model} at {annotator.base_url})"
        self._endpoint = Endpoint(annotator, settings, name)
        self._secret = secret_of(annotator, name)
        self.patience = settings.patience

    async def upload(self, token: str, file: IO[bytes]) -> str:
        """Send a file of requests; returns its id."""
        part = (f"{MARK}-{token}.jsonl", file, "application/jsonl")
        options = {"headers": {"Content-Type": "multipart/form-data"}, "timeout": FILE_TIMEOUT}
        sent: dict[str, Any] = {"body": {"purpose": "batch"}, "files": [("file", part)], "options": options}
        try:
            return str((await self._patiently("POST", "/files", file, **sent))["id"])
        except NotThere as error:
            raise self._none(error) from None

    async def create(self, file_id: str, token: str) -> Batch:
        """Create a batch, trying once.

        Raises NoAnswer when it may or may not have been created.
        """
        body = {"input_file_id": file_id, "endpoint": URL, "completion_window": WINDOW, "metadata": {MARK: token}}
        try:
            return self._parsed((await self._endpoint.send("POST", "/batches", body=body)).content)
        except NotThere as error:
            raise self._none(error) from None

    async def find(self, token: str, since: float) -> Batch | None:
        """The batch with a token, created since then, or None."""
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            page = await self._patiently("GET", "/batches", options={"params": query})
            batches = page.get("data") or []
            for batch in batches:
                if (batch.get("metadata") or {}).get(MARK) == token:
                    return dict(batch)
            # newest first
            if not page.get("has_more") or not batches or (batches[-1].get("created_at") or since) < since - EARLIER:
                return None
            query["after"] = batches[-1]["id"]

    async def get(self, batch: str) -> Batch:
        """A batch as it stands.

        Raises NotThere.
        """
        return dict(await self._patiently("GET", f"/batches/{batch}"))

    async def content(self, file_id: str) -> bytes:
        """A file.

        Raises NotThere.
        """
        options = {"timeout": FILE_TIMEOUT}
        content = bytes(await self._patiently("GET", f"/files/{file_id}/content", parsed=False, options=options))
        if self._secret and len(self._secret) >= SECRET:  # as in other answers
            content = content.replace(self._secret.encode(), b"***")
        return content

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    def told(self, text: str) -> str:
        """What the endpoint says, on one line, without the key."""
        text = " ".join(text.split())
        return (text.replace(self._secret, "***") if self._secret else text)[:300]

    def outcomes(self, content: bytes) -> Iterator[tuple[bytes, Outcome]]:
        """Key and outcome of each line of a file of answers or errors; broken lines are left out."""
        for line in io.BytesIO(content):
            try:
                read = json.loads(line)
                key = bytes.fromhex(read["custom_id"])
                response, error = read.get("response") or {}, read.get("error") or {}
                yield key, self._outcome(response.get("status_code"), response.get("body"), error)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def _outcome(self, status: int | None, body: Any, error: dict[str, Any]) -> Outcome:
        if status == 200:
            try:
                return completion_of(body)
            except NoAnswer as broken:
                return broken
        found = error or (body.get("error") if isinstance(body, dict) else None) or {}
        code = str(found.get("code") or "") if isinstance(found, dict) else ""
        message = str(found.get("message") or found) if isinstance(found, dict) else str(found)
        told = self.told(f"status {status}: {message}" if status else message)
        if status in (401, 402, 403, 404) or code == "insufficient_quota":  # no other request would get past it either
            return NoAnswer(told, NOBODY)
        if status in REFUSED:
            return RowRefused(told, filtered=code == "content_filter")
        if status is None:  # expired or cancelled before its turn
            return NoAnswer(told, code.removeprefix("batch_") or "no status")
        return NoAnswer(told, "rate limit" if status == 429 else "server error", status in MAYBE_PAID)

    async def _patiently(
        self, method: str, path: str, file: IO[bytes] | None = None, parsed: bool = True, **sent: Any
    ) -> Any:
        """Raises EndpointSilent."""
        started, pause = time.monotonic(), FIRST_PAUSE
        while True:
            if file is not None:
                file.seek(0)
            try:
                content = (await self._endpoint.send(method, path, **sent)).content
                return self._parsed(content) if parsed else content
            except NoAnswer as error:
                if time.monotonic() - started > self.patience:
                    raise self.gone(error) from None
                await asyncio.sleep(pause if error.wait is None else max(pause, error.wait))
                pause = min(LONGEST_PAUSE, 2 * pause)

    def gone(self, error: NoAnswer) -> EndpointSilent:
        """The sentence about an endpoint that can't be reached."""
        return EndpointSilent(
            f"{self.where} gives no answers ({error.reason}); batches go on there and every answer so far is stored: "
            "check the connection and run again to fetch the rest"
        )

    def _parsed(self, content: bytes) -> dict[str, Any]:
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise NoAnswer("the answer was no JSON object", "broken answer", maybe_paid=True)
        return parsed

    def _none(self, error: LabelRiskError) -> LabelRiskError:
        return LabelRiskError(f"{self.where} takes no batches ({error}); set mode: requests in params.yaml")
