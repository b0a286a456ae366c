"""What earlier runs and other revisions already know of an annotator's rows, so that it is neither asked nor paid."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelrisk.annotators.answers import Answer
from labelrisk.annotators.flow import Piece
from labelrisk.annotators.labels import SCHEMA, LabelledRow, Spent
from labelrisk.annotators.revisions import RevisionLabels, revision_labels
from labelrisk.annotators.shelf import Hashes, Shelf, call_shelf, text_hashes
from labelrisk.chat_settings import ChatAnnotator
from labelrisk.endpoints.endpoint import EMBEDDED
from labelrisk.files import written_aside

ROWS = 8192  # of a piece


class Remembered:
    """The labels file of the last finished run that asked the same things the same way."""

    def __init__(self, folder: Path, signature: str) -> None:
        self._folder = folder
        self._signature = signature
        self._hashes: list[Hashes] = []
        self._shelf = self._opened()

    def _opened(self) -> Shelf | None:
        try:
            if (self._folder / "signature").read_text(encoding="utf-8") == self._signature:
                return Shelf(self._folder / "labels.parquet", np.load(self._folder / "texts.npy", allow_pickle=False))
        except (OSError, ValueError, pa.ArrowInvalid):  # absent, or being replaced by another process
            pass
        return None

    def pieces(self, prepared: Path, splits: Sequence[str]) -> Iterator[Piece]:
        """All rows in their order, with the labels that are known."""
        for split in splits:
            for batch in pq.ParquetFile(prepared / f"{split}.parquet").iter_batches(ROWS, columns=["id", "text"]):
                texts = batch.column("text").to_pylist()
                hashes = text_hashes(texts)
                self._hashes.append(hashes)
                yield self._piece(batch.column("id"), split, texts, hashes)

    def _piece(self, ids: pa.Array, split: str, texts: list[str], hashes: Hashes) -> Piece:
        everywhere = np.arange(len(texts))
        known = np.zeros(len(texts), dtype=bool)
        table = SCHEMA.empty_table()
        if self._shelf is not None:
            places = self._shelf.find(hashes)
            found = np.flatnonzero(places >= 0)
            table = self._shelf.rows(places[found])
            # refused rows are asked again; a row may stand in another split than it did
            same = pc.and_(pc.equal(table["id"], ids.take(pa.array(found))), pc.not_equal(table["status"], "error"))
            table = table.filter(same)
            known[found[np.asarray(same)]] = True
            column = pa.array([split] * len(table), type=pa.string())
            table = table.set_column(table.schema.get_field_index("split"), "split", column)
        return Piece(ids.to_pylist(), [split] * len(texts), texts, table, everywhere[known], list(everywhere[~known]))

    def keep(self, labels: Path) -> None:
        """Remember a labels file whose rows went through `pieces`; the file is moved."""
        with written_aside(self._folder) as folder:
            folder.mkdir()
            labels.replace(folder / "labels.parquet")
            np.save(folder / "texts.npy", np.concatenate(self._hashes))
            (folder / "signature").write_text(self._signature, encoding="utf-8")


class Seeds:
    """Labels of this annotator at other revisions, looked through only when a row is known nowhere else."""

    def __init__(self, name: str, annotator: ChatAnnotator, out: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shelves = [call_shelf(path) for path in sorted(folder.glob("*.parquet"))]
        known = {path.stem for path in folder.glob("*.parquet")}
        self._more: Iterator[RevisionLabels] = iter(())
        if annotator.base_url != EMBEDDED:  # which is free: a fresh clone asks it again rather than refuse to
            self._more = revision_labels(name, out, annotator.model, annotator.base_url, known)

    def find(self, key: str) -> LabelledRow | None:
        """The row with that key at any revision.

        Raises LabelRiskError when it may be at a revision whose labels can't be read.
        """
        wanted = np.array([int(key[:16], 16)], dtype=np.uint64)
        for shelf in self._all():
            places = shelf.find(wanted)
            if places[0] >= 0:
                row = shelf.rows(places).to_pylist()[0]
                if row["call"] == key and row["status"] != "error":
                    return labelled(row)
        return None

    def _all(self) -> Iterator[Shelf]:
        yield from list(self._shelves)
        for labels in self._more:
            path = self._folder / f"{labels.hash}.parquet"
            with written_aside(path) as temporary:
                pq.write_table(labels.table, temporary)
            self._shelves.append(call_shelf(path))
            yield self._shelves[-1]


def labelled(row: dict[str, Any]) -> LabelledRow:
    """A row of a labels file."""

    def as_tuple(name: str) -> Any:
        return tuple(row[name]) if row.get(name) is not None else None

    return LabelledRow(
        row["id"],
        row["split"],
        Answer(
            row["status"],
            row["label"],
            row["method"],
            as_tuple("probabilities"),
            row["outside"],
            row["reply"],
            as_tuple("votes"),
        ),
        as_tuple("flags"),
        row.get("codebook"),
        Spent(row.get("requests") or 0, row.get("input_tokens"), row.get("output_tokens"), row.get("cost")),
        row["call"],
    )


def signature_of(parts: Sequence[str]) -> str:
    """A hash of everything besides the text that decides about a row's label."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
