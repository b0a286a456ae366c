"""The Batch API of an OpenAI-compatible endpoint: files of requests go up, files of answers come down."""

from __future__ import annotations

import asyncio
import json
import time
from typing import IO, Any

from labelrisk.endpoints.endpoint import Endpoint
from labelrisk.endpoints.failures import NoAnswer, NotThere
from labelrisk.errors import LabelRiskError
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings

URL = "/v1/chat/completions"
WINDOW = "24h"  # the only one there is
METADATA_KEY = "labelrisk"  # where a batch's metadata hold its token
FILE_TIMEOUT = 600.0  # seconds without a byte of a file
FIRST_PAUSE = 0.5  # seconds after a request that failed; doubles
LONGEST_PAUSE = 60.0
PAGE = 100  # batches in one answer
CLOCK_DIFFERENCE = 86400.0  # seconds by which the clocks of endpoint and this machine may differ

Batch = dict[str, Any]


class EndpointSilent(LabelRiskError):
    """The endpoint has not answered for longer than patience."""


class BatchApi:
    """Batches of one annotator; all but `create` are tried again until patience ends.

    Raises LabelRiskError for what stands in the way of all batches, RowRefused for what it finds wrong with one.
    """

    def __init__(self, name: str, annotator: ChatSettings, settings: AnnotateSettings) -> None:
        self._endpoint = Endpoint(annotator, settings, name)
        self.description = self._endpoint.description
        self.api_key = self._endpoint.api_key
        self.patience = settings.patience

    async def upload(self, token: str, file: IO[bytes]) -> str:
        """Send a file of requests; returns its id."""
        part = (f"{METADATA_KEY}-{token}.jsonl", file, "application/jsonl")
        options = {"headers": {"Content-Type": "multipart/form-data"}, "timeout": FILE_TIMEOUT}
        sent: dict[str, Any] = {"body": {"purpose": "batch"}, "files": [("file", part)], "options": options}
        try:
            return str((await self._send_until_answered("POST", "/files", file, **sent))["id"])
        except NotThere as error:
            raise self._no_batches(error) from None

    async def create(self, file_id: str, token: str) -> Batch:
        """Create a batch, trying once.

        Raises NoAnswer when it may or may not have been created.
        """
        metadata = {METADATA_KEY: token}
        body = {"input_file_id": file_id, "endpoint": URL, "completion_window": WINDOW, "metadata": metadata}
        try:
            return _parsed((await self._endpoint.send("POST", "/batches", body=body)).content)
        except NotThere as error:
            raise self._no_batches(error) from None

    async def find(self, token: str, since: float) -> Batch | None:
        """The batch with a token, created since then, or None."""
        query: dict[str, Any] = {"limit": PAGE}
        oldest = since - CLOCK_DIFFERENCE
        while True:
            page = await self._send_until_answered("GET", "/batches", options={"params": query})
            batches = page.get("data") or []
            for batch in batches:
                if (batch.get("metadata") or {}).get(METADATA_KEY) == token:
                    return dict(batch)
            # newest first
            if not page.get("has_more") or not batches or (batches[-1].get("created_at") or since) < oldest:
                return None
            query["after"] = batches[-1]["id"]

    async def get(self, batch: str) -> Batch:
        """A batch as it stands.

        Raises NotThere.
        """
        return dict(await self._send_until_answered("GET", f"/batches/{batch}"))

    async def content(self, file_id: str) -> bytes:
        """A file.

        Raises NotThere.
        """
        path, options = f"/files/{file_id}/content", {"timeout": FILE_TIMEOUT}
        content = bytes(await self._send_until_answered("GET", path, parsed=False, options=options))
        return self.api_key.hidden_in_content(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    def silent(self, error: NoAnswer) -> EndpointSilent:
        """The sentence about an endpoint that can't be reached."""
        return EndpointSilent(
            f"{self.description} gives no answers ({error.reason}); batches go on there and every answer so far is "
            "stored: check the connection and run again to fetch the rest"
        )

    def _no_batches(self, error: NotThere) -> LabelRiskError:
        return LabelRiskError(f"{self.description} takes no batches ({error}); set mode: requests in params.yaml")

    async def _send_until_answered(
        self, method: str, path: str, file: IO[bytes] | None = None, parsed: bool = True, **sent: Any
    ) -> Any:
        """Raises EndpointSilent."""
        started, pause = time.monotonic(), FIRST_PAUSE
        while True:
            if file is not None:
                file.seek(0)
            try:
                content = (await self._endpoint.send(method, path, **sent)).content
                return _parsed(content) if parsed else content
            except NoAnswer as error:
                if time.monotonic() - started > self.patience:
                    raise self.silent(error) from None
                await asyncio.sleep(pause if error.wait is None else max(pause, error.wait))
                pause = min(LONGEST_PAUSE, 2 * pause)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise NoAnswer("the answer was no JSON object", "broken answer", maybe_paid=True)
    return parsed
