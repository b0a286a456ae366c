"""perturb: test texts with edits that leave their label as it is, and what the students say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.corpora.prepared import Prepared
from labelrisk.edits.reading import read_parts, reading, rows_of
from labelrisk.edits.variants import UNEDITED, drawn, variants
from labelrisk.encoders.loading import load_tokenizer, positions_of, worded
from labelrisk.encoders.memory_and_cores import keep_mapped, share_cores, uncollected
from labelrisk.encoders.tokens import Tokens, ragged
from labelrisk.engines.machine import cores
from labelrisk.errors import LabelRiskError
from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.progress import bar
from labelrisk.settings.perturb import PerturbSettings
from labelrisk.settings.presets import recipe_of
from labelrisk.students.finished import load_student
from labelrisk.students.minibatches import by_length

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LONGER = 2  # so many times max_tokens may an edited text be, before it is cut
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("seed", pa.int64()),
        ("edit", pa.string()),
        ("text", pa.string()),
        ("changed", pa.bool_()),  # whether the edit changed the text; of a chain, its last edit
        ("read", pa.bool_()),  # whether students then read other tokens than of the unedited text
        ("cut", pa.bool_()),  # whether the edited text lost its end, see run
        ("label", pa.string()),
        ("probabilities", pa.list_(pa.float32())),
    ]
)


def run(settings: Settings, prepared: Path, models: Path, out: Path) -> None:
    """Write SCHEMA: each drawn row in all its variants (edits/variants.py), as students of each source label them.

    A variant is made of what students read of the text: what `max_tokens` cuts off is neither edited nor moved into
    sight.  An edit may double the tokens before its text is cut, where the encoder has the positions: a slip makes
    several tokens of one word, and without this would push the end of the text out of sight, which is not what is
    asked about.  The unedited text is predicted with the others, so that nothing but the text differs, and texts that
    are the same in tokens once.

    Raises LabelRiskError where a student's folder is missing or damaged.
    """
    given, recipe = settings.perturb, recipe_of(settings.train)
    rows = Prepared(prepared)
    classes = rows.classes
    test = rows.split("test").dropna(subset="gold")
    test = test.iloc[drawn(test["id"].tolist(), given.rows, given.seed)]
    folders = {
        (source, seed): models / source / str(seed)
        for source in settings.sources
        for seed in settings.seeds[: given.seeds]
    }
    for (source, seed), folder in folders.items() if len(test) else ():
        if not folder.is_dir():
            raise LabelRiskError(f"{folder}: source '{source}' has no student for seed {seed}; run `dvc repro`")
    with written_aside(out) as temporary, pq.ParquetWriter(temporary, SCHEMA) as file:
        if test.empty:
            return
        with uncollected():
            share_cores(1)  # of one batch: there are several at once
            keep_mapped()
            # one for all: they are students of one encoder
            tokenizer = load_tokenizer(str(next(iter(folders.values()))), None)
        table = _variants(test["id"], read_parts(tokenizer, test["text"].tolist(), recipe.max_tokens), given)
        read = reading(tokenizer, table["text"].tolist(), _longest(next(iter(folders.values())), recipe.max_tokens))
        unedited = read.places[np.maximum.accumulate(np.where(table["edit"] == UNEDITED, np.arange(len(table)), 0))]
        table = table.assign(read=read.places != unedited, cut=read.cut)
        with bar(len(folders), "students", "student") as progress:
            for (source, seed), folder in folders.items():
                said = _predictions(load_student(folder), read.tokens, recipe.evaluation_batch_size)
                probabilities = said[read.places]
                labels = np.array(classes, dtype=object)[probabilities.argmax(axis=1)]
                columns = table.assign(source=source, seed=seed, label=labels, probabilities=list(probabilities))
                file.write_table(pa.Table.from_pandas(columns[SCHEMA.names], SCHEMA, preserve_index=False))
                progress.update()


def _variants(ids: Iterable[str], texts: Sequence[str], given: PerturbSettings) -> pd.DataFrame:
    """All variants of all rows, row by row, the unedited text first: id, edit, text, changed."""
    found = [
        (identity, *variant)
        for identity, text in zip(ids, texts, strict=True)
        for variant in variants(text, identity, given.edits, given.chain, given.seed)
    ]
    return pd.DataFrame(found, columns=["id", "edit", "text", "changed"])


def _longest(folder: Path, max_tokens: int) -> int:
    """Tokens of an edited text before it is cut."""
    from transformers import AutoConfig

    with worded(str(folder), None):
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    return min(LONGER * max_tokens, positions_of(config) or LONGER * max_tokens)


def _predictions(student: PreTrainedModel, tokens: Tokens, batch_size: int) -> NDArray[np.float32]:
    """Class probabilities (N, K): on the CPU as many batches at once as there are cores, with the same bytes."""
    from labelrisk.students.training import predict

    rows = rows_of(tokens)
    found = np.empty((len(tokens), student.config.num_labels), dtype=np.float32)

    def fill(batch: NDArray[np.int64]) -> None:
        found[batch] = predict(student, ragged([rows[place].tolist() for place in batch]), batch_size)

    with ThreadPoolExecutor(cores() if student.device.type == "cpu" else 1) as pool:
        for _ in pool.map(fill, by_length(tokens.lengths, batch_size)):
            pass
    return found
