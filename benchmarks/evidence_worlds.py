"""Evidence made of arrays: worlds whose truth is known, for tests and benchmarks of explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.gold_rows import GoldRows
from labelrisk.comparison.study import AnnotatorLabels, Study, TrainingRows, students_of
from labelrisk.comparison.train_rows import TrainGold, TrainIds
from labelrisk.comparison.words import Words
from labelrisk.explanations.evidence import Evidence, Given, OnTrain, RowFacts, TrainFacts
from labelrisk.params import Settings
from labelrisk.statistics.scores import confusion

Codes = NDArray[np.int64]


def settings_of(sources: Mapping[str, Mapping[str, Any]], seeds: int, **changes: Any) -> Settings:
    """Settings with these sources, about the annotators gold and llm; so many seeds; else those of the built-in study.

    They stand here: whoever makes the project a study of their own has other worlds in mind.
    """
    content: dict[str, Any] = {
        "codebook": "codebook.yaml",
        "corpus": {"kind": "files", "path": "texts.csv"},
        "prepare": {"validation_share": 0.15, "test_share": 0.25, "seed": 0}
        | {"train_rows": 400, "validation_rows": 200, "test_rows": 1000},
        "annotate": {"concurrency": 64, "timeout": 60, "retries": 5},
        "filter": {"seed": 0, "validation_labels": "gold"},
        "train": {"model": "embedded", "revision": None, "precision": "auto", "budget": "steps", "steps": 120}
        | {"epochs": 3, "least_steps": 60, "validate_every": 20, "patience": None, "batch_size": 32}
        | {"evaluation_batch_size": 32, "learning_rate": 0.0003, "weight_decay": 0.01, "warmup_share": 0.05}
        | {"dropout": 0.1, "max_tokens": 256},
        "evaluate": {"margin": 0.02, "class_margin": 0.1, "stability_margin": 0.05, "confidence": 0.95, "flat": 0.02},
    }
    content |= {
        "annotators": {
            "gold": {"kind": "gold", "reads": "x"},
            "llm": {"kind": "import", "reads": "x", "probabilities": {"a": "a"}},
        },
        "sources": dict(sources),
        "seeds": list(range(seeds)),
        "panels": {},
        "second_opinions": {},
        "ensemble": {"across": []},
        "explain": {},
    }
    content["evaluate"] |= {"reference": next(iter(sources))}
    return Settings.model_validate(content | changes)


def certain(codes: Codes, classes: int, share: float = 0.9) -> NDArray[np.float32]:
    """Probabilities (..., N, K) that give `share` to the class of `codes` (..., N), the rest evenly to the others."""
    rest = (1 - share) / (classes - 1)
    return (np.eye(classes)[codes] * (share - rest) + rest).astype(np.float32)


def evidence_of(
    gold: Codes,
    students: Mapping[str, NDArray[np.floating[Any]]],
    *,
    classes: int,
    annotators: Mapping[str, NDArray[np.floating[Any]] | Codes] | None = None,
    train_gold: Codes | None = None,
    train_annotators: Mapping[str, NDArray[np.floating[Any]] | Codes] | None = None,
    training: Mapping[str, Codes] | None = None,
    validation_gold: Codes | None = None,
    validation: Mapping[str, NDArray[np.floating[Any]]] | None = None,
    vectors: NDArray[np.floating[Any]] | None = None,
    train_vectors: NDArray[np.floating[Any]] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    words: Codes | None = None,
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    **changes: Any,
) -> Evidence:
    """Evidence of these arrays.

    gold (N,); students: by source, probabilities (R, N, K), the first is the reference; annotators: probabilities
    (N, K) or codes (N,); training: the codes (M,) that students of a source learned from (of train_gold's rows; default
    train_gold); validation: by source (R, V, K).  sources: their sections (default: the first gold, the others of llm).
    changes: of params.yaml.  What is left out is a few rows of nothing in particular.
    """
    generator = np.random.default_rng(0)
    train_gold = np.arange(classes) if train_gold is None else train_gold
    validation_gold = np.arange(classes) if validation_gold is None else validation_gold
    names = list(students)
    runs = len(students[names[0]])
    sources = sources or {name: {"annotator": "llm" if place else "gold"} for place, name in enumerate(names)}
    how = settings_of(sources, runs, **changes)
    golds = {"test": gold, "validation": validation_gold, "train": train_gold}
    ids = {split: pd.Index([f"{split}{at:07d}" for at in range(len(of))]) for split, of in golds.items()}
    given_vectors = {"test": vectors, "train": train_vectors}
    slices = {name: np.array(values, dtype=object) for name, values in (columns or {}).items()}

    def facts(split: str) -> RowFacts:
        rows = len(golds[split])
        found = given_vectors.get(split)
        drawn = generator.standard_normal((rows, 8)).astype(np.float32) if found is None else found.astype(np.float32)
        long = words if split == "test" and words is not None else np.full(rows, 10)
        return RowFacts(
            ids=ids[split],
            gold=golds[split],
            words=long,
            vectors=drawn / np.linalg.norm(drawn, axis=1, keepdims=True),
            columns=slices if split == "test" else {},
        )

    def given(labels: NDArray[Any]) -> Given:
        if labels.ndim == 1:
            return Given(labels.astype(np.int64), None)
        return Given(labels.argmax(axis=1).astype(np.int64), labels.astype(np.float64))

    by_split = {
        "test": {name: given(of) for name, of in (annotators or {}).items()},
        "train": {name: given(of) for name, of in (train_annotators or {}).items()},
        "validation": {},
    }

    def scored(split: str) -> dict[str, AnnotatorLabels]:
        return {
            name: AnnotatorLabels(of.codes, confusion(golds[split], of.codes, classes))
            for name, of in by_split[split].items()
        }

    def learned(name: str) -> TrainingRows:
        codes = train_gold if training is None or name not in training else training[name]
        words = [Words.of([what] * len(codes)) for what in ("annotator", "llm", None)]
        return TrainingRows(np.arange(len(codes), dtype=np.int32), codes, *words)

    nothing = np.full((runs, len(validation_gold), classes), 1 / classes, dtype=np.float32)
    study = Study(
        settings=how,
        classes=tuple(f"class_{code}" for code in range(classes)),
        test=GoldRows(ids["test"], gold, slices),
        validation=GoldRows(ids["validation"], validation_gold),
        train=TrainGold(TrainIds.of(ids["train"]), np.arange(len(train_gold), dtype=np.int32), train_gold),
        students={
            name: students_of(gold, of.astype(np.float32), (validation or {}).get(name, nothing).astype(np.float32))
            for name, of in students.items()
        },
        training_rows={name: learned(name) for name in names},
        annotators_on_train=scored("train"),
        annotators_on_test=scored("test"),
        baselines={},
        costs={},
        costs_on_train={},
        curves=pd.DataFrame({"source": [], "seed": [], "step": []}),
    )
    every = {split: facts(split) for split in golds}
    train = every.pop("train")
    return Evidence(
        study=study,
        rows=every,
        train=TrainFacts(study.train.ids, train.gold, train.vectors),
        given={split: by_split[split] for split in every},
        on_train={name: OnTrain(of.codes, of.probabilities) for name, of in by_split["train"].items()},
    )
