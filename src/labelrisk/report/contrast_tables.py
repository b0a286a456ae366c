"""Tables of comparisons: contrasts, claims of the papers, slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelrisk.comparison.findings_table import OF_GAP
from labelrisk.comparison.table import percent
from labelrisk.report.metric_tables import between, difference
from labelrisk.report.sections import Table, table

Scores = Mapping[str, Any]


def contrasts_table(contrasts: Scores, sure: str) -> Table:
    """Each source against its controls, annotators and cheap classifiers.

    sure: the confidence of intervals, as 95 %.
    """
    rows = [
        [
            source,
            other,
            of["as"],
            difference(of["difference"], of["low"], of["high"]),
            of["decision"],
            percent(of["smallest_loss"], 1),
        ]
        for source, others in contrasts.items()
        for other, of in others.items()
    ]
    header = ["source", "against", "which is its", f"difference of macro-F1 [{sure}]", "decision"]
    header += ["loss that would be seen"]
    return table("Contrasts of macro-F1", header, rows, "metrics/contrasts.json")


def findings_tables(metrics: Scores, explained: Scores, sure: str) -> list[Table]:
    """The claims of the papers, by annotator; explained: the claims that explanations decide, which go before."""
    found = [
        _findings(metrics, "metrics/findings.json", "Claims of the papers on this study", sure),
        _findings(explained, "explanations/findings.json", "Claims that the explanations decide", sure),
    ]
    return [one for one in found if one.rows]


def _findings(content: Scores, file: str, caption: str, sure: str) -> Table:
    rows = [
        [name.replace("_", " "), annotator, of["finding"], _estimate(name, of), of["because"]]
        for annotator, claims in content.get("claims", {}).items()
        for name, of in claims.items()
    ]
    return table(caption, ["claim", "annotator", "finding", f"estimate [{sure}]", "because"], rows, file)


def _estimate(name: str, of: Scores) -> str:
    if of["estimate"] is None:
        return "-"
    if name in OF_GAP:
        low, high = (percent(of[end], 0) for end in ("low", "high"))
        return f"{percent(of['estimate'], 0)} % of the gap [{low}, {high}]"
    return difference(of["estimate"], of["low"], of["high"]) if of["low"] is not None else percent(of["estimate"], 1)


def slices_tables(slices: Scores, sure: str) -> list[Table]:
    """The worst slice of each source and annotator, by column."""
    tables = []
    for column, of in slices.get("columns", {}).items():
        rows = [
            [
                name,
                one.get("worst_slice", "-"),
                f"{one['rows']:,}" if "rows" in one else "-",
                difference(one.get("difference"), one.get("low"), one.get("high")),
                one.get("decision", "-"),
                f"{one['slices_worse']:,}" if "slices_worse" in one else "-",
                percent(one.get("accuracy_spread"), 1),
            ]
            for name, one in of["sources"].items()
        ]
        header = ["source", "worst slice", "its rows", f"macro-F1 against the reference [{sure}]", "decision"]
        header += ["slices worse for sure", "accuracy: best minus worst slice"]
        tables.append(table(f"Sources by {column} ({of['slices']:,} slices)", header, rows, "metrics/slices.json"))
        rows = [
            [
                name,
                one.get("worst_slice", "-"),
                f"{one['rows']:,}" if "rows" in one else "-",
                between(one.get("accuracy"), one.get("low"), one.get("high")),
                percent(one.get("coverage"), 1),
            ]
            for name, one in of.get("annotators", {}).items()
        ]
        header = ["annotator", "worst slice", "its rows", f"accuracy there [{sure}]", "coverage there"]
        if rows:
            tables.append(table(f"Annotators by {column}", header, rows, "metrics/slices.json"))
    return tables
