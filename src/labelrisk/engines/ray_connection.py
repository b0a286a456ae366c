"""The connection to a Ray cluster: the one that is named, or one that is started on this machine and ends with it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labelrisk.engines.machine import cores
from labelrisk.errors import LabelRiskError, shown

WAIT = 5  # seconds until an address counts as one that nobody answers at
CLIENT = "ray://"
# HTTP/2, which Ray speaks, opens with these bytes, and its server with a frame of settings (RFC 9113, 3.4 and 4.1)
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
FRAME, SETTINGS = 9, b"\x04"
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray would tell its makers what it is used for
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a task that asks for no GPU sees none; unset, Ray warns
}


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected; address: host:port or ray://host:port; None: $RAY_ADDRESS, or Ray is started here.

    Workers run the labelrisk of this process, whatever their image has: its folder is sent once for each content, 3 MB.
    So an edit of the code needs no new image, and no node can compute with another version; what labelrisk imports is
    the image's.  Nothing of this process' environment is sent.
    Raises LabelRiskError where nobody answers, or the versions of Ray or Python differ.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    os.environ.update(QUIET)  # before the first import
    import ray

    if address is None:
        # a short path, for it is part of a socket's
        with (
            tempfile.TemporaryDirectory(prefix="labelrisk-", dir="/tmp", ignore_cleanup_errors=True) as folder,
            _initialised(ray, "local", num_cpus=cores(), include_dashboard=False, _temp_dir=folder),
        ):
            yield
    else:
        _ask(address)
        with _initialised(ray, address):
            yield


@contextmanager
def _initialised(ray: Any, address: str, **options: Any) -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(
            address,
            runtime_env={"py_modules": [str(Path(__file__).parents[1])], "excludes": ["__pycache__"]},
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **options,
        )
    except (RuntimeError, ConnectionError, ValueError, OSError, ImportError, ray.exceptions.RayError) as error:
        ray.shutdown()
        raise LabelRiskError(_sentence(address, error)) from None
    finally:
        for number, handler in handlers.items():  # Ray would end the process at once, with all that is unwritten
            signal.signal(number, handler)
    try:
        yield
    finally:
        ray.shutdown()


def _ask(address: str) -> None:
    """See whether a server of Ray's kind answers at once, where Ray itself would try for a minute."""
    if address == "auto":
        return
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdecimal() or "://" in host:
        raise LabelRiskError(
            f"engine.address (or RAY_ADDRESS) is '{shown(address)}', which is no address of a Ray cluster; give "
            "host:port, such as head:6379, or ray://head:10001"
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), WAIT) as connection:
            connection.sendall(GREETING)
            answer = connection.recv(FRAME)
    except (OSError, OverflowError, UnicodeError) as error:
        raise LabelRiskError(f"{_no_cluster(address, error)}; start it, or correct engine.address") from None
    if answer[3:4] != SETTINGS and os.environ.get("RAY_USE_TLS") != "1":
        raise LabelRiskError(
            f"what answers at '{shown(address)}' is no Ray cluster; give the port that `ray start --head` told (6379), "
            "or ray://head:10001"
        )


def _no_cluster(address: str, error: Exception) -> str:
    return f"no Ray cluster answers at '{shown(address)}' ({shown(error, 100)})"


def _sentence(address: str, error: Exception) -> str:
    """Word what Ray says, which are often many lines."""
    words = " ".join(str(error).split())
    if "Version mismatch" in words:
        versions = words.partition("Version mismatch: ")[2]
        return f"Ray or Python is another version on the cluster ({shown(versions, 250)}); install the cluster's here"
    if "raylet" in words or "node_ip_address" in words:
        return (
            f"this machine is no node of the Ray cluster at '{shown(address)}'; run here `ray start "
            f"--address={shown(address)}`, or connect with ray://HOST:10001"
        )
    if "Failed to connect" in words or "oken" in words:  # for it did answer; Ray does not say which it is
        return (
            f"the Ray cluster at '{shown(address)}' wants another token, or is just starting; give this process that "
            "of the head (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN; there `ray get-auth-token` tells it)"
        )
    if "ray[client]" in words:
        return f'{shown(address)} needs Ray\'s client; run `pip install "ray[client]"`, or run on a node of the cluster'
    if address == "local":
        return f"Ray can't be started on this machine ({shown(words, 200)}); set engine.kind: local"
    return f"{_no_cluster(address, error)}; see to it, or correct engine.address"
