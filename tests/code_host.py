"""A server on loopback that plays the comments of GitHub and GitLab: it keeps them, and checks the token."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-a-test"
GITHUB = re.compile(r"/repos/me/study/issues/(?:7/comments|comments/(\d+))")
GITLAB = re.compile(r"/projects/5/merge_requests/7/notes(?:/(\d+))?")


class Host:
    """comments: as the host keeps them; requests: methods and paths; refuse: a status that writing gets, perhaps."""

    def __init__(self) -> None:
        self.url = ""
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.refuse: int | None = None
        self.redirect: str | None = None
        self.headers: list[dict[str, str]] = []

    def add(self, text: str, login: str = "github-actions[bot]", account: int = 3) -> dict[str, Any]:
        """A comment of somebody."""
        place = f"https://github.com/me/study/pull/7#issuecomment-{len(self.comments) + 1}"
        one = {"id": len(self.comments) + 1, "body": text, "user": {"login": login}, "html_url": place}
        self.comments.append(one | {"author": {"id": account}, "system": False})
        return self.comments[-1]


@contextmanager
def code_host() -> Iterator[Host]:
    """The host, until the block ends."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            host.requests.append(f"{self.command} {parts.path}")
            host.headers.append(dict(self.headers))
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
            self.send(*self.answered(parts.path, parse_qs(parts.query), body))

        do_GET = do_POST = do_PATCH = do_PUT = answer

        def answered(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
            if host.redirect:
                return 302, {}
            if TOKEN not in (self.headers.get("PRIVATE-TOKEN"), (self.headers.get("Authorization") or "")[7:]):
                return 401, {"message": "Bad credentials"}
            if path == "/user":
                return 200, {"id": 3}
            found = GITHUB.fullmatch(path) or GITLAB.fullmatch(path)
            if not found:
                return 404, {"message": "Not Found"}
            if self.command == "GET":
                page, size = int(query["page"][0]), int(query["per_page"][0])
                return 200, host.comments[(page - 1) * size : page * size]
            if host.refuse:
                return host.refuse, {"message": "Resource not accessible by integration"}
            if self.command == "POST":
                return 201, host.add(body["body"])
            one = host.comments[int(found[1]) - 1]
            one["body"] = body["body"]
            return 200, one

        def send(self, status: int, content: Any) -> None:
            payload = json.dumps(content).encode()
            self.send_response(status)
            if host.redirect:
                self.send_header("Location", host.redirect)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
