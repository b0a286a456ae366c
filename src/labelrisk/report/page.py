"""The page itself: its template filled, with scripts, data and the policy that lets nothing else in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from labelrisk.charts.contract import Chart
from labelrisk.charts.fitting import SCRIPT
from labelrisk.charts.themes import config_of
from labelrisk.codebook import Codebook
from labelrisk.report.sections import Section, Table
from labelrisk.report.security import policy, script_json, visible
from labelrisk.report.terms import TERMS, marked
from labelrisk.report.verdict_sentences import FIRST, judged_sources, next_step_sentence, study_sentence

FOLDER = Path(__file__).parent
OWN_SCRIPTS = ("page.js", "charts.js", "row.js", "list.js", "rows.js")
FIRST_SENTENCES = 4  # of an explanation: these say most, the others are opened
NO_ROWS: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that stands on the page but the rows.

    verdict: of metrics/verdict.json; params: the text of params.yaml; version: of labelrisk.
    """

    codebook: Codebook
    verdict: Mapping[str, Any]
    verdict_charts: Sequence[Chart]
    sections: Sequence[Section]
    provenance: Sequence[Table]
    params: str
    version: str


def html(page: Page, rows: Mapping[str, Any] = NO_ROWS) -> str:
    """The page as HTML; rows: what rows_that_matter found."""
    scripts, style = [vega(), own_script()], _file("page.css")
    judged = judged_sources(page.verdict)
    filled = _environment().get_template("page.html").render(
        title=f"labelrisk: {page.codebook.task.strip().splitlines()[0][:80]}",
        policy=policy(scripts, [style]),
        style=Markup(style),
        scripts=[Markup(script) for script in scripts],
        task=page.codebook.task,
        sentence=study_sentence(page.verdict),
        judged=judged[:FIRST],
        more_judged=len(judged[FIRST:]),
        step=next_step_sentence(page.verdict),
        verdict_charts=page.verdict_charts,
        sections=page.sections,
        first_sentences=FIRST_SENTENCES,
        provenance=page.provenance,
        params=page.params,
        glossary=sorted(TERMS, key=lambda term: term.name.lower()),
        classes=list(page.codebook.labels.items()),
        version=page.version,
        charts_json=Markup(script_json(_charts(page))),
        tables_json=Markup(script_json(_tables(page.sections))),
        rows_json=Markup(script_json(rows)),
    )  # fmt: skip
    return str(filled).lstrip()


@cache
def vega() -> str:
    """Vega-Embed with all that it needs, as `window.vegaEmbed`."""
    import vl_convert

    return f"(function () {{{vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;')}}})();"


def own_script() -> str:
    """The scripts of the page as one."""
    return "(function () {\n" + "\n".join([_file(OWN_SCRIPTS[0]), SCRIPT, *map(_file, OWN_SCRIPTS[1:])]) + "})();"


def _charts(page: Page) -> dict[str, Any]:
    parts = [("verdict", page.verdict_charts), *((section.key, section.charts) for section in page.sections)]
    specs = {f"{key}/{chart.name}": chart.spec for key, charts in parts for chart in charts}
    return {"specs": specs, "themes": {"light": config_of("light"), "dark": config_of("dark")}}


def _tables(sections: Sequence[Section]) -> dict[str, Any]:
    """By place the tables that are built when they are opened."""
    return {
        f"{section.key}/{place}": _visible(asdict(table) | {"numbers": list(table.numbers)})
        for section in sections
        for place, table in enumerate(section.more)
    }


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: _visible(one) for key, one in value.items()}
    return [_visible(one) for one in value] if isinstance(value, list | tuple) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["marked"] = marked
    environment.filters["slug"] = lambda word: re.sub(r"[^a-z]+", "-", word.lower()).strip("-")
    return environment


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
