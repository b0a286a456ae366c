"""One OpenAI-compatible endpoint: the openai client, where its key comes from, and what its errors mean."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from labelrisk.annotators.limits import retry_after
from labelrisk.errors import LabelRiskError
from labelrisk.settings import AnnotateSettings, ChatAnnotator

if TYPE_CHECKING:
    import openai

REFUSED = (400, 413, 422)  # the request itself is wrong or too long
PAYMENT_REQUIRED = 402
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


class Endpoint:
    """Asks one endpoint, once for each call of `ask`: whoever calls decides about retries.

    Raises LabelRiskError for a key variable that is not set.
    """

    def __init__(self, annotator: ChatAnnotator, settings: AnnotateSettings, name: str) -> None:
        self._where = f"annotators.{name} ({annotator.model} at {annotator.base_url})"
        self._secret = secret_of(annotator, name)
        self._client = self._connect(annotator, annotator.timeout or settings.timeout)

    def _connect(self, annotator: ChatAnnotator, timeout: float) -> openai.AsyncOpenAI:
        import openai

        # retries are this project's own: those of the client would multiply with them, uncounted
        common: dict[str, Any] = {"timeout": timeout, "max_retries": 0, "default_query": annotator.extra_query}
        if annotator.base_url == EMBEDDED:
            import httpx2

            from labelrisk.annotators.embedded import EmbeddedTransport

            http_client = httpx2.AsyncClient(transport=EmbeddedTransport())
            return openai.AsyncOpenAI(api_key="none", base_url="http://embedded/v1", http_client=http_client, **common)
        if annotator.key_header and self._secret:
            common["default_headers"] = {annotator.key_header: self._secret, "Authorization": openai.Omit()}
        return openai.AsyncOpenAI(
            # without a key variable a word is sent instead, so that no key of the environment reaches another endpoint
            api_key=self._secret or "none",
            base_url=annotator.base_url,
            http_client=openai.DefaultAioHttpClient(),
            **common,
        )

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Send a request body as it is and return the body and the headers of the response.

        Raises RowRefused, NoAnswer, or LabelRiskError for what no other row would get past either.
        """
        response = await self.send("POST", "/chat/completions", body=request)
        return _completion(response.content), response.headers

    async def send(self, method: str, path: str, **options: Any) -> Any:
        """Any request of the API; returns the HTTP response.

        Raises as `ask` does.
        """
        import httpx2
        import openai

        # one level below `chat.completions.create`: what is sent is what the call key holds, and the walk through
        # typed messages and answers, which costs more than the rest of the request, is left out
        send: Any = {"POST": self._client.post, "GET": self._client.get}[method]
        try:
            return await send(path, cast_to=httpx2.Response, **options)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise LabelRiskError(
                f"{self._where} refused the key ({self._told(error)}); check the variable that api_key_env names"
            ) from None
        except openai.NotFoundError as error:
            raise LabelRiskError(
                f"{self._where} is not there ({self._told(error)}); check model and base_url in params.yaml"
            ) from None
        except openai.APIConnectionError as error:  # timeouts among them: a refused connection comes as one, too
            cause = error.__cause__ or error
            if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
                raise NoAnswer(f"can't be reached: {self._told(cause)}", "no connection") from None
            kind = "timeout" if isinstance(error, openai.APITimeoutError) else "connection lost"
            raise NoAnswer(f"{kind}: {self._told(cause)}", kind, maybe_paid=True) from None
        except openai.APIStatusError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: openai.APIStatusError) -> Exception:
        """What a status other than 200 means."""
        told, status, code = self._told(error), error.status_code, str(error.code or "")
        if status == PAYMENT_REQUIRED or code == "insufficient_quota":
            return LabelRiskError(f"{self._where} wants to be paid first ({told}); add credit")
        if status in REFUSED:
            return RowRefused(told, filtered=code == "content_filter")
        if status == 429:
            return NoAnswer(told, "rate limit", wait=retry_after(error.response.headers))
        return NoAnswer(told, "server error", wait=retry_after(error.response.headers) if status == 503 else None)

    def _told(self, error: BaseException) -> str:
        """What an error says, on one line, without the key."""
        text = " ".join(str(error).split()) or type(error).__name__
        return (text.replace(self._secret, "***") if self._secret else text)[:300]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def endpoint_name(annotator: ChatAnnotator) -> str:
    """What stands for the endpoint in a call key."""
    if annotator.base_url == EMBEDDED:
        from labelrisk.annotators.embedded import REVISION

        return f"{EMBEDDED}/{REVISION}"
    query = f"?{urlencode(sorted(annotator.extra_query.items()))}" if annotator.extra_query else ""
    return annotator.base_url.rstrip("/") + query


def _completion(content: bytes) -> dict[str, Any]:
    """The response body, whatever it says, if it is a chat completion at all."""
    try:
        response: dict[str, Any] = json.loads(content)
        response["choices"][0]["message"].keys()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("the answer was broken or no chat completion", "broken answer", maybe_paid=True) from None
    return response


def secret_of(annotator: ChatAnnotator, name: str) -> str | None:
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
    return secret
