"""The folder of prepared rows as `prepare` writes it, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelrisk.corpora.keys import Keys, hexadecimal, named
from labelrisk.corpora.prepared import SLICE, SPLITS
from labelrisk.corpora.row_groups import ROWS, RowGroupsWriter, names, schema_like, strings
from labelrisk.corpora.texts_file import TextsFile
from labelrisk.files import write_json
from labelrisk.statistics.class_codes import NO_LABEL


def write_prepared(
    folder: Path, rows: Keys, demonstrations: Keys, texts: TextsFile, labels: list[str], origin: dict[str, Any]
) -> None:
    """Write all files of the folder, which is there; rows: in their splits.

    The values of slices have a file of their own: to name other columns leaves all others as they were.
    """
    files = {name: rows[rows.of_split(name)] for name in SPLITS} | {"demonstrations": demonstrations}
    for name, keys in files.items():
        _write_texts(folder / f"{name}.parquet", keys, texts)
    if rows.slices:
        _write_slices(folder / "slices.parquet", rows)
    write_json(labels, folder / "labels.json")
    write_json(origin, folder / "origin.json")


def _write_texts(path: Path, keys: Keys, texts: TextsFile) -> None:
    graded = bool((keys.golds != NO_LABEL).any())
    schema = schema_like({"id": strings(), "text": strings(), "gold": names(graded)})
    with RowGroupsWriter(path, schema) as file:
        for at, some in texts.parts(keys.rows):
            file.add({"id": hexadecimal(keys.ids[at]), "text": some, "gold": named(keys.golds[at], keys.labels)})


def _write_slices(path: Path, rows: Keys) -> None:
    examples = {
        f"{SLICE}{column}": names(bool((codes != NO_LABEL).any())) for column, (codes, _) in rows.slices.items()
    }
    with RowGroupsWriter(path, schema_like({"id": strings()} | examples)) as file:
        for start in range(0, len(rows), ROWS):
            some = rows[slice(start, start + ROWS)]
            values = {f"{SLICE}{column}": named(*of) for column, of in some.slices.items()}
            file.add({"id": hexadecimal(some.ids)} | values)
