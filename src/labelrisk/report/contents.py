"""The parts of the page: every analysis and every explanation of the study, in the order in which one reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from labelrisk.charts.contract import Chart
from labelrisk.comparison.table import level
from labelrisk.explanations.told import Told, read_table
from labelrisk.report.contrast_tables import contrasts_table, findings_tables, slices_tables
from labelrisk.report.metric_tables import (
    annotators_table,
    baselines_table,
    ensembles_table,
    sources_table,
    verdict_table,
)
from labelrisk.report.readings import ANALYSED, EXPLAINED, GENERIC
from labelrisk.report.sections import Section, Table, table
from labelrisk.report.study_files import Found

Charts = Mapping[str, Sequence[Chart]]  # by section or explanation
NO_BREAK = "\u00a0"  # a space at which no line ends
FIRST_SCREEN = "verdict"  # the section of the one chart there


def sections_of(found: Found, charts: Charts) -> list[Section]:
    """All parts but the first screen, the rows and the provenance; one that has nothing to show is left out."""
    sure = level(found.metrics["verdict"]).replace(" ", NO_BREAK)
    tables: dict[str, Sequence[Table]] = {
        "sources": [verdict_table(found.metrics["verdict"], sure), sources_table(found.metrics["sources"], sure)],
        "annotators": [annotators_table(found.metrics["annotators"])],
        "baselines": [baselines_table(found.metrics["baselines"])],
        "contrasts": [contrasts_table(found.metrics["contrasts"], sure)],
        "findings": findings_tables(found.metrics["findings"], found.claims, sure),
        "slices": slices_tables(found.metrics["slices"], sure),
        "ensembles": [ensembles_table(found.metrics["ensembles"], sure)],
    }
    others = sorted(set(charts) - {FIRST_SCREEN} - ANALYSED.keys() - found.told.keys())
    parts = [_analysed(key, tables.get(key, ()), charts) for key in (*ANALYSED, *others)]
    explained = [_explained(one, charts) for one in sorted(found.told.values(), key=_place)]
    return [part for part in [*parts, *explained] if part.tables or part.charts or part.says or part.more]


def _analysed(key: str, tables: Sequence[Table], charts: Charts) -> Section:
    """Charts of an analysis are with the explanation where one has the same name."""
    title, reading = ANALYSED.get(key, (_titled(key), GENERIC))
    shown = [one for one in tables if one.rows]
    return Section(
        key=key, title=title, reading=reading, tables=shown, charts=() if key in EXPLAINED else charts.get(key, ())
    )


def _explained(told: Told, charts: Charts) -> Section:
    title, reading = EXPLAINED.get(told.name, (_titled(told.name), GENERIC))
    files = [*([told.table] if told.table else []), *told.other_tables]
    return Section(
        key=f"why-{told.name}",
        title=title,
        reading=reading,
        says=told.says,
        more=[one for one in map(_csv, files) if one.rows],
        charts=charts.get(told.name, ()),
    )


def _csv(path: Path) -> Table:
    header, rows = read_table(path)
    return table(path.name, [name.replace("_", " ") for name in header], rows, f"explanations/{path.name}")


def _place(told: Told) -> tuple[int, str]:
    known = list(EXPLAINED)
    return (known.index(told.name) if told.name in known else len(known), told.name)


def _titled(name: str) -> str:
    return name.replace("_", " ").capitalize()
