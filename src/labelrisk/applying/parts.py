"""What a run has done so far, kept beside its output, so that the next one goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.applying.places import is_remote
from labelrisk.classifiers.labelling import Said
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import read_json, undamaged, write_json

try:
    import fcntl
except ImportError:  # not on Windows, where two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]

PLAN, LOCK, NEW = "plan.json", "lock", "new"
TEXTS = b"texts"  # in the metadata of a part, the digest of its texts


class Parts:
    """A folder of numbered files, each what is said of a chunk of texts; count: of how many there are in all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count = 0

    @property
    def whole(self) -> Path:
        """Where all of them are put together for an output on S3."""
        return self._folder / "whole"

    def digest(self, number: int) -> str | None:
        """That of the texts that a part is about; None where it is not there, or was damaged when the machine fell."""
        try:
            metadata = pq.read_schema(self._file(number)).metadata or {}
            return str(metadata[TEXTS], "ascii")
        except (FileNotFoundError, pa.ArrowException, KeyError, OSError):
            return None

    def write(self, number: int, said: Said, digest: str) -> None:
        """Keep what is said of a chunk."""
        self.keep(number, part_of(said, digest))

    def keep(self, number: int, content: bytes) -> None:
        """Keep a part that is made.  One process writes here, and looks at no other file: there may be thousands."""
        temporary = self._folder / NEW
        temporary.write_bytes(content)
        temporary.replace(self._file(number))

    def read(self) -> Iterator[Said]:
        """All parts in their order."""
        for number in range(self.count):
            with undamaged(self._file(number)):
                table = pq.read_table(self._file(number)).combine_chunks()
            column = table["probabilities"].combine_chunks()
            numbers = column.values.to_numpy(zero_copy_only=False).reshape(len(table), -1)
            yield Said(
                numbers.astype(np.float32),
                table["full"].to_numpy(),
                table["distance"].to_numpy().astype(np.float32),
                table["reason"].to_pylist(),
            )

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08d}.parquet"


def part_of(said: Said, digest: str) -> bytes:
    """A file of what is said of a chunk; digest: of its texts."""
    rows, classes = said.probabilities.shape
    numbers = pa.array(said.probabilities.reshape(-1))
    table = pa.table(
        {
            "probabilities": pa.FixedSizeListArray.from_arrays(numbers, classes),
            "full": pa.array(said.full),
            "distance": pa.array(said.distances),
            "reason": pa.array(said.reasons, pa.string()),
        }
    )
    content = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({TEXTS: digest}), content, row_group_size=max(rows, 1))
    return content.getvalue().to_pybytes()  # type: ignore[no-any-return]


def folder_of(out: str) -> Path:
    """Where the parts of an output lie: beside it, or here where that is on S3; .dvcignore hides it."""
    if is_remote(out):
        return Path(f".{out.rpartition('/')[2]}.{hashlib.sha256(out.encode()).hexdigest()[:8]}.partial")
    path = Path(out)
    return path.with_name(f".{path.name}.partial")


@contextmanager
def kept_parts(out: str, plan: Mapping[str, str], *, anew: bool) -> Iterator[Parts]:
    """The parts of a run towards `out`; they go when the caller is done, and stay when it fails.

    plan: by name what must be the same for parts to fit together; anew: earlier parts go.
    Raises LabelRiskError while another process does the same, and for parts of another plan.
    """
    folder = folder_of(out)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        if not _locked(lock):
            raise LabelRiskError(f"another process is writing {out} now; wait for it, or give another --out")
        if anew:
            for path in folder.iterdir():
                if path.name != LOCK:
                    path.unlink()
        _check(folder, out, plan)
        yield Parts(folder)
        shutil.rmtree(folder)


def _locked(file: IO[str]) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _check(folder: Path, out: str, plan: Mapping[str, str]) -> None:
    if not (folder / PLAN).exists():
        write_json(dict(plan), folder / PLAN)
        return
    before = read_json(folder / PLAN)
    for name, value in plan.items():
        if before.get(name) != value:
            raise LabelRiskError(
                f"a run towards {out} was begun with another {name} ({shown(before.get(name))}, now {shown(value)}); "
                "give --anew to begin from the first row, or another --out"
            )
