"""evaluate: every source's students and every annotator against gold on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.annotators.gold import GoldAnnotator
from labelrisk.annotators.kinds import Annotator
from labelrisk.annotators.panel import Panel
from labelrisk.comparison import pictures
from labelrisk.comparison.risk import compare, run_macro_f1
from labelrisk.comparison.runs import LOSS, VALIDATION, codes, curves_by_epoch, probabilities, read_curves, read_runs
from labelrisk.files import read_json, write_json, write_parquet, written_aside
from labelrisk.params import Settings
from labelrisk.statistics.agreement import krippendorff_alpha, unchanged
from labelrisk.statistics.scores import Codes, accuracy, class_scores, confusion, coverage, macro_f1, rounded
from labelrisk.statistics.votes import soft_vote
from labelrisk.undeclared_outputs import prune_files, prune_runs

Counts = NDArray[np.int64]
DECIMALS = 4
MISSING = "(no label)"


def run(
    settings: Settings,
    prepared: Path,
    labels: Path,
    ballots: Path,
    training: Path,
    predictions: Path,
    logs: Path,
    models: Path,
    runs: Path,
    metrics: Path,
    plots: Path,
) -> None:
    """Write metrics/{sources,annotators}.json, the plots folder's tables and pictures, and all runs as one frame.

    First removes from `labels`, `ballots`, `training`, `predictions`, `logs`, `models` and metrics/annotate what
    params.yaml no longer declares.
    """
    labellers: dict[str, Annotator | Panel] = settings.annotators | settings.panels
    removed = prune_files(labels, labellers) + prune_files(ballots, settings.annotators)
    removed += prune_files(metrics / "annotate", settings.annotators, ".json") + prune_files(training, settings.sources)
    for folder in (predictions, logs, models):
        removed += prune_runs(folder, settings.sources, settings.seeds)
    for path in removed:
        print(f"removed {path}: params.yaml no longer declares it")
    classes = read_json(prepared / "labels.json")
    test = pd.read_parquet(prepared / "test.parquet")
    train = pd.read_parquet(prepared / "train.parquet").dropna(subset="gold")
    gold = codes(test["gold"], classes)

    frame = read_runs(predictions, list(settings.sources), settings.seeds)
    write_parquet(frame, runs)
    stacks = {source: probabilities(frame, source, "test", test["id"]) for source in settings.sources}
    students = {source: stack.argmax(axis=-1) for source, stack in stacks.items()}
    counts = {source: np.stack([confusion(gold, run, len(classes)) for run in students[source]]) for source in stacks}
    write_json(_sources(settings, training, gold, students, counts, len(classes)), metrics / "sources.json")

    judged = [name for name, labeller in labellers.items() if not isinstance(labeller, GoldAnnotator)]
    answers = {name: pd.read_parquet(labels / f"{name}.parquet") for name in judged}
    on_train = {name: _answers(answers[name], "train", train["id"], classes) for name in judged}
    on_test = {name: _answers(answers[name], "test", test["id"], classes) for name in judged}
    train_gold = codes(train["gold"], classes)
    summaries = {
        name: _annotator(train_gold, on_train[name], len(classes), "")
        | _annotator(gold, on_test[name], len(classes), "test_")
        for name in judged
    }
    write_json(summaries, metrics / "annotators.json")

    direct = {name: given for name, given in on_test.items() if (given >= 0).any()}
    direct_counts = {name: confusion(gold, given, len(classes)) for name, given in direct.items()}
    by_seed = _by_seed(counts, settings.seeds)
    _write_csv(by_seed, plots / "f1_by_source.csv")
    _write_csv(_by_class(counts, direct_counts, classes), plots / "classes.csv")
    _write_csv(_items("annotator", gold, direct, classes), plots / "confusion_annotator.csv")
    _write_csv(_items("source", gold, _median_runs(counts, students), classes), plots / "confusion_student.csv")
    curves = read_curves(logs, list(settings.sources), settings.seeds)
    _write_csv(curves_by_epoch(curves), plots / "curves.csv")

    reference = settings.evaluate.reference
    votes = {
        source: float(run_macro_f1(gold, soft_vote(stack)[None], len(classes))[0]) for source, stack in stacks.items()
    }
    direct_f1 = {name: float(macro_f1(table)) for name, table in direct_counts.items()}
    with written_aside(plots / "f1_by_source.png") as path:
        pictures.f1_by_source(path, by_seed, reference, votes if len(settings.seeds) > 1 else {}, direct_f1)
    with written_aside(plots / "curves.png") as path:
        pictures.curves(path, curves, reference, VALIDATION, LOSS)
    of_annotators = {f"{name}\nannotator on test": table for name, table in direct_counts.items()}
    of_students = {f"{source}\nstudents, all seeds": tables.sum(axis=0) for source, tables in counts.items()}
    with written_aside(plots / "confusion.png") as path:
        pictures.confusions(path, of_annotators | of_students, classes)


def _answers(answers: pd.DataFrame, split: str, ids: pd.Series[Any], classes: Sequence[str]) -> Codes:
    """The annotator's labels of the rows `ids` as codes; -1 for a row that it left out or didn't see."""
    given = answers[answers["split"] == split].set_index("id")["label"]
    return codes(given.reindex(ids.to_numpy()), classes)


def _sources(
    settings: Settings,
    training: Path,
    gold: Codes,
    students: Mapping[str, Codes],
    counts: Mapping[str, Counts],
    classes: int,
) -> dict[str, dict[str, Any]]:
    how = settings.evaluate
    comparisons = compare(
        gold,
        students,
        classes,
        reference=how.reference,
        margin=how.margin,
        confidence=how.confidence,
        resamples=how.resamples,
        seed=how.seed,
    )
    summary: dict[str, dict[str, Any]] = {}
    for source, tables in counts.items():
        summary[source] = {}
        for name, values in (("accuracy", accuracy(tables)), ("macro_f1", macro_f1(tables))):
            summary[source][name] = rounded(values.mean())
            summary[source][f"{name}_sd"] = rounded(values.std(ddof=1)) if len(values) > 1 else None
        comparison = comparisons[source]
        summary[source] |= {
            "alpha": rounded(krippendorff_alpha(students[source], classes)),
            "p_uc": rounded(unchanged(students[source])),
            "difference": rounded(comparison.difference),
            "difference_low": rounded(comparison.low),
            "difference_high": rounded(comparison.high),
            "verdict": comparison.verdict,
        }
        rows = pd.read_parquet(training / f"{source}.parquet", columns=["split", "origin", "label"])
        rows = rows[(rows["split"] == "train") & rows["label"].notna()]
        is_gold = isinstance(settings.annotators.get(settings.sources[source].annotator), GoldAnnotator)
        # Noise drawn onto gold labels spends them too: they must be known before they can be spoilt.
        spent = rows["origin"].isin(["gold", "noise", *(["annotator"] if is_gold else [])])
        summary[source] |= {"rows": len(rows), "gold_labels": int(spent.sum())}
    return summary


def _annotator(gold: Codes, given: Codes, classes: int, prefix: str) -> dict[str, float | None]:
    """Scores of an annotator's labels; None where it labelled no row at all, which is not the same as being wrong."""
    is_known = bool((given >= 0).any())
    table = confusion(gold, given, classes)
    return {
        f"{prefix}coverage": rounded(coverage(given)),
        f"{prefix}accuracy": rounded(accuracy(table)) if is_known else None,
        f"{prefix}macro_f1": rounded(macro_f1(table)) if is_known else None,
    }


def _by_seed(counts: Mapping[str, Counts], seeds: Sequence[int]) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame({"source": source, "seed": seeds, "macro_f1": macro_f1(tables), "accuracy": accuracy(tables)})
            for source, tables in counts.items()
        ],
        ignore_index=True,
    )


def _by_class(students: Mapping[str, Counts], annotators: Mapping[str, Counts], classes: Sequence[str]) -> pd.DataFrame:
    frames = []
    for kind, group in (("student", students), ("annotator", annotators)):
        for name, tables in group.items():
            scores = class_scores(tables.reshape(-1, *tables.shape[-2:]))
            means = {metric: values.mean(axis=0) for metric, values in scores._asdict().items()}
            frames.append(pd.DataFrame({"kind": kind, "name": name, "class": classes} | means))
    return pd.concat(frames, ignore_index=True).astype({"support": int})


def _median_runs(counts: Mapping[str, Counts], students: Mapping[str, Codes]) -> dict[str, Codes]:
    """Of each source the run with the median macro-F1: one row per item and seed would swell the plots file."""
    middle = {
        source: np.argsort(macro_f1(tables), kind="stable")[(len(tables) - 1) // 2] for source, tables in counts.items()
    }
    return {source: runs[middle[source]] for source, runs in students.items()}


def _items(column: str, gold: Codes, predicted: Mapping[str, Codes], classes: Sequence[str]) -> pd.DataFrame:
    """One row per test item, as the confusion template of `dvc plots` wants it."""
    names = np.array([*classes, MISSING], dtype=object)  # code -1 is the last
    frames = [
        pd.DataFrame({column: name, "gold": names[gold], "predicted": names[run]}) for name, run in predicted.items()
    ]
    return pd.concat([pd.DataFrame(columns=[column, "gold", "predicted"]), *frames], ignore_index=True)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    with written_aside(path) as temporary:
        frame.round(DECIMALS).to_csv(temporary, index=False, lineterminator="\n")
