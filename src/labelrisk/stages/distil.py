"""distil: one student that learns what the chosen ensemble says of the train rows."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.classifiers.folders import name_of, write_form
from labelrisk.classifiers.voting import load
from labelrisk.comparison.runs import Run, write_runs
from labelrisk.corpora.prepared import Prepared
from labelrisk.encoders.memory_and_cores import share_cores, uncollected
from labelrisk.errors import LabelRiskError
from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.settings.distil import DISTILLED
from labelrisk.settings.presets import recipe_of
from labelrisk.statistics.class_codes import codes_of
from labelrisk.students.targets import Targets


def run(settings: Settings, prepared: Path, chosen: Path, model: Path, predictions: Path) -> None:
    """Write the student as a folder that labelrisk.load reads, and its probabilities of the validation and test rows.

    It learns from the ensemble's mean probabilities of train rows, with gold or without, by the recipe of `train`.  The
    gold labels of validation rows choose its checkpoint; with filter.validation_labels: annotator what the ensemble
    says of all validation rows.
    Raises LabelRiskError where no validation row can choose.
    """
    rows, recipe = Prepared(prepared), recipe_of(settings.train)
    classes = rows.classes
    by_gold = settings.filter.validation_labels == "gold"
    train, test = rows.first("train", settings.distil.rows), rows.split("test")
    validation = rows.with_gold("validation") if by_gold else rows.split("validation")
    if validation.empty:
        raise LabelRiskError(
            "distil: no validation row has a gold label to choose the student's checkpoint by; add some, or set "
            "filter.validation_labels: annotator"
        )
    with uncollected():
        share_cores(recipe.threads)
        from labelrisk.encoders import loading
        from labelrisk.encoders.tokens import tokenise
        from labelrisk.students import encoders, runs, training

        teacher = load(chosen)
        soft = teacher.probabilities(train["text"].tolist())
        of_validation = (
            codes_of(validation["gold"], classes)
            if by_gold
            else teacher.probabilities(validation["text"].tolist()).argmax(axis=1)
        )
        del teacher
        found = loading.resolve(recipe.model, recipe.revision, "train")
        tokenizer = loading.load_tokenizer(found, recipe.revision)
        head = runs.seeds_of(settings.distil.seed).head
        student = encoders.load_classifier(found, recipe.revision, classes, recipe.dropout, head)
    loading.check_length(student, recipe.max_tokens, "train")
    tokens = [tokenise(tokenizer, part["text"].tolist(), recipe.max_tokens) for part in (train, validation, test)]
    targets = Targets(codes=soft.argmax(axis=1), soft=soft)
    tuned = training.fine_tune(
        student, tokens[0], targets, tokens[1], of_validation, recipe, settings.distil.seed, progress=True
    )
    on_test = training.predict(tuned.model, tokens[2], recipe.evaluation_batch_size)
    splits = np.array(["validation"] * len(validation) + ["test"] * len(test), dtype=object)
    said = Run(pd.Index([*validation["id"], *test["id"]]), splits, np.concatenate([tuned.validation, on_test]))
    own = (DISTILLED, settings.distil.seed)
    with ExitStack() as outputs:
        file, folder = (outputs.enter_context(written_aside(path)) for path in (predictions, model))
        write_runs(file, lambda *_: said, [DISTILLED], [settings.distil.seed])
        folder.mkdir()
        with loading.quiet():
            tuned.model.save_pretrained(folder / name_of(own))
            tokenizer.save_pretrained(folder / name_of(own))
        write_form(folder, DISTILLED, classes, recipe.max_tokens, [own])
