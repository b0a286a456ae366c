"""curve: students of the first so many labelled train rows of a source, one a seed, for its learning curve."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelrisk.comparison.runs import HISTORY, RUNS, Run, write_runs
from labelrisk.comparison.training_curves import LOSS, VALIDATION
from labelrisk.encoders.memory_and_cores import share_cores, uncollected
from labelrisk.files import read_json, read_parquet, write_parquet, written_aside
from labelrisk.params import Settings
from labelrisk.settings.presets import recipe_of
from labelrisk.settings.train import TrainSettings
from labelrisk.sources.nested_rows import first_rows
from labelrisk.statistics.convergence import label_entropy
from labelrisk.students.durations import note_duration
from labelrisk.students.targets import codes_of, labelled_rows, targets_of

if TYPE_CHECKING:
    from labelrisk.encoders.tokens import Tokens


def run(
    settings: Settings, rows: int, source: str, training: Path, test: Path, labels: Path, out: Path, durations: Path
) -> None:
    """Write the probabilities and the course of training of all students of so many rows, in the folder `out`.

    training: the source's folder, with what each seed's student learns from; its labelled train rows have an order that
    keeps the shares of the labels, another one for each seed, so that its luck belongs to the spread over seeds; the
    first so many are learned from.  All validation rows choose the checkpoint, as in the stage train.
    runs.parquet: as evaluate writes those of all rows.  history.parquet: seed, step, loss and validation_macro_f1, and
    of the run the rows and the entropy of their labels in nats.  Both are empty where the source has no more rows.
    """
    classes: list[str] = read_json(labels)
    found: dict[int, Run] = {}
    histories = [pd.DataFrame({"seed": [], "step": [], LOSS: [], VALIDATION: [], "rows": [], "entropy": []})]
    tables = {seed: labelled_rows(training / f"{seed}.parquet") for seed in settings.curve.seeds_of(settings.seeds)}
    tables = {seed: table for seed, table in tables.items() if _of(table, "train").num_rows > rows}
    if not tables:
        print(f"source '{source}' has no more than {rows:,} labelled train rows: no student is trained")
    students = _Students(settings, classes, read_parquet(test, ["id", "text"])) if tables else None
    for seed, table in tables.items():
        assert students is not None
        started = time.perf_counter()
        train = _of(table, "train")
        labelled = codes_of(train, classes, training)
        part = first_rows(labelled, train["id"].to_pylist(), rows, f"{settings.filter.seed} {seed}")
        history, found[seed] = students.student(train.num_rows, train.filter(pa.array(part)), table, seed, training)
        entropy = label_entropy(np.array(list(Counter(labelled[part].tolist()).values())))
        histories.append(history.assign(seed=seed, rows=rows, entropy=entropy))
        note_duration(durations, source, seed, int(history["step"].max()), time.perf_counter() - started)
    with written_aside(out) as folder:
        folder.mkdir()
        write_runs(folder / RUNS, lambda _, seed: found[seed], [source], list(found))
        columns = {"seed": "int64", "step": "int64", "rows": "int64"}
        write_parquet(pd.concat(histories, ignore_index=True).astype(columns), folder / HISTORY)


def recipe_for(settings: Settings, all_rows: int) -> TrainSettings:
    """The recipe of every size of a source with so many rows: the steps and validations that students of all have."""
    recipe = recipe_of(settings.train)
    steps = settings.curve.steps or recipe.steps_for(all_rows)
    between = recipe.validate_every or recipe.steps_per_epoch(all_rows)
    changes = {"budget": "steps", "steps": steps, "validate_every": between}
    return recipe.model_copy(update=changes | {"least_steps": min(recipe.least_steps, steps)})


def _of(table: pa.Table, split: str) -> pa.Table:
    return table.filter(pc.equal(table["split"], split))


class _Students:
    """What students of one encoder share: its weights and tokenizer, and the tokens of the test rows."""

    def __init__(self, settings: Settings, classes: list[str], test: pa.Table) -> None:
        self._settings, self._classes, self._test = settings, classes, test
        recipe = recipe_of(settings.train)
        with uncollected():
            share_cores(recipe.threads)
            from labelrisk.encoders import loading

            self._found = loading.resolve(recipe.model, recipe.revision, "train")
            self._tokenizer = loading.load_tokenizer(self._found, recipe.revision)
        self._test_tokens = self._tokens(test)

    def student(
        self, all_rows: int, train: pa.Table, table: pa.Table, seed: int, path: Path
    ) -> tuple[pd.DataFrame, Run]:
        """Train one on the rows `train`: what it logged, by step, and its probabilities.

        all_rows: those that students of all rows have; table: with the validation rows.
        """
        from labelrisk.encoders import loading
        from labelrisk.students import encoders, training

        recipe, validation = recipe_for(self._settings, all_rows), _of(table, "validation")
        with uncollected():
            head = training.seeds_of(seed).head
            student = encoders.load_classifier(self._found, recipe.revision, self._classes, recipe.dropout, head)
        loading.check_length(student, recipe.max_tokens, "train")
        logged: dict[int, dict[str, float]] = {}
        tuned = training.fine_tune(
            student, self._tokens(train), targets_of(train, self._classes, path), self._tokens(validation),
            codes_of(validation, self._classes, path), recipe, seed,
            log=lambda step, metrics: logged.setdefault(step, {}).update(metrics), progress=True,
        )  # fmt: skip
        on_test = training.predict(tuned.model, self._test_tokens, recipe.evaluation_batch_size)
        ids = [*validation["id"].to_pylist(), *self._test["id"].to_pylist()]
        splits = np.array(["validation"] * len(validation) + ["test"] * len(self._test), dtype=object)
        history = pd.DataFrame({
            "step": list(logged),
            LOSS: [metrics.get("loss") for metrics in logged.values()],
            VALIDATION: [metrics.get("validation/macro_f1") for metrics in logged.values()],
        })  # fmt: skip
        return history, Run(pd.Index(ids), splits, np.concatenate([tuned.validation, on_test]))

    def _tokens(self, rows: pa.Table) -> Tokens:
        from labelrisk.encoders.tokens import tokenise

        return tokenise(self._tokenizer, rows["text"].to_pylist(), recipe_of(self._settings.train).max_tokens)
