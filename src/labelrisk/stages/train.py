"""train: one student, fine-tuned on one label source with one seed, and its probabilities for validation and test."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.encoders.memory_and_cores import share_cores, uncollected
from labelrisk.files import read_json, read_parquet, written_aside
from labelrisk.params import Settings
from labelrisk.settings.presets import recipe_of
from labelrisk.students.durations import note_duration
from labelrisk.students.targets import codes_of, labelled_rows, targets_of

if TYPE_CHECKING:
    from dvclive import Live


def run(
    settings: Settings,
    source: str,
    seed: int,
    training: Path,
    test: Path,
    labels: Path,
    model: Path,
    predictions: Path,
    logs: Path,
    durations: Path,
) -> None:
    """Write a student's model folder, probabilities (id, split, probabilities) and dvclive logs.

    training: columns `id, text, label, split`, and perhaps `soft`, `candidates` or `weight` (students/targets.py) that
    count in train rows only; rows without label are left out.  test: `id, text`, gold isn't read.  labels: the class
    names in order.  All three outputs appear together at the end, or none does.  How long it took is noted in
    `durations`.
    """
    started = time.perf_counter()
    classes: list[str] = read_json(labels)
    rows = labelled_rows(training)
    splits = {name: rows.filter(pc.equal(rows["split"], name)) for name in ("train", "validation")}
    splits["test"] = read_parquet(test, ["id", "text"])
    targets = targets_of(splits["train"], classes, training)
    of_validation = codes_of(splits["validation"], classes, training)

    recipe = recipe_of(settings.train)
    with uncollected():
        share_cores(recipe.threads)
        from labelrisk.encoders import loading
        from labelrisk.encoders.tokens import tokenise
        from labelrisk.students import encoders
        from labelrisk.students import training as students

        found = loading.resolve(recipe.model, recipe.revision, "train")
        tokenizer = loading.load_tokenizer(found, recipe.revision)
        head = students.seeds_of(seed).head
        student = encoders.load_classifier(found, recipe.revision, classes, recipe.dropout, head)
    loading.check_length(student, recipe.max_tokens, "train")
    tokens = {name: tokenise(tokenizer, part["text"].to_pylist(), recipe.max_tokens) for name, part in splits.items()}
    with ExitStack() as outputs:
        folder, table, history = (outputs.enter_context(written_aside(path)) for path in (model, predictions, logs))
        with _live(history) as live:

            def log(step: int, metrics: dict[str, float]) -> None:
                live.step = step
                for name, value in metrics.items():
                    live.log_metric(name, value)

            tuned = students.fine_tune(
                student, tokens["train"], targets, tokens["validation"], of_validation,
                recipe, seed, log, progress=True,
            )  # fmt: skip
        on_test = students.predict(tuned.model, tokens["test"], recipe.evaluation_batch_size)
        with loading.quiet():
            tuned.model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        _write({"validation": tuned.validation, "test": on_test}, splits, table)
    note_duration(durations, source, seed, tuned.steps, time.perf_counter() - started)


def _write(probabilities: dict[str, NDArray[np.float32]], splits: dict[str, pa.Table], path: Path) -> None:
    parts = [
        pa.table(
            {
                "id": splits[name]["id"],
                "split": pa.array([name] * len(part)),
                "probabilities": pa.array(list(part), pa.list_(pa.float32())),
            }
        )
        for name, part in probabilities.items()
    ]
    pq.write_table(pa.concat_tables(parts), path)


def _live(folder: Path) -> Live:
    """A dvclive logger that writes to `folder` and looks at nothing else.

    As it comes, Live makes a DVC repository where there is none, fails in a git repository without commits, and takes
    half a second to open it; as part of a DVC stage it needs none of this.
    """
    from dvclive import Live

    class Logger(Live):  # type: ignore[misc]
        def _init_dvc(self) -> Any:
            self._dvc_file = "dvc.yaml"

    return Logger(dir=str(folder), dvcyaml=None, save_dvc_exp=False)
