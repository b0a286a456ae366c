"""What keeps texts of others from doing anything on the page: its policy, JSON that no tag ends, texts made visible."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from labelrisk.printing import printable

# what would end a script, begin a comment or an entity, or end a line in a script
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """The Content-Security-Policy: these scripts and styles run, by their hashes, nothing else does, nothing is loaded.

    Data pictures are allowed: the icon of the page is one.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_source, scripts))}",
            f"style-src {' '.join(map(_source, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def script_json(content: Any) -> str:
    """JSON that stands in a script element: no text in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate({ord(character): escape for character, escape in ESCAPES.items()})


def visible(text: str) -> str:
    """The text with what is not shown as escapes: controls, NUL, marks that turn the direction of writing."""
    return printable(text.replace("\r\n", "\n"))


def _source(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
