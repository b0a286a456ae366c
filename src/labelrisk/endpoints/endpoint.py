"""One OpenAI-compatible endpoint, asked by the openai client and its HTTP layer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from labelrisk.endpoints.api_key import ApiKey
from labelrisk.endpoints.completions import parsed_completion
from labelrisk.endpoints.failures import NoAnswer, connection_failure, refusal_of_response
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import EMBEDDED, ChatSettings

if TYPE_CHECKING:
    import httpx2


class Endpoint:
    """Asks one endpoint, once for each call of `ask`: whoever calls decides about retries.

    Raises LabelRiskError for a key variable that is not set.
    """

    def __init__(self, annotator: ChatSettings, settings: AnnotateSettings, name: str) -> None:
        import httpx2
        import openai

        self.description = f"annotators.{name} ({annotator.model} at {annotator.base_url})"
        self.api_key = ApiKey(annotator, name)
        timeout = annotator.timeout or settings.timeout
        # retries are this project's own: those of the client would multiply with them, uncounted
        options: dict[str, Any] = {"timeout": timeout, "max_retries": 0, "default_query": annotator.extra_query}
        self._http: httpx2.AsyncClient = openai.DefaultAioHttpClient(follow_redirects=False)  # the key stays here
        base_url = annotator.base_url
        if base_url == EMBEDDED:
            from labelrisk.embedded_model.chat_transport import EmbeddedTransport

            base_url, self._http = "http://embedded/v1", httpx2.AsyncClient(transport=EmbeddedTransport())
        options |= self.api_key.client_options()
        self._client = openai.AsyncOpenAI(base_url=base_url, http_client=self._http, **options)
        self._headers = self.api_key.headers_sent(self._client, base_url)
        self._url = self._client.base_url.join("chat/completions").copy_merge_params(annotator.extra_query)
        self._longest = None if annotator.base_url == EMBEDDED else timeout
        self._timeout = {"timeout": httpx2.Timeout(timeout).as_dict()}

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
            raise connection_failure(error, self.api_key) from None
        if response.status_code != 200:
            raise refusal_of_response(response, self.description, self.api_key)
        return parsed_completion(self.api_key.hidden_in_content(response.content)), response.headers

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
            raise connection_failure(error.__cause__ or error, self.api_key) from None
        except openai.APIStatusError as error:
            raise refusal_of_response(error.response, self.description, self.api_key) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def endpoint_name(annotator: ChatSettings) -> str:
    """What stands for the endpoint in a call key."""
    if annotator.base_url == EMBEDDED:
        from labelrisk.embedded_model.chat_transport import REVISION

        return f"{EMBEDDED}/{REVISION}"
    query = f"?{urlencode(sorted(annotator.extra_query.items()))}" if annotator.extra_query else ""
    return annotator.base_url.rstrip("/") + query
