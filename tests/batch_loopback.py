"""The Batch API on loopback: files and batches over real HTTP, with a ledger of what was answered."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import INPUT

Reply = Callable[[str, int], tuple[int, Any]]


class BatchServer:
    """What the server holds.

    answered: how often each custom_id was answered 200; ends: status and share of answered requests of the first,
    second, ... batch (later ones complete); hook: called at `upload`, `create`, `created`, `poll`, `content`, and may
    block, or return a status to answer with; listed_after: seconds until a new batch stands in the list.
    """

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.chats: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.ends: list[tuple[str, float]] = []
        self.polls = 1
        self.hook: Callable[[str], int | None] = lambda point: None
        self.listed_after = 0.0
        self.page = 2
        self.lock = threading.RLock()

    def requests(self) -> list[list[dict[str, Any]]]:
        """The requests of each batch."""
        return [self._lines(batch) for batch in self.batches.values()]

    def _lines(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[batch["input_file_id"]].split(b"\n") if line]

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.batches)
        batch = {"id": f"batch_{number}", "object": "batch", "created_at": int(time.time()), "status": "validating"}
        batch |= {"made": time.monotonic(), "polled": 0, "output_file_id": None, "error_file_id": None}
        batch |= {"end": self.ends[number] if number < len(self.ends) else ("completed", 1.0)}
        total = len(self.files[body["input_file_id"]].splitlines())
        batch |= body | {"request_counts": {"total": total, "completed": 0, "failed": 0}}
        assert body["endpoint"] == "/v1/chat/completions"
        assert body["completion_window"] == "24h"
        self.batches[batch["id"]] = batch
        return batch

    def look(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        batch["polled"] += 1
        if batch["polled"] <= self.polls:
            batch["status"] = "in_progress"
        elif batch["status"] == "in_progress":
            self._finish(batch)
        return batch

    def _finish(self, batch: dict[str, Any]) -> None:
        batch["status"], share = batch["end"]
        lines = self._lines(batch)
        if batch["status"] == "failed":
            batch["errors"] = {"data": [{"code": "invalid", "line": 1, "message": "model not known sk-secret"}]}
            return
        answered = int(share * len(lines))
        output, errors = [], []
        for place, line in enumerate(lines):
            key, body = line["custom_id"], line["body"]
            assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
            if place >= answered:
                error = {"code": "batch_expired", "message": "This request could not be executed in time."}
                errors.append({"id": "r", "custom_id": key, "response": None, "error": error})
                continue
            text = INPUT.search(body["messages"][1]["content"]).group(1)
            status, content = self.reply(text, self.seen[key])
            self.seen[key] += 1
            if status == -1:  # left out
                continue
            self.answered[key] += status == 200
            response = {"status_code": status, "request_id": "q", "body": content}
            (output if status == 200 else errors).append({"id": "r", "custom_id": key, "response": response})
        random.Random(0).shuffle(output)
        for word, rows in (("output_file_id", output), ("error_file_id", errors)):
            if rows:
                batch[word] = f"{word}-{batch['id']}"
                self.files[batch[word]] = "".join(json.dumps(row) + "\n" for row in rows).encode()

    def page_after(self, after: str | None) -> dict[str, Any]:
        now = time.monotonic()
        batches = [one for one in reversed(self.batches.values()) if now - one["made"] >= self.listed_after]
        names = [one["id"] for one in batches]
        start = names.index(after) + 1 if after else 0
        return {"data": batches[start : start + self.page], "has_more": start + self.page < len(batches)}


@contextmanager
def served_batches(reply: Reply) -> Iterator[BatchServer]:
    """Serve until the block ends."""
    state = BatchServer(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else b""
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                while size := int(self.rfile.readline(), 16):
                    content += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            state.headers.append({word.lower(): value for word, value in self.headers.items()})
            if self.path == "/v1/files":
                if status := state.hook("upload"):
                    return self._answer(status, {"error": {"message": "no sk-secret"}})
                boundary = self.headers["Content-Type"].split("boundary=")[1].encode()
                parts = content.split(b"--" + boundary)
                assert any(b'name="purpose"' in part and part.rstrip().endswith(b"batch") for part in parts)
                part = next(part for part in parts if b"filename=" in part)
                with state.lock:
                    name = f"file-{len(state.files)}"
                    state.files[name] = part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
                return self._answer(200, {"id": name, "object": "file"})
            if self.path == "/v1/batches":
                if status := state.hook("create"):
                    return self._answer(status, {"error": {"message": "no"}})
                with state.lock:
                    batch = state.create(json.loads(content))
                return self._answer(state.hook("created") or 200, batch)
            body = json.loads(content)
            state.chats.append(body)
            return self._answer(*state.reply(INPUT.search(body["messages"][1]["content"]).group(1), 0))

        def do_GET(self) -> None:
            path, _, query = self.path.removeprefix("/v1").partition("?")
            parts = path.strip("/").split("/")
            if parts == ["batches"]:
                after = dict(word.split("=") for word in query.split("&")).get("after")
                return self._answer(200, state.page_after(after))
            if parts[0] == "batches":
                if status := state.hook("poll"):
                    return self._answer(status, {"error": {"message": "no"}})
                with state.lock:
                    known = parts[1] in state.batches
                    return self._answer(200 if known else 404, state.look(parts[1]) if known else {})
            if status := state.hook("content"):
                return self._answer(status, {"error": {"message": "no"}})
            return self._answer(200, state.files[parts[1]])

        def _answer(self, status: int, content: Any) -> None:
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
