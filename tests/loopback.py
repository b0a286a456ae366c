"""A Chat Completions server on loopback that answers by a script and keeps a ledger of what it answered."""

from __future__ import annotations

import json
import math
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INPUT = re.compile(r"Input:\n<text>\n(.*?)\n</text>", re.DOTALL)
DROPPED = 0  # status: the connection ends without an answer
LOST = -200  # status: answered and charged as 200, but the connection ends before any of it is sent
CUT = -201  # status: as LOST, but the first half is sent
ASKED = "loopback"  # model of a response: stands for the one that the request names


# Status and a JSON body, or raw bytes; and headers, perhaps.  Status: also DROPPED, LOST, CUT.
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class Ledger:
    """What the server saw: bodies, headers, and how often it answered 200 for each text.

    whole: of these answers, those that were sent to the end and are JSON; texts, times: of each request, in the order
    of arrival; in_flight: requests that have no answer yet; tokens: prompt and completion tokens of all answers.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered: Counter[str] = Counter()
        self.whole: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.texts: list[str] = []
        self.times: list[float] = []
        self.in_flight = 0
        self.tokens = [0, 0]
        self.lock = threading.Lock()
        self.url = ""
        self.got: list[tuple[str, dict[str, str]]] = []  # paths and headers of requests that cost nothing
        self.get: Callable[[str], Reply] = lambda path: (404, {"error": {"message": "no such path"}})
        self.down: Callable[[], None] = lambda: None  # stops listening and hangs up
        self.up: Callable[[], None] = lambda: None  # listens again on the same port

    @property
    def paid(self) -> int:
        """Answers that were charged."""
        return sum(self.answered.values())

    @property
    def paid_twice(self) -> int:
        """Answers beyond the first for each text."""
        return sum(number - 1 for number in self.answered.values() if number)


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
        "model": ASKED,
        "choices": [{"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"} | choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }


@contextmanager
def served(reply: Callable[[str, int], Reply]) -> Iterator[Ledger]:
    """Serve `reply(text, how many requests came for it before)` until the block ends."""
    ledger = Ledger()
    seen: Counter[str] = Counter()
    connections: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet

        def setup(self) -> None:
            super().setup()
            connections.add(self.request)

        def finish(self) -> None:
            connections.discard(self.request)
            with suppress(OSError):  # the client has hung up
                super().finish()

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = INPUT.search(body["messages"][min(1, len(body["messages"]) - 1)]["content"])
            text = found.group(1) if found else ""
            with ledger.lock:
                ledger.bodies.append(body)
                ledger.headers.append(dict(self.headers))
                ledger.texts.append(text)
                ledger.times.append(time.monotonic())
                ledger.in_flight += 1
                before = seen[text]
                seen[text] += 1
            try:
                self.send(body, text, *reply(text, before))
            finally:
                with ledger.lock:
                    ledger.in_flight -= 1

        def do_GET(self) -> None:
            with ledger.lock:
                ledger.got.append((self.path, dict(self.headers)))
            status, content, *headers = ledger.get(self.path)
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **(headers[0] if headers else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def send(
            self, body: dict[str, Any], text: str, status: int, content: Any, headers: dict[str, str] | None = None
        ) -> None:
            if isinstance(content, dict) and content.get("model") == ASKED:
                content = content | {"model": body["model"]}
            charged = status in (200, LOST, CUT)
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            with ledger.lock:
                ledger.statuses[status] += 1
                ledger.answered[text] += charged
                ledger.whole[text] += status == 200 and _is_json(payload)
                if charged and isinstance(content, dict):
                    usage = content.get("usage")
                    for place, word in enumerate(("prompt_tokens", "completion_tokens")):
                        tokens = usage.get(word) if isinstance(usage, dict) else 0
                        ledger.tokens[place] += tokens if isinstance(tokens, int) else 0
            if status in (DROPPED, LOST):
                self.close_connection = True
                return
            self.send_response(200 if status == CUT else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            if status == 429 and headers is None:
                headers = {"Retry-After": "0.01"}
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload[: len(payload) // 2] if status == CUT else payload)
            self.wfile.flush()
            self.close_connection |= status == CUT

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    running: list[Server] = []

    port = 0  # any at first

    def up() -> None:
        nonlocal port
        server = Server(("127.0.0.1", port), Handler)
        port = server.server_address[1]
        ledger.url = f"http://127.0.0.1:{port}/v1"
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def down() -> None:
        server = running.pop()
        server.shutdown()
        server.server_close()
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    ledger.up, ledger.down = up, down
    up()
    try:
        yield ledger
    finally:
        if running:
            down()


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True
