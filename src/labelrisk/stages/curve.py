"""curve: students of the first so many labelled train rows of a source, one a seed, for its learning curve."""

from __future__ import annotations

import io
from collections import Counter
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelrisk.comparison.runs import HISTORY, RUNS, read_run, write_runs
from labelrisk.comparison.training_curves import LOSS, VALIDATION
from labelrisk.files import read_json, write_parquet, written_aside
from labelrisk.params import Settings
from labelrisk.settings.presets import recipe_of
from labelrisk.settings.train import TrainSettings
from labelrisk.sources.nested_rows import first_rows
from labelrisk.statistics.convergence import label_entropy
from labelrisk.students.keys import digest_of, student_key
from labelrisk.students.store import Store
from labelrisk.students.targets import codes_of, labelled_rows
from labelrisk.students.task import LOGGED, PREDICTIONS
from labelrisk.students.wanted import Inputs, WantedStudent, train_missing


def run(
    settings: Settings,
    rows: int,
    source: str,
    training: Path,
    test: Path,
    labels: Path,
    code: Path,
    store: Path,
    out: Path,
    durations: Path,
) -> None:
    """Write the probabilities and the course of training of all students of so many rows, in the folder `out`.

    training: the source's folder, with what each seed's student learns from; its labelled train rows have an order that
    keeps the shares of the labels, another one for each seed, so that its luck belongs to the spread over seeds; the
    first so many are learned from.  All validation rows choose the checkpoint, as in the stage train.
    runs.parquet: as evaluate writes those of all rows.  history.parquet: seed, step, loss and validation_macro_f1, and
    of the run the rows and the entropy of their labels in nats.  Both are empty where the source has no more rows.
    code, store: as in the stage train.
    """
    inputs = Inputs(test, labels, code)
    wanted = wanted_students(settings, rows, source, training, inputs, store)
    if not wanted:
        print(f"source '{source}' has no more than {rows:,} labelled train rows: no student is trained")
    with Store(store).in_use():
        train_missing(wanted, inputs, settings.engine, durations)
        _write(settings, rows, source, wanted, read_json(labels), out)
    if wanted:
        wanted[0].stored.deliver(one.key for one in wanted)


def _write(
    settings: Settings, rows: int, source: str, wanted: list[WantedStudent], classes: list[str], out: Path
) -> None:
    """What finished students say, and the course of their training."""
    found = {one.seed: one for one in wanted}
    histories = [pd.DataFrame({"seed": [], "step": [], LOSS: [], VALIDATION: [], "rows": [], "entropy": []})]
    for one in wanted:
        entropy = _part(settings, rows, one.training, one.seed, classes).entropy
        histories.append(_history(one.path(LOGGED)).assign(seed=one.seed, rows=rows, entropy=entropy))
    with written_aside(out) as folder:
        folder.mkdir()
        write_runs(folder / RUNS, lambda _, seed: read_run(found[seed].path(PREDICTIONS)), [source], list(found))
        columns = {"seed": "int64", "step": "int64", "rows": "int64"}
        write_parquet(pd.concat(histories, ignore_index=True).astype(columns), folder / HISTORY)


def wanted_students(
    settings: Settings, rows: int, source: str, training: Path, inputs: Inputs, store: Path
) -> list[WantedStudent]:
    """A student for each seed that has more labelled train rows than so many."""
    stored, shared = Store(store).students(source, rows), digest_of(*inputs)
    classes: list[str] = read_json(inputs.labels)
    found = []
    for seed in settings.curve.seeds_of(settings.seeds):
        path = training / f"{seed}.parquet"
        all_rows = _of(labelled_rows(path), "train").num_rows
        if all_rows > rows:
            recipe = _recipe_for(settings, all_rows)
            key = student_key(shared, digest_of(path), recipe, seed, rows=rows, order=settings.filter.seed)
            content = partial(_content, settings, rows, path, seed, classes)
            found.append(WantedStudent(key, stored, source, seed, recipe, path, content, is_kept=False))
    return found


class _Part(NamedTuple):
    """What one student learns from, with the validation rows, and the entropy of its labels in nats."""

    table: pa.Table
    entropy: float


def _part(settings: Settings, rows: int, path: Path, seed: int, classes: list[str]) -> _Part:
    table = labelled_rows(path)
    train = _of(table, "train")
    labelled = codes_of(train, classes, path)
    chosen = first_rows(labelled, train["id"].to_pylist(), rows, f"{settings.filter.seed} {seed}")
    entropy = label_entropy(np.array(list(Counter(labelled[chosen].tolist()).values())))
    return _Part(pa.concat_tables([train.filter(pa.array(chosen)), _of(table, "validation")]), entropy)


def _content(settings: Settings, rows: int, path: Path, seed: int, classes: list[str]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(_part(settings, rows, path, seed, classes).table, buffer)
    return buffer.getvalue()


def _recipe_for(settings: Settings, all_rows: int) -> TrainSettings:
    """The recipe of every size of a source with so many rows: the steps and validations that students of all have."""
    recipe = recipe_of(settings.train)
    steps = settings.curve.steps or recipe.steps_for(all_rows)
    between = recipe.validate_every or recipe.steps_per_epoch(all_rows)
    changes = {"budget": "steps", "steps": steps, "validate_every": between}
    return recipe.model_copy(update=changes | {"least_steps": min(recipe.least_steps, steps)})


def _of(table: pa.Table, split: str) -> pa.Table:
    return table.filter(pc.equal(table["split"], split))


def _history(path: Path) -> pd.DataFrame:
    """What a student logged, by step."""
    logged: dict[int, dict[str, float]] = {}
    for step, metrics in read_json(path):
        logged.setdefault(step, {}).update(metrics)
    return pd.DataFrame({
        "step": list(logged),
        LOSS: [metrics.get("loss") for metrics in logged.values()],
        VALIDATION: [metrics.get("validation/macro_f1") for metrics in logged.values()],
    })  # fmt: skip
