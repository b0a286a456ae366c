"""The file of requests that the endpoint gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from labelrisk.cache.templates import Call
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json


def upload_of(calls: Sequence[Call], folder: Path, url: str) -> IO[bytes]:
    """The file that the endpoint gets, which nobody else sees.

    Raises LabelRiskError when the folder can't be written to.
    """
    file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whoever sends it
    try:
        for call in calls:
            line = {"custom_id": call.key.hex(), "method": "POST", "url": url, "body": call.request()}
            file.write(canonical_json(line).encode() + b"\n")
    except OSError as error:
        file.close()
        raise LabelRiskError(f"{folder} can't be written to ({error}); free disk space, then run again") from None
    return file
