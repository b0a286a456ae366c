"""The table of slices as text: what `labelrisk table --by` prints, from plots/slices.csv."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from labelrisk.comparison.outputs import LESS_THAN
from labelrisk.comparison.table import Table, interval, level, markdown_table, percent
from labelrisk.corpora.spreadsheets import text_before
from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.text_tables import ascii_of, markdown_of, text_table

LEGEND = (
    "x100, on the gold test rows of each slice. F1: macro-F1 over the classes that gold has there. gap: to {reference} "
    "on the same rows, with its [{level}] over test rows and seeds, as of a slice that was looked at alone; decision: "
    "adjusted by Holm over all slices and sources ({compared} gaps), with the margin {margin:g}. '-', or no bounds: "
    "fewer rows than evaluate.slice_rows, or nothing varies in them. A row without a label counts as wrong."
)
NUMBERS = ("rows", "gold_classes", "pooled")
TEXTS = ("column", "slice", "kind", "name", "decision")
DECIDED = ("better", "worse", "equivalent", "not decided")
Row = Mapping[str, Any]


def read_slices(text: str) -> list[Row]:
    """The rows of plots/slices.csv: texts as they were, numbers as numbers, None where there is none."""
    return [{name: _read(name, value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def _read(column: str, value: str) -> str | float | None:
    if column in TEXTS:
        return text_before(value)
    if column in NUMBERS:
        return int(value)
    return float(value) if value else None


def slices_text(rows: Sequence[Row], by: str, verdict: Mapping[str, Any], width: int = 80) -> str:
    """Lay out the slices of the column `by` as plain ASCII of at most `width` columns, a table for each name.

    verdict: the contents of metrics/verdict.json.  Raises LabelRiskError for a column that has no slices.
    """
    of = _of_column(rows, by)
    tables = [text_table(*table, width) for table in _tables(of, verdict)]
    return "\n\n".join([*tables, textwrap.fill(ascii_of(_legend(rows, of, verdict)), width)])


def slices_markdown(rows: Sequence[Row], by: str, verdict: Mapping[str, Any]) -> str:
    """The same as Markdown."""
    of = _of_column(rows, by)
    return "\n\n".join([*map(markdown_table, _tables(of, verdict)), markdown_of(_legend(rows, of, verdict))])


def _of_column(rows: Sequence[Row], by: str) -> list[Row]:
    columns = list(dict.fromkeys(row["column"] for row in rows))
    if not columns:
        raise LabelRiskError("the study has no slices; name columns of the corpus in corpus.slices in params.yaml")
    if (written := by.replace("<", LESS_THAN)) not in columns:
        raise LabelRiskError(f"there are no slices by '{shown(by)}'; {nearest(by, columns)}")
    return [row for row in rows if row["column"] == written]


def _tables(rows: Sequence[Row], verdict: Mapping[str, Any]) -> list[Table]:
    tables = []
    for kind, name in dict.fromkeys((row["kind"], row["name"]) for row in rows):
        of = [row for row in rows if (row["kind"], row["name"]) == (kind, name)]
        if kind == "annotator":
            tables.append(_annotator(name, of, level(verdict)))
        elif name == _reference(verdict):
            tables.append(_students_of_reference(name, of, level(verdict)))
        else:
            tables.append(_students(name, of, level(verdict)))
    return tables


def _students(name: str, rows: Sequence[Row], level: str) -> Table:
    header = [name, "rows", "classes", "F1", f"gap [{level}]", "decision"]
    return header, [[*_slice(row), percent(row["macro_f1"], 1), _gap(row), row["decision"]] for row in rows]


def _students_of_reference(name: str, rows: Sequence[Row], level: str) -> Table:
    header = [name, "rows", "classes", f"F1 [{level}]", f"accuracy [{level}]"]
    return header, [[*_slice(row), _bounded(row, "macro_f1"), _bounded(row, "accuracy")] for row in rows]


def _annotator(name: str, rows: Sequence[Row], level: str) -> Table:
    header = [f"{name} (annotator)", "rows", "classes", f"coverage [{level}]", f"accuracy [{level}]"]
    return header, [[*_slice(row), _bounded(row, "coverage"), _bounded(row, "accuracy")] for row in rows]


def _slice(row: Row) -> list[str]:
    """Its name, rows and classes; where it is several values together, how many: the legend lists them."""
    name = f"other ({row['pooled']})" if row["pooled"] else row["slice"]
    return [name, f"{row['rows']:,}", str(row["gold_classes"])]


def _gap(row: Row) -> str:
    if row["low"] is None:
        return percent(row["difference"], 1, "+z")
    return interval(row["difference"], row["low"], row["high"])


def _bounded(row: Row, measure: str) -> str:
    low, high = row[f"{measure}_low"], row[f"{measure}_high"]
    bounds = "" if low is None else f" [{percent(low, 1)}, {percent(high, 1)}]"
    return percent(row[measure], 1) + bounds


def _reference(verdict: Mapping[str, Any]) -> str:
    sources: Mapping[str, Mapping[str, Any]] = verdict["sources"]
    return next(name for name, of in sources.items() if of["difference"] is None)


def _legend(rows: Sequence[Row], of: Sequence[Row], verdict: Mapping[str, Any]) -> str:
    """rows: of all columns, which were decided about together; of: those that are shown."""
    legend = LEGEND.format(
        reference=_reference(verdict),
        level=level(verdict),
        compared=sum(row["decision"] in DECIDED for row in rows),
        margin=round(100 * verdict["margin"], 6),
    )
    pool = next((row["slice"] for row in of if row["pooled"]), None)
    return legend if pool is None else f"{legend} In full: {pool}."
