"""Servers of real packages as processes on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError

# which moto takes, as any others; a test may look whether they reach a file
S3_KEYS = {
    "AWS_ACCESS_KEY_ID": "key-of-a-test",
    "AWS_SECRET_ACCESS_KEY": "secret-of-a-test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
LONGEST_START = 180.0  # seconds: some import for a minute where other processes are busy


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], port: int, path: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a server that runs until the block ends; it is ready when GET `path` is answered."""
    folder.mkdir(parents=True, exist_ok=True)
    url, log = f"http://127.0.0.1:{port}", folder / "server.log"
    with log.open("w") as said:
        server = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=said, start_new_session=True,
            env={**os.environ, "NO_PROXY": "127.0.0.1", **(environment or {})},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + LONGEST_START
        while not _answers(url + path):
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The address of moto's S3, with an empty bucket `labels`, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, "/moto-api/", folder, S3_KEYS) as url:
        urllib.request.urlopen(urllib.request.Request(f"{url}/labels", method="PUT")).close()
        yield url


@contextmanager
def passed_on(url: str, sign: bytes, at: Callable[[socket.socket], object]) -> Iterator[str]:
    """Another address of a server; a request with `sign` in it goes to `at` instead, with the client's connection."""
    host, port = url.removeprefix("http://").split(":")

    def copy(source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(2**16):
                to.sendall(content)
            to.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection((host, int(port))) as server, suppress(OSError):
            back = Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            while content := client.recv(2**16):
                if sign in content:
                    at(client)
                    while client.recv(2**16):
                        pass
                    return
                server.sendall(content)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
    return True
