"""A Chat Completions server on loopback that answers by a script and keeps a ledger of what it answered."""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INPUT = re.compile(r"Input:\n<text>\n(.*?)\n</text>", re.DOTALL)


class Ledger:
    """What the server saw: bodies, headers, and how often it answered 200 for each text."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.url = ""


def completion(token: str, top: dict[str, float] | None = None, **choice: Any) -> dict[str, Any]:
    """A response whose answer is `token`, with log-probabilities of `top` (probabilities)."""
    logprobs = None
    if top is not None:
        entries = [{"token": name, "logprob": math.log(p), "bytes": None} for name, p in top.items()]
        logprobs = {"content": [{"token": token, "logprob": 0.0, "bytes": None, "top_logprobs": entries}]}
    message = {"role": "assistant", "content": token, "refusal": None}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "loopback",
        "choices": [{"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"} | choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }


Reply = tuple[int, Any]  # status and a JSON body, or raw bytes; status 0 drops the connection


@contextmanager
def served(reply: Callable[[str, int], Reply]) -> Iterator[Ledger]:
    """Serve `reply(text, how many requests came for it before)` until the block ends."""
    ledger = Ledger()
    seen: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = INPUT.search(body["messages"][1]["content"])
            text = found.group(1) if found else ""
            with ledger.lock:
                ledger.bodies.append(body)
                ledger.headers.append(dict(self.headers))
                before = seen[text]
                seen[text] += 1
            status, content = reply(text, before)
            if status == 0:
                self.close_connection = True
                return
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            with ledger.lock:
                ledger.answered[text] += status == 200
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            if status == 429:
                self.send_header("Retry-After", "0.01")
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    ledger.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield ledger
    finally:
        server.shutdown()
        server.server_close()
