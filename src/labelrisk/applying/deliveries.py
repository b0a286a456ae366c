"""An output as a name: where it goes, whether something is there, and how it gets there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from labelrisk.applying.outputs import check_format
from labelrisk.applying.places import PARQUET, Place, is_remote, place_of, worded
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import written_aside


def suffix_of(out: str) -> str:
    """The format of an output by its name; none: a folder of as many Parquet files as are read."""
    return "" if out.endswith("/") else Path(out).suffix.lower()


def check_output(out: str, *, of_folder: bool) -> None:
    """Raise LabelRiskError for an output of another kind; of_folder: whether several files are read."""
    if is_remote(out):
        if suffix_of(out) != PARQUET:
            raise LabelRiskError(f"--out {shown(out, 300)} is no Parquet file, which alone is written to S3")
        place_of(out)
    elif suffix_of(out) or not of_folder:
        check_format(Path(out))


def check_absent(out: str, *, anew: bool) -> None:
    """Raise LabelRiskError where something is there that was not said to be replaced."""
    is_there = place_of(out).stamp is not None if is_remote(out) else Path(out).exists()
    if is_there and not anew:
        raise LabelRiskError(f"{shown(out, 300)} is there already; name another --out, or give --anew to replace it")


@contextmanager
def delivered(out: str, beside: Path, *, anew: bool) -> Iterator[Path]:
    """A path of this machine; what the block writes there becomes the output when it ends.

    beside: where an output for S3 is put together.  There nothing is seen under a name until all of it has arrived.
    Raises LabelRiskError where S3 does not take it, and where others have written it meanwhile; then `beside` stays.
    """
    if not is_remote(out):
        with written_aside(Path(out)) as temporary:
            yield temporary
        return
    yield beside
    check_absent(out, anew=anew)
    place = place_of(out)
    before = place.stamp
    # all in one call: an end in between leaves an upload that was not completed, and never a shorter file
    with worded(place), pa.memory_map(str(beside)) as file:
        try:
            with place.filesystem.open_output_stream(place.path) as stream:
                stream.write(file.read_buffer())
        except OSError:
            _withdraw(place, before)
            raise


def _withdraw(place: Place, before: tuple[int, int] | None) -> None:
    """Remove what came under a name: pyarrow completes an upload of which a part was refused.  before: what was there.

    Raises LabelRiskError where that can't be done.
    """
    try:
        if place.stamp not in (None, before):
            place.filesystem.delete_file(place.path)
    except (OSError, LabelRiskError):
        raise LabelRiskError(
            f"{shown(place, 300)} could not be written, nor looked at or removed after that; what stands there may be "
            "a part: delete it, and run the same command again"
        ) from None
