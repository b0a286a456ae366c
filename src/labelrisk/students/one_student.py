"""Students from their tasks to their files: what a worker computes, one group after the other."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.encoders.memory_and_cores import share_cores, uncollected
from labelrisk.files import read_parquet
from labelrisk.students.logs import Logged, write_logs
from labelrisk.students.targets import Targets, codes_of, labelled_rows, targets_of
from labelrisk.students.task import (
    LOGGED,
    LOGS,
    MODEL,
    PREDICTIONS,
    FinishedStudent,
    SharedInputs,
    StudentGroup,
    StudentTask,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from labelrisk.encoders.tokens import Tokens

AHEAD = "labelrisk.students.preloading"  # what a worker imports before it forks


def train_student(shared: SharedInputs, task: StudentTask) -> FinishedStudent:
    """Train one; its bytes depend on what is given alone, not on what this process has trained before.

    Raises LabelRiskError for a training file at fault, a model that can't be loaded, and on divergence.
    """
    return train_group(shared, StudentGroup((task,)))[0]


def train_group(shared: SharedInputs, group: StudentGroup) -> list[FinishedStudent]:
    """Train several in one pass, or one; as `train_student`."""
    started, recipe = time.perf_counter(), group.students[0].recipe
    parts = [_labelled(shared, task) for task in group.students]
    with uncollected():
        share_cores(recipe.threads)
        from labelrisk.encoders import loading
        from labelrisk.students import encoders, runs, training

        found, tokenizer = _encoder(recipe.model, recipe.revision, recipe.max_tokens)
        models = [
            encoders.load_classifier(
                found, recipe.revision, shared.classes, recipe.dropout, runs.seeds_of(task.seed).head
            )
            for task in group.students
        ]
    loading.check_length(models[0], recipe.max_tokens, "train")
    test, of_test = _test(shared.test, recipe.model, recipe.revision, recipe.max_tokens)
    logs: list[Logged] = [[] for _ in models]
    lessons = []
    for task, part, log in zip(group.students, parts, logs, strict=True):
        train, validation = (_tokens(tokenizer, rows, recipe.max_tokens) for rows in (part.train, part.validation))
        lessons.append(runs.Lesson(train, part.targets, validation, part.of_validation, task.seed, _into(log)))
    tuned = training.fine_tune_together(models, lessons, recipe, group.students[0].progress)
    finished = []
    for task, part, log, one in zip(group.students, parts, logs, tuned, strict=True):
        on_test = training.predict(one.model, of_test, recipe.evaluation_batch_size)
        predictions = _predictions([("validation", part.validation, one.validation), ("test", test, on_test)])
        files = _files(task, predictions, log, one.model, tokenizer)
        finished.append(FinishedStudent(files, one.steps, (time.perf_counter() - started) / len(models)))
    return finished


class _Labelled(NamedTuple):
    """The rows of a training file, and what is learned from them."""

    train: pa.Table
    targets: Targets
    validation: pa.Table
    of_validation: NDArray[np.int64]


def _labelled(shared: SharedInputs, task: StudentTask) -> _Labelled:
    path = Path(task.path)
    rows = labelled_rows(path, task.training)
    train, validation = (rows.filter(pc.equal(rows["split"], name)) for name in ("train", "validation"))
    targets = targets_of(train, shared.classes, path)
    return _Labelled(train, targets, validation, codes_of(validation, shared.classes, path))


def _into(log: Logged) -> Callable[[int, dict[str, float]], None]:
    return lambda step, metrics: log.append((step, metrics))


def _files(
    task: StudentTask, predictions: pa.Table, logged: Logged, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> dict[str, bytes]:
    from labelrisk.encoders.loading import quiet

    with tempfile.TemporaryDirectory(prefix="labelrisk-") as name:
        folder = Path(name)
        pq.write_table(predictions, folder / PREDICTIONS)
        if task.is_kept:
            write_logs(logged, folder / LOGS)
            with quiet():
                model.save_pretrained(folder / MODEL)
                tokenizer.save_pretrained(folder / MODEL)
        else:
            (folder / LOGGED).write_text(json.dumps(logged), encoding="utf-8")
        written = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}


@lru_cache(maxsize=1)
def _encoder(model: str, revision: str | None, max_tokens: int) -> tuple[str, PreTrainedTokenizerBase]:
    """Where the model is, and its tokenizer.

    max_tokens: at which every use of this tokenizer cuts, and what it is saved with.
    """
    from labelrisk.encoders import loading

    found = loading.resolve(model, revision, "train")
    return found, loading.load_tokenizer(found, revision)


@lru_cache(maxsize=1)
def _test(content: bytes, model: str, revision: str | None, max_tokens: int) -> tuple[pa.Table, Tokens]:
    rows = read_parquet(Path("test"), ["id", "text"], content=content)
    return rows, _tokens(_encoder(model, revision, max_tokens)[1], rows, max_tokens)


def _tokens(tokenizer: PreTrainedTokenizerBase, rows: pa.Table, max_tokens: int) -> Tokens:
    from labelrisk.encoders.tokens import tokenise

    return tokenise(tokenizer, rows["text"].to_pylist(), max_tokens)


def _predictions(parts: Sequence[tuple[str, pa.Table, NDArray[np.float32]]]) -> pa.Table:
    """By split the rows, and their probabilities."""
    tables = (
        pa.table(
            {
                "id": rows["id"],
                "split": pa.array([split] * len(rows)),
                "probabilities": pa.array(list(probabilities), pa.list_(pa.float32())),
            }
        )
        for split, rows, probabilities in parts
    )
    return pa.concat_tables(tables)
