"""An answer of the call cache as a line of JSON, and back: the format of exports."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from labelrisk.cache.packing import response_bytes, response_of
from labelrisk.cache.redaction import Redaction
from labelrisk.cache.stored_answers import AnswerRow
from labelrisk.cache.template_finder import TemplateFinder
from labelrisk.cache.usage import usage_of
from labelrisk.errors import shown
from labelrisk.files import canonical_json

FIELDS = {"key", "endpoint", "model", "request", "sample", "response", "answered", "annotator", "cost"}
NO_EXPORT = "it is no line of an export"


def line_of(row: AnswerRow, redaction: Redaction) -> str:
    """The line of an answer that has no fault, without the secrets that older versions may have stored in it."""
    assert isinstance(row.response, bytes)
    whole = json.loads(row.prefix + json.dumps(row.text, ensure_ascii=False)[1:-1] + row.suffix)
    content = {
        "key": row.key.hex(),
        "endpoint": row.endpoint,
        "model": row.model,
        "request": whole["request"],
        "sample": whole.get("sample", 0),
        "response": redaction.value(response_of(row.response)),
        "answered": datetime.fromtimestamp(row.answered, UTC).isoformat(),
        "annotator": row.annotator,
        "cost": row.cost,
    }
    return json.dumps(content) + "\n"  # ASCII: texts hold characters that some programs end a line at


def answer_of(number: int, line: bytes, templates: TemplateFinder) -> AnswerRow | str:
    """The answer of a line, or what is wrong with it; templates: those of the lines before."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return NO_EXPORT
    try:
        return _row(number, content, templates)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return f"a value can't be read ({shown(error)})"


def _row(number: int, content: Any, templates: TemplateFinder) -> AnswerRow | str:
    """Raises TypeError, ValueError or OverflowError for values that are none."""
    if not isinstance(content, dict) or FIELDS - content.keys():
        return NO_EXPORT
    request, response, sample, cost = (content[name] for name in ("request", "response", "sample", "cost"))
    endpoint, model, annotator = content["endpoint"], content["model"], content["annotator"]
    if not (isinstance(endpoint, str) and isinstance(model, str) and isinstance(request, dict)):
        return "its endpoint, model or request is none"
    if isinstance(sample, bool) or not isinstance(sample, int) or sample < 0:
        return "its sample is no index"
    if cost is not None and (isinstance(cost, bool) or not 0 <= float(cost) < math.inf):
        return "its cost is no amount"
    if not (annotator is None or isinstance(annotator, str)) or not isinstance(response, dict):
        return "its annotator or its response is none"
    answered = datetime.fromisoformat(content["answered"])
    answered = answered if answered.tzinfo else answered.replace(tzinfo=UTC)
    whole = canonical_json({"endpoint": endpoint, "request": request} | ({"sample": sample} if sample else {}))
    prefix, text, suffix = templates.parts((endpoint, model, annotator, sample), whole)
    usage = usage_of(response)
    return AnswerRow(
        id=number,
        key=bytes.fromhex(content["key"]),
        endpoint=endpoint,
        model=model,
        prefix=prefix,
        suffix=suffix,
        text=text,
        response=response_bytes(response),
        answered=int(answered.timestamp()),
        annotator=annotator,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cost=None if cost is None else float(cost),
    )
