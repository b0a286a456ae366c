"""Where texts lie and labels go: a path of this machine, or `s3://bucket/key` of an S3 or what speaks its protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labelrisk.errors import LabelRiskError, shown

S3 = "s3://"
ANY = "*?["  # letters of a pattern
PARQUET = ".parquet"
TRIES = 5  # of one request
SECONDS = 10  # until a server that does not answer counts as absent
# what the AWS library says of a request, and what it means to who runs the command
MEANINGS = (
    (("NO_SUCH_BUCKET",), "there is no such bucket; correct its name, or make it"),
    (
        ("INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN_ID", "HTTP status 401"),
        "the keys are not taken; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    (
        ("ACCESS_DENIED", "HTTP status 403", "credentials"),
        "access is denied; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) of who may use it",
    ),
    (("NETWORK_CONNECTION", "curlCode"), "nobody answers; correct AWS_ENDPOINT_URL, or see to the network"),
)


class Place(NamedTuple):
    """One file: its path in a file system of pyarrow (None: this machine's), and what it is called."""

    filesystem: Any
    path: str

    def __str__(self) -> str:
        return self.path if self.filesystem is None else f"{S3}{self.path}"

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def local(self) -> Path:
        """Of a file of this machine."""
        return Path(self.path)

    @property
    def stamp(self) -> tuple[int, int] | None:
        """Size and time of its last change; None where there is no file."""
        if self.filesystem is None:
            try:
                found = self.local.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return found.st_size, found.st_mtime_ns
        with worded(self):
            info = self.filesystem.get_file_info(self.path)
        return (info.size, info.mtime_ns) if info.is_file else None


def is_remote(name: str) -> bool:
    """Whether a name is one of S3."""
    return name.startswith(S3)


def place_of(name: str) -> Place:
    """The file of a name.  Raises LabelRiskError for a name of S3 without bucket or key."""
    if not is_remote(name):
        return Place(None, name)
    path = name.removeprefix(S3)
    bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise LabelRiskError(f"'{shown(name)}' names no file; give s3://BUCKET/KEY.parquet")
    return Place(_s3(), path)


def parquet_files(name: str) -> list[Place] | None:
    """The Parquet files of a folder, or of a pattern such as `texts/*.parquet`, by their names; None for one file.

    Raises LabelRiskError where there are none.
    """
    place = Place(None, name) if not is_remote(name) else Place(_s3(), name.removeprefix(S3))
    if place.filesystem is None:
        if place.local.is_file() or not (place.local.is_dir() or any(letter in place.name for letter in ANY)):
            return None
    elif not name.endswith("/") and not any(letter in place.name for letter in ANY):
        return None
    is_pattern = any(letter in place.name for letter in ANY) and not (not place.filesystem and place.local.is_dir())
    folder = place.path.rpartition("/")[0] if is_pattern else place.path.rstrip("/")
    pattern = place.name if is_pattern else f"*{PARQUET}"
    found = [path for path in _listed(place, folder or ".") if fnmatchcase(path.rsplit("/", 1)[-1], pattern)]
    if not found:
        raise LabelRiskError(f"{shown(name, 300)} holds no Parquet file; correct --in")
    return [place._replace(path=path) for path in sorted(found)]


def _listed(place: Place, folder: str) -> list[str]:
    """The files of a folder, without hidden ones."""
    from pyarrow import fs

    if place.filesystem is None:
        at = Path(folder)
        found = [str(path) for path in at.iterdir() if path.is_file()] if at.is_dir() else []
    else:
        try:
            with worded(place):
                infos = place.filesystem.get_file_info(fs.FileSelector(folder))
        except FileNotFoundError:
            infos = []
        found = [info.path for info in infos if info.is_file]
    return [path for path in found if not path.rsplit("/", 1)[-1].startswith((".", "_"))]


@cache
def _s3() -> Any:
    """S3 by the usual variables, and the files of ~/.aws."""
    from pyarrow import fs

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"endpoint_override": endpoint} if endpoint else {}
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        options["region"] = region
    return fs.S3FileSystem(
        **options,
        background_writes=False,
        connect_timeout=SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
    )


@contextmanager
def worded(place: Place) -> Iterator[None]:
    """Turn what S3 says into one sentence."""
    try:
        yield
    except OSError as error:
        if place.filesystem is None or error.errno is not None:
            raise
        words = " ".join(str(error).split())
        for signs, meaning in MEANINGS:
            if any(sign in words for sign in signs):
                raise LabelRiskError(f"{shown(place, 300)}: {meaning}") from None
        raise LabelRiskError(f"{shown(place, 300)} can't be used ({shown(words, 200)}); try again") from None
