"""One OpenAI-compatible endpoint: the openai client, where its key comes from, and what its errors mean."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from labelrisk.errors import LabelRiskError
from labelrisk.settings import AnnotateSettings, ChatAnnotator

if TYPE_CHECKING:
    import openai

REFUSED = (400, 413, 422)  # the request itself is wrong or too long
PAYMENT_REQUIRED = 402
EMBEDDED = "embedded"  # the base_url of the model in this process


class RowRefused(Exception):
    """The endpoint will never answer this request (400, 413, 422): the row keeps the status `error`."""


class NoAnswer(Exception):
    """No answer after all retries (connection, 429, 5xx, broken JSON): ask again another time."""


class Endpoint:
    """Asks one endpoint.

    Raises LabelRiskError for a key variable that is not set.
    """

    def __init__(self, annotator: ChatAnnotator, settings: AnnotateSettings, key: str) -> None:
        self._where = f"annotators.{key} ({annotator.model} at {annotator.base_url})"
        self._secret = _secret_of(annotator, key)
        self._client = self._connect(annotator, settings)

    def _connect(self, annotator: ChatAnnotator, settings: AnnotateSettings) -> openai.AsyncOpenAI:
        import openai

        common: dict[str, Any] = {"timeout": settings.timeout, "max_retries": settings.retries}
        if annotator.base_url == EMBEDDED:
            import httpx2

            from labelrisk.annotators.embedded import EmbeddedTransport

            http_client = httpx2.AsyncClient(transport=EmbeddedTransport())
            return openai.AsyncOpenAI(api_key="none", base_url="http://embedded/v1", http_client=http_client, **common)
        return openai.AsyncOpenAI(
            # without a key variable a word is sent instead, so that no key of the environment reaches another endpoint
            api_key=self._secret or "none",
            base_url=annotator.base_url,
            http_client=openai.DefaultAioHttpClient(),
            **common,
        )

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request body as it is and return the response body.

        Raises RowRefused, NoAnswer, or LabelRiskError for what no other row would get past either.
        """
        import openai

        try:
            # the body goes in whole: what is sent is what the call key holds, and the SDK's walk through typed
            # messages, which costs more than the rest of the request, is left out
            raw = await self._client.chat.completions.with_raw_response.create(
                model=request["model"], messages=[], extra_body=request
            )
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise LabelRiskError(
                f"{self._where} refused the key ({self._told(error)}); check the variable that api_key_env names"
            ) from None
        except openai.NotFoundError as error:
            raise LabelRiskError(
                f"{self._where} is not there ({self._told(error)}); check model and base_url in params.yaml"
            ) from None
        except (openai.RateLimitError, openai.InternalServerError, openai.ConflictError) as error:
            raise NoAnswer(self._told(error)) from None
        except openai.APIConnectionError as error:
            raise NoAnswer(f"can't be reached: {self._told(error.__cause__ or error)}") from None
        except openai.APIStatusError as error:
            if error.status_code in REFUSED:
                raise RowRefused(self._told(error)) from None
            if error.status_code == PAYMENT_REQUIRED:
                raise LabelRiskError(
                    f"{self._where} wants to be paid first ({self._told(error)}); add credit"
                ) from None
            raise NoAnswer(self._told(error)) from None
        return _completion(raw.http_response.content)

    def _told(self, error: BaseException) -> str:
        """What an error says, on one line, without the key."""
        text = " ".join(str(error).split()) or type(error).__name__
        return (text.replace(self._secret, "***") if self._secret else text)[:300]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def endpoint_name(annotator: ChatAnnotator) -> str:
    """What stands for the endpoint in a call key."""
    if annotator.base_url != EMBEDDED:
        return annotator.base_url.rstrip("/")
    from labelrisk.annotators.embedded import REVISION

    return f"{EMBEDDED}/{REVISION}"


def _completion(content: bytes) -> dict[str, Any]:
    """The response body, whatever it says, if it is a chat completion at all."""
    try:
        response: dict[str, Any] = json.loads(content)
        response["choices"][0]["message"].keys()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("the answer was broken or no chat completion") from None
    return response


def _secret_of(annotator: ChatAnnotator, key: str) -> str | None:
    """The API key from the environment variable that the annotator names, or None.

    Raises LabelRiskError when the variable is not set.
    """
    if annotator.api_key_env is None:
        return None
    secret = os.environ.get(annotator.api_key_env, "").strip()
    if not secret:
        raise LabelRiskError(
            f"params.yaml: annotators.{key}.api_key_env names the variable {annotator.api_key_env}, which is not set; "
            f"run `export {annotator.api_key_env}=...` first"
        )
    return secret
