"""The endpoints of chat annotators: key, reachability, and which models each lists; nothing that costs is asked."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from labelrisk.doctor.findings import Finding
from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.endpoints.endpoint import Endpoint
from labelrisk.endpoints.failures import TIMEOUT, NoAnswer, NotThere, RowRefused
from labelrisk.errors import nearest, shown
from labelrisk.settings.chat import EMBEDDED, ChatSettings

if TYPE_CHECKING:
    from labelrisk.settings.annotate import AnnotateSettings

NAMED = 4  # models in one sentence
MOST = 4 * 2**20  # bytes of a list of models


def endpoint_findings(name: str, annotator: ChatSettings, how: AnnotateSettings, seconds: float) -> list[Finding]:
    """Ask the endpoint of an annotator for its list of models (GET /models), once.

    Raises LabelRiskError for a key that is not set, or is refused, an address that is none, and for an embedded model
    that is absent or altered.
    """
    about = name
    if annotator.base_url == EMBEDDED:
        embedded_folder()
        return [Finding("ok", about, "the embedded model, in this process: no network, no key")]
    try:
        listed = asyncio.run(_models(name, annotator, how, seconds))
    except NotThere:
        says = f"{annotator.base_url} answers, but lists no models; `labelrisk probe` asks what it serves"
        return [Finding("ok", about, says)]
    except NoAnswer as failure:
        if failure.kind == TIMEOUT:
            says = f"{annotator.base_url} gave no answer within {seconds:g} s; see whether its server still loads"
        else:
            says = f"{annotator.base_url}: {failure.reason}; start its server, or correct base_url in params.yaml"
        return [Finding("fault", about, says)]
    except RowRefused as refused:
        says = f"{annotator.base_url} answers, but not about its models ({refused}); run `labelrisk probe`"
        return [Finding("look", about, says)]
    return [_compared(about, annotator, listed)]


async def _models(name: str, annotator: ChatSettings, how: AnnotateSettings, seconds: float) -> list[str] | None:
    """Names of models; None where what came is no list of them."""
    endpoint = Endpoint(annotator, how, name)
    try:
        content = await endpoint.send("GET", "models", seconds=seconds, most=MOST)
    finally:
        await endpoint.close()
    try:
        body: Any = json.loads(content)
        return [str(one["id"]) for one in body["data"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _compared(about: str, annotator: ChatSettings, listed: list[str] | None) -> Finding:
    key = f", with the key in {annotator.api_key_env}" if annotator.api_key_env else ""
    if listed is None:
        says = "answers, but what it says of its models is no list; is base_url in params.yaml that of an API (.../v1)?"
        return Finding("look", about, f"{annotator.base_url} {says}")
    if annotator.model in listed:
        others = f" and {len(listed) - 1:,} other models" if len(listed) > 2 else ""
        others = f" and {next(one for one in listed if one != annotator.model)}" if len(listed) == 2 else others
        says = f"{annotator.base_url} serves {shown(annotator.model)}{shown(others)}{key}{_capabilities(annotator)}"
        return Finding("ok" if annotator.serves is not None else "look", about, says)
    named = ", ".join(map(shown, listed[:NAMED])) + (f" and {len(listed) - NAMED:,} more" * (len(listed) > NAMED))
    says = f"{annotator.base_url} does not list {shown(annotator.model)}, but {named or 'nothing'}"
    hint = nearest(annotator.model, listed) if listed else ""
    todo = hint if hint.endswith("?") else "correct model in params.yaml, or let `labelrisk probe` try that name"
    return Finding("look", about, f"{says}{key}; {todo}")


def _capabilities(annotator: ChatSettings) -> str:
    """What `labelrisk probe` found, or that it did not look."""
    if annotator.serves is None:
        return "; run `labelrisk probe` to see whether it serves what the annotator asks for"
    return f"; [{', '.join(annotator.serves)}] by `labelrisk probe`"
