"""The comparison as text: what a user reads after `make repro`, and the same in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from labelrisk.text_tables import text_table

LEGEND = (
    "x100; (sd) over seeds; alpha, p_uc: agreement of seeds; vote: F1 of their soft vote; gold: gold labels spent. "
    "F1 loss is below the margin: safe; above: risky; can't tell: unclear."
)
Scores = Mapping[str, Any]
Table = tuple[list[str], list[list[str]]]  # header; rows, whose first cell is the name


def comparison_table(
    sources: Mapping[str, Scores],
    annotators: Mapping[str, Scores],
    ensembles: Mapping[str, Scores],
    baselines: Mapping[str, Scores],
    width: int = 80,
) -> str:
    """Lay out the metrics files as plain ASCII of at most `width` columns, with a legend.

    `sources`, `annotators`, `ensembles`, `baselines`: the contents of metrics/sources.json, annotators.json,
    ensembles.json and baselines.json (may be empty). Names that don't fit are cut in the middle; a missing number is
    '-'.
    """
    parts = [text_table(*table, width) for table in _tables(sources, annotators, ensembles, baselines)]
    return "\n\n".join([*parts, "\n".join(textwrap.wrap(LEGEND, width))])


def comparison_markdown(
    sources: Mapping[str, Scores],
    annotators: Mapping[str, Scores],
    ensembles: Mapping[str, Scores],
    baselines: Mapping[str, Scores],
) -> str:
    """Lay out the metrics files as Markdown tables, with a legend; the arguments are those of comparison_table."""
    return "\n\n".join([*map(_markdown, _tables(sources, annotators, ensembles, baselines)), LEGEND])


def _tables(
    sources: Mapping[str, Scores],
    annotators: Mapping[str, Scores],
    ensembles: Mapping[str, Scores],
    baselines: Mapping[str, Scores],
) -> list[Table]:
    tables = [_stability(sources, ensembles), _risk(sources)]
    tables += [_annotators(annotators)] if annotators else []
    return tables + ([_baselines(baselines)] if baselines else [])


def _stability(sources: Mapping[str, Scores], ensembles: Mapping[str, Scores]) -> Table:
    header = ["students by source", "F1 (sd)", "accuracy (sd)", "alpha", "p_uc", "vote"]
    rows = [
        [
            name,
            _with_sd(of, "macro_f1"),
            _with_sd(of, "accuracy"),
            _percent(of["alpha"], 1),
            _percent(of["p_uc"], 1),
            _vote(ensembles, name),
        ]
        for name, of in sources.items()
    ]
    across = [name for name in ensembles if name not in sources]
    return header, rows + [[f"{name} (vote of sources)", "-", "-", "-", "-", _vote(ensembles, name)] for name in across]


def _risk(sources: Mapping[str, Scores]) -> Table:
    header = ["against the reference", "rows", "gold", "F1 difference", "verdict"]
    return header, [
        [name, str(of["rows"]), str(of["gold_labels"]), _difference(of), str(of["verdict"])]
        for name, of in sources.items()
    ]


def _annotators(annotators: Mapping[str, Scores]) -> Table:
    header = ["annotators used directly", "coverage", "accuracy", "F1"]
    return header, [
        [
            name,
            _percent(of["test_coverage"], 1),
            _percent(of["test_accuracy"], 2),
            _percent(of["test_macro_f1"], 2),
        ]
        for name, of in annotators.items()
    ]


def _baselines(baselines: Mapping[str, Scores]) -> Table:
    header = ["cheap classifiers on gold", "gold", "accuracy", "F1"]
    return header, [
        [name, str(of["gold_labels"]), _percent(of["test_accuracy"], 2), _percent(of["test_macro_f1"], 2)]
        for name, of in baselines.items()
    ]


def _percent(value: float | None, decimals: int, sign: str = "") -> str:
    return "-" if value is None else f"{100 * value:{sign}.{decimals}f}"


def _with_sd(scores: Scores, metric: str) -> str:
    sd = scores[f"{metric}_sd"]
    return _percent(scores[metric], 2) + ("" if sd is None else f" ({100 * sd:.2f})")


def _difference(scores: Scores) -> str:
    if scores["verdict"] == "reference":
        return "-"
    low, high = (_percent(scores[f"difference_{bound}"], 1, "+z") for bound in ("low", "high"))
    return f"{_percent(scores['difference'], 1, '+z')} [{low}, {high}]"


def _vote(ensembles: Mapping[str, Scores], name: str) -> str:
    return _percent(ensembles[name]["soft"]["macro_f1"], 2) if name in ensembles else "-"


def _markdown(table: Table) -> str:
    header, rows = table
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows])
