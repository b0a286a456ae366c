"""One OpenAI-compatible endpoint: the openai client, where its key comes from, and what its errors mean."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from labelrisk.endpoints.rate_limiter import retry_after
from labelrisk.errors import LabelRiskError
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings

if TYPE_CHECKING:
    import httpx2

MAYBE_PAID = (408, *range(520, 528), 504)  # a gateway gave up; the model behind it may have answered
REFUSED = (400, 413, 422)  # the request itself is wrong or too long
PAYMENT_REQUIRED = 402
SECRET = 16  # characters from which on a key is one, not a word that may stand in an answer
SENT = {"authorization", "accept", "content-type", "user-agent"}  # headers
ACCOUNT = {"openai-organization", "openai-project"}
EMBEDDED = "embedded"  # the base_url of the model in this process


class RowRefused(Exception):
    """The endpoint will never answer this request (400, 413, 422).

    filtered: its content filter refused the text.
    """

    def __init__(self, reason: str, filtered: bool = False) -> None:
        super().__init__(reason)
        self.filtered = filtered


@dataclass
class NoAnswer(Exception):
    """No answer this time.

    reason: on one line; kind: `rate limit`, `server error`, `no connection`, `connection lost`, `timeout`
    or `broken answer`;
    maybe_paid: the endpoint may have answered and charged; wait: seconds that a refusal for speed asks for.
    """

    reason: str
    kind: str
    maybe_paid: bool = False
    wait: float | None = None


class NotThere(LabelRiskError):
    """The endpoint knows no such model, path, batch or file (404)."""


class Endpoint:
    """Asks one endpoint, once for each call of `ask`: whoever calls decides about retries.

    Raises LabelRiskError for a key variable that is not set.
    """

    def __init__(self, annotator: ChatSettings, settings: AnnotateSettings, name: str) -> None:
        import httpx2
        import openai

        self._where = f"annotators.{name} ({annotator.model} at {annotator.base_url})"
        self._secret = secret_of(annotator, name)
        timeout = annotator.timeout or settings.timeout
        # retries are this project's own: those of the client would multiply with them, uncounted
        common: dict[str, Any] = {"timeout": timeout, "max_retries": 0, "default_query": annotator.extra_query}
        if annotator.key_header and self._secret:
            common["default_headers"] = {annotator.key_header: self._secret, "Authorization": openai.Omit()}
        self._http: httpx2.AsyncClient = openai.DefaultAioHttpClient(follow_redirects=False)  # the key stays here
        base_url = annotator.base_url
        if base_url == EMBEDDED:
            from labelrisk.embedded_model.chat_transport import EmbeddedTransport

            base_url, self._http = "http://embedded/v1", httpx2.AsyncClient(transport=EmbeddedTransport())
        # without a key variable a word is sent instead, so that no key of the environment reaches another endpoint
        secret = self._secret or "none"
        self._client = openai.AsyncOpenAI(api_key=secret, base_url=base_url, http_client=self._http, **common)
        told = self._client.auth_headers | self._client.default_headers
        # of the environment's own headers none but the account's, and these to their owner only
        sent = SENT | {(annotator.key_header or "").lower()} | (ACCOUNT if "api.openai.com" in base_url else set())
        self._headers = [
            (word, value) for word, value in told.items() if isinstance(value, str) and word.lower() in sent
        ]
        self._url = self._url_of("chat/completions", annotator.extra_query)
        self._longest = None if annotator.base_url == EMBEDDED else timeout
        self._timeout = {"timeout": httpx2.Timeout(timeout).as_dict()}

    def _url_of(self, path: str, query: Mapping[str, str]) -> httpx2.URL:
        return self._client.base_url.join(path).copy_merge_params(query)

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Send a request body as it is and return the body and the headers of the response.

        Raises RowRefused, NoAnswer, or LabelRiskError for what no other row would get past either.
        """
        import httpx2

        # by the client's HTTP layer: what is sent is what the call key holds, and the building of typed requests and
        # answers, which costs more than all else together, is left out
        content = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            sent = httpx2.Request("POST", self._url, headers=self._headers, content=content, extensions=self._timeout)
            async with asyncio.timeout(self._longest):  # the client's own limits are on single reads
                response = await self._http.send(sent)
        except TimeoutError:
            raise NoAnswer(f"timeout: no answer in {self._longest:g} s", "timeout", maybe_paid=True) from None
        except httpx2.HTTPError as error:
            raise self._no_answer(error) from None
        if response.status_code != 200:
            raise self._refusal(response)
        content = response.content
        if self._secret and len(self._secret) >= SECRET:  # some proxies answer with the headers of the request
            content = content.replace(self._secret.encode(), b"***")
        return _completion(content), response.headers

    async def send(self, method: str, path: str, **options: Any) -> Any:
        """Any request of the API, by the openai client; returns the HTTP response.

        Raises as `ask` does.
        """
        import httpx2
        import openai

        send: Any = {"POST": self._client.post, "GET": self._client.get}[method]
        try:
            return await send(path, cast_to=httpx2.Response, **options)
        except openai.APIConnectionError as error:
            raise self._no_answer(error.__cause__ or error) from None
        except openai.APIStatusError as error:
            raise self._refusal(error.response) from None

    def _no_answer(self, error: BaseException) -> NoAnswer:
        """What a failure of the connection means."""
        import aiohttp
        import httpx2

        told = self._told(str(error) or type(error).__name__)
        # by its cause: the client calls a refused connection and one that ends after the request was sent alike
        cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError | TimeoutError) else error
        not_sent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
        if isinstance(cause, (*not_sent, httpx2.ConnectError, httpx2.UnsupportedProtocol)):
            return NoAnswer(f"can't be reached: {told}", "no connection")
        kind = "timeout" if isinstance(cause, TimeoutError | httpx2.TimeoutException) else "connection lost"
        return NoAnswer(f"{kind}: {told}", kind, maybe_paid=True)

    def _refusal(self, response: httpx2.Response) -> Exception:
        """What a status other than 200 means."""
        status, headers = response.status_code, response.headers
        message, code = _error_of(response)
        told = self._told(f"status {status}: {message}")
        if status in (401, 403):
            return LabelRiskError(f"{self._where} refused the key ({told}); check the variable that api_key_env names")
        if 300 <= status < 400:
            place = headers.get("location", "nowhere")
            return LabelRiskError(f"{self._where} sends us on to {self._told(place)}; correct base_url in params.yaml")
        if status == 404:
            return NotThere(f"{self._where} is not there ({told}); check model and base_url in params.yaml")
        if status == PAYMENT_REQUIRED or code == "insufficient_quota":
            return LabelRiskError(f"{self._where} wants to be paid first ({told}); add credit")
        if status in REFUSED:
            return RowRefused(told, filtered=code == "content_filter")
        if status == 429:
            return NoAnswer(told, "rate limit", wait=retry_after(headers))
        wait = retry_after(headers) if status == 503 else None
        return NoAnswer(told, "server error", maybe_paid=status in MAYBE_PAID, wait=wait)

    def _told(self, text: str) -> str:
        """What an error says, on one line, without the key."""
        text = " ".join(text.split())
        return (text.replace(self._secret, "***") if self._secret else text)[:300]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _error_of(response: httpx2.Response) -> tuple[str, str]:
    """Message and code of an error's body, in whatever form it comes."""
    try:
        content = json.loads(response.content)
    except ValueError:
        return response.text, ""
    error = content.get("error", content) if isinstance(content, dict) else content
    if not isinstance(error, dict):
        return str(error), ""
    return str(error.get("message") or error), str(error.get("code") or "")


def endpoint_name(annotator: ChatSettings) -> str:
    """What stands for the endpoint in a call key."""
    if annotator.base_url == EMBEDDED:
        from labelrisk.embedded_model.chat_transport import REVISION

        return f"{EMBEDDED}/{REVISION}"
    query = f"?{urlencode(sorted(annotator.extra_query.items()))}" if annotator.extra_query else ""
    return annotator.base_url.rstrip("/") + query


def _completion(content: bytes) -> dict[str, Any]:
    """The response body, whatever it says, if it is a chat completion at all."""
    try:
        response = json.loads(content)
    except ValueError:
        response = None
    return completion_of(response)


def completion_of(response: Any) -> dict[str, Any]:
    """The response, whatever it says, if it is a chat completion at all; a `usage` that is none is left out.

    Raises NoAnswer.
    """
    try:
        response["choices"][0]["message"].keys()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("the answer was broken or no chat completion", "broken answer", maybe_paid=True) from None
    return dict(response) if _counts_tokens(response.get("usage")) else {**response, "usage": None}


def _counts_tokens(usage: Any) -> bool:
    """Whether a `usage` is what the API says: numbers, or null."""
    if not isinstance(usage, dict):
        return usage is None
    details = usage.get("prompt_tokens_details")
    counts = [usage.get(word) for word in ("prompt_tokens", "completion_tokens", "total_tokens")]
    counts += [details.get("cached_tokens")] if isinstance(details, dict) else [details]
    return all(count is None or (isinstance(count, int) and count >= 0) for count in counts)


def secret_of(annotator: ChatSettings, name: str) -> str | None:
    """The API key from the environment variable that the annotator names, or None.

    Raises LabelRiskError when the variable is not set.
    """
    if annotator.api_key_env is None:
        return None
    secret = os.environ.get(annotator.api_key_env, "").strip()
    if not secret:
        raise LabelRiskError(
            f"params.yaml: annotators.{name}.api_key_env names the variable {annotator.api_key_env}, which is not set; "
            f"run `export {annotator.api_key_env}=...` first"
        )
    if not (secret.isascii() and secret.isprintable()):
        raise LabelRiskError(f"the variable {annotator.api_key_env} holds what is no key (odd characters); set it anew")
    return secret
