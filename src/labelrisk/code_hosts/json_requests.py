"""Requests of JSON with a token that reaches the host it is for, and no message."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from labelrisk.errors import LabelRiskError, shown

SECONDS = 30.0  # for one answer
PAGE = 100  # of a list: as many as both hosts give


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who is sent elsewhere would take the token there."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class JsonRequests:
    """Requests below one address, each with the same headers.

    what: the host, as it is named in messages; allow: what to do where it refuses.
    """

    def __init__(self, what: str, base: str, headers: Mapping[str, str], allow: str) -> None:
        self._what, self._base, self._headers, self._allow = what, base.rstrip("/"), dict(headers), allow
        self._opener = urllib.request.build_opener(_NoRedirects)

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """The JSON that the host answers.

        Raises LabelRiskError for every other answer, with the host's own message, and where there is none.
        """
        what = f"{method} {path.partition('?')[0]}"
        body = None if content is None else json.dumps(content).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        try:
            request = urllib.request.Request(self._base + path, body, headers, method=method)
            with self._opener.open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            said = _message(error.read(2000))
            advice = self._allow if error.code in (401, 403, 404) else "run the job again"
            raise LabelRiskError(f"{self._what} answers {error.code}{said} to {what}; {advice}") from None
        except (OSError, HTTPException, ValueError) as error:  # no answer, half of one, no JSON, no address
            reason = shown(getattr(error, "reason", None) or error, 200)
            raise LabelRiskError(f"{self._what} gives no answer to {what} ({reason}); run the job again") from None

    def pages(self, path: str) -> Iterator[Any]:
        """All items of a list, page by page."""
        number = 1
        while items := self.ask("GET", f"{path}?per_page={PAGE}&page={number}"):
            yield from items
            if len(items) < PAGE:
                return
            number += 1


def _message(body: bytes) -> str:
    try:
        said = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError):
        return ""
    return f" ({shown(said, 120)})"
