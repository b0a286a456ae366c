"""Commands that start warm: a server has imported what takes seconds, and forks a process for each command it is sent.

`labelrisk repro` starts the server; `python -m labelrisk train ...` hands itself over where WARM names its socket, and
runs cold where it does not.  The process works in the command's folder, with its standard streams, and ends with it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from labelrisk.interrupts import end_at_once, on_ending

WARM = "LABELRISK_WARM"  # the environment variable that names the socket
SERVE = "--serve"
WORDS = ("train", "curve")  # commands that are worth it
STREAMS = (0, 1, 2)
LONGEST = 2**16  # bytes of a command
Main = Callable[[Sequence[str]], int]


def run(main: Main, preload: Callable[[], None], words: Sequence[str]) -> int:
    """Be the server, hand a command over to it, or run the command here; returns the exit code."""
    if words[:1] == [SERVE]:
        serve(Path(words[1]), main, preload)
        return 0
    code = None
    if words and words[0] in WORDS and WARM in os.environ:
        code = handed_over(Path(os.environ[WARM]), words)
    return main(words) if code is None else code


@contextmanager
def warm_server(threads: int) -> Iterator[None]:
    """Start a server, and let the commands of all processes that are started meanwhile find it."""
    with tempfile.TemporaryDirectory(prefix="labelrisk-", dir="/tmp") as folder:  # a socket's path must be short
        path = Path(folder) / "socket"
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": _code()}
        words = [sys.executable, "-m", "labelrisk", SERVE, str(path)]
        server = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE)
        try:
            while not path.exists() and server.poll() is None:  # the time that Python takes to start
                time.sleep(0.02)
            os.environ[WARM] = str(path)
            yield
        finally:
            os.environ.pop(WARM, None)
            server.terminate()
            server.wait()


def _code() -> str:
    """Where stages find the code: the project's own first, as in dvc.yaml."""
    own = ["src"] if Path("src/labelrisk").is_dir() else []  # in another repository src holds other code
    return os.pathsep.join([*own, str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")])


def serve(path: Path, main: Main, preload: Callable[[], None]) -> None:
    """Listen at `path` for commands until terminated, or the process that holds the other end of standard input ends.

    Ctrl-C is for the commands alone.
    """
    threading.Thread(target=_end_with_starter, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended processes need no one to wait for them
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()  # clients that come early wait
        preload()
        while True:
            connection, _ = server.accept()
            with connection:
                if os.fork() == 0:
                    server.close()
                    os._exit(_work(connection, main))


def _end_with_starter() -> None:
    """Nothing is ever sent: an end of the stream is the end of who started the server, however it came."""
    os.read(0, 1)
    os._exit(0)


def _work(connection: socket.socket, main: Main) -> int:
    """Run the command that a client sends, in its folder and with its streams, and send back the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, *_ = socket.recv_fds(connection, LONGEST, len(STREAMS))
    if not message:
        return 1
    for stream, own in zip(streams, STREAMS, strict=True):
        os.dup2(stream, own)
        os.close(stream)
    words, folder = json.loads(message)
    os.chdir(folder)
    ended = threading.Event()
    threading.Thread(target=_interrupt_when_left, args=[connection, ended], daemon=True).start()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # as the interpreter would end, whose place this takes
        sys.excepthook(*sys.exc_info())
    finally:
        ended.set()
        sys.stdout.flush()
        sys.stderr.flush()
        with suppress(OSError):  # the client was killed
            connection.sendall(bytes([code]))
    return code


def _interrupt_when_left(connection: socket.socket, ended: threading.Event) -> None:
    """A client that is gone before its command has ended was killed: so is the command."""
    if not connection.recv(1) and not ended.is_set():
        os.kill(os.getpid(), signal.SIGINT)


def _leave(connection: socket.socket) -> None:
    """Tell the command to end, which looks to it as if its client had gone, and still wait for its exit code."""
    end_at_once()
    connection.shutdown(socket.SHUT_WR)


def handed_over(path: Path, words: Sequence[str]) -> int | None:
    """Let the server run a command, and wait; its exit code, or None where no server listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return None
        message = json.dumps([list(words), str(Path.cwd())]).encode()
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # reaches the command as well, which says so
        try:
            socket.send_fds(connection, [message], STREAMS)
            with on_ending(lambda number: _leave(connection)):
                code = connection.recv(1)
        except ConnectionError:  # the server ended before it took the command
            signal.signal(signal.SIGINT, interrupt)
            return None
    if not code:
        print(f"labelrisk {words[0]}: its process was killed, perhaps for memory; run again to go on", file=sys.stderr)
        return 1
    return code[0]
