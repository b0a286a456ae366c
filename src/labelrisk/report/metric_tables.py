"""Tables of scores: verdicts, students, annotators, cheap classifiers, votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelrisk.comparison.table import interval, percent
from labelrisk.report.sections import Table, filled, table

Scores = Mapping[str, Any]
COST = "cost"


def verdict_table(verdict: Scores, sure: str) -> Table:
    """The verdict of each source with its numbers; verdict: of metrics/verdict.json; sure: of intervals, as 95 %."""
    header = ["source", "verdict", "because", f"difference of macro-F1 [{sure}]", f"difference of alpha [{sure}]"]
    header += ["weakest class", "its recall", "gold labels", COST, "failed runs"]
    rows = [
        [
            name,
            of["verdict"],
            of["because"],
            difference(of["difference"], of["low"], of["high"]),
            difference(of["alpha_difference"], of["alpha_low"], of["alpha_high"]),
            of["weakest_class"],
            percent(of["weakest_recall"], 1),
            f"{of['gold_labels']:,}",
            money(of["cost"]),
            f"{of['failed_runs']:,}",
        ]
        for name, of in verdict["sources"].items()
    ]
    shown = filled(header, rows, {COST, "failed runs"})
    return table("Verdicts: each source against the reference", *shown, "metrics/verdict.json")


def sources_table(sources: Scores, sure: str) -> Table:
    """Scores of the students of each source, as they are; sure: the confidence of intervals, as 95 %."""
    header = ["source", "rows", f"macro-F1 [{sure}]", "sd over seeds", "accuracy", "sd over seeds of accuracy"]
    header += ["alpha", "p_uc", "labels right", "class shift", "gold labels", "labels of people", COST]
    rows = [
        [
            name,
            f"{of['rows']:,}",
            between(of["macro_f1"], of["macro_f1_low"], of["macro_f1_high"]),
            percent(of["macro_f1_sd"], 2),
            percent(of["accuracy"], 1),
            percent(of["accuracy_sd"], 2),
            between(of["alpha"], of["alpha_low"], of["alpha_high"]),
            percent(of["p_uc"], 1),
            percent(of["label_accuracy"], 1),
            percent(of["class_shift"], 1),
            f"{of['gold_labels']:,}",
            f"{of['human_labels']:,}",
            money(of["cost"]),
        ]
        for name, of in sources.items()
    ]
    shown = filled(header, rows, {COST})
    return table("Students of each source on the test rows", *shown, "metrics/sources.json")


def annotators_table(annotators: Scores) -> Table:
    """Annotators as classifiers, on test and train rows."""
    header = ["annotator", "coverage", "accuracy", "macro-F1", "coverage on train rows", "accuracy on train rows"]
    header += ["macro-F1 on train rows"]
    keys = [f"{split}_{measure}" for split in ("test", "train") for measure in ("coverage", "accuracy", "macro_f1")]
    rows = [[name, *(percent(of.get(key), 1) for key in keys)] for name, of in annotators.items()]
    return table("Annotators used directly, on the test rows", header, rows, "metrics/annotators.json")


def baselines_table(baselines: Scores) -> Table:
    """Cheap classifiers on gold."""
    rows = [
        [name, f"{of['gold_labels']:,}", percent(of["test_accuracy"], 1), percent(of["test_macro_f1"], 1)]
        for name, of in baselines.items()
    ]
    header = ["classifier", "gold labels", "accuracy", "macro-F1"]
    return table("Cheap classifiers on gold, on the test rows", header, rows, "metrics/baselines.json")


def ensembles_table(ensembles: Scores, sure: str) -> Table:
    """Votes over seeds, and over sources."""
    rows = [
        [
            name,
            way,
            between(of["macro_f1"], of["low"], of["high"]),
            percent(of["accuracy"], 1),
            percent(of["gain"], 1, "+z"),
        ]
        for name, ways in ensembles.items()
        for way, of in ways.items()
    ]
    header = ["students of", "vote", f"macro-F1 [{sure}]", "accuracy", "gain over the mean student"]
    return table("Votes of students on the test rows", header, rows, "metrics/ensembles.json")


def difference(estimate: float | None, low: float | None, high: float | None) -> str:
    """A difference in points with its bounds; '-' without one."""
    return "-" if estimate is None or low is None or high is None else interval(estimate, low, high)


def between(estimate: float | None, low: float | None, high: float | None) -> str:
    """A share x100 with its bounds; without these alone, '-' without it."""
    if low is None or high is None:
        return percent(estimate, 1)
    return f"{percent(estimate, 1)} [{percent(low, 1)}, {percent(high, 1)}]"


def money(cost: float | None) -> str:
    """An amount of money; '-' where it is not known."""
    return "-" if cost is None else f"{cost:,.2f}"
