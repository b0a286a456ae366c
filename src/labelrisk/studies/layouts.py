"""All studies as one table: plain text of 80 columns, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from labelrisk.comparison.table import Table, interval, markdown_table, percent
from labelrisk.corpora.spreadsheets import safe_text
from labelrisk.statistics.sign_tests import least_tasks, least_values
from labelrisk.studies.figures import Figures, Study
from labelrisk.studies.over_tasks import CONFIDENCE, Chosen, Line, Sum, Summary
from labelrisk.text_tables import WIDTH, ascii_of, cut, markdown_of, text_table

INDENT, DEEP = "  ", "      "
LEVEL = 0.05
MARK = " *"
LEGEND = (
    "x100. F1, alpha: of students of the source, minus those of the reference; alpha: agreement of their seeds; right: "
    "the annotator's labels of the test rows; cost: of the labels."
)
RULE = "the {first}, whatever its result; several sources of one study share its texts and are no independent tasks"
FIRST_PLAIN = "first source in its params.yaml that takes an LLM's labels as they are"
FIRST_NAMED = "first that it has of the sources named by --source"


def studies_text(studies: Sequence[Study], chosen: Chosen, found: Summary, named: Sequence[str]) -> str:
    """The table of studies, the table over tasks, and what both say; plain ASCII of at most 80 columns."""
    rows = [_row(of, found.one_each.get(study)) for study, sources in chosen.items() for of in sources]
    lines = text_table(["study, source", *_head(studies)], rows).split("\n") if rows else []
    parts, below = lines[:2], iter(lines[2:])
    for study in studies:
        parts.append(cut(study.name, WIDTH))
        for of in chosen.get(study.name, ()):
            parts += [next(below), *_wrapped(f"{of.verdict}: {of.because}", DEEP)]
        if study.advice:
            parts += _wrapped(f"{study.word}: {study.advice}", INDENT)
    sentences = [*_sentences(found, named), *([LEGEND] if rows else [])]
    tables = ["\n".join(parts)] + ([text_table(*_over_tasks(found))] if found.lines else [])
    return "\n\n".join([*tables, "\n".join(line for one in sentences for line in _wrapped(one))])


def studies_markdown(studies: Sequence[Study], chosen: Chosen, found: Summary, named: Sequence[str]) -> str:
    """The same as Markdown."""
    rows = []
    for study in studies:
        rows += [
            [study.name, *_row(of, found.one_each.get(study.name), ""), f"**{of.verdict}**: {of.because}"]
            for of in chosen.get(study.name, ())
        ]
        if study.advice:
            rows.append([study.name, "", *["-"] * len(_head(studies)), f"**{study.word}**: {study.advice}"])
    tables = [markdown_table((["study", "source", *_head(studies), "verdict"], rows))]
    tables += [markdown_table(_over_tasks(found))] if found.lines else []
    return "\n\n".join([*tables, *map(markdown_of, _sentences(found, named)), LEGEND])


def studies_csv(studies: Sequence[Study], chosen: Chosen) -> str:
    """A line for each source of each study, and one for each study without figures; shares, as in the metrics files."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["study", "state", *Figures._fields, "advice"], lineterminator="\n", restval="")
    writer.writeheader()
    for study in studies:
        about = {"study": study.name, "state": study.state, "advice": study.advice}
        rows = [about | of._asdict() for of in chosen.get(study.name, ())] or [about]
        writer.writerows(
            {key: safe_text(cell) if isinstance(cell, str) else cell for key, cell in row.items()} for row in rows
        )
    return text.getvalue().rstrip("\n")


def studies_json(studies: Sequence[Study], chosen: Chosen, found: Summary) -> dict[str, Any]:
    """All of it: shares, as in the metrics files."""
    return {
        "studies": [
            study._asdict() | {"sources": [of._asdict() for of in chosen.get(study.name, ())]} for study in studies
        ],
        "over_tasks": [
            {"over": line.over, "sources": line.sources} | {name: _of_sum(one) for name, one in _sums(line).items()}
            for line in found.lines
        ],
        "left_out": found.left_out,
        "remarks": found.remarks,
    }


def _of_sum(one: Sum) -> dict[str, Any]:
    return {"median": one.median._asdict(), "sign_test": one.test._asdict()}


def _sums(line: Line) -> Mapping[str, Sum]:
    return {"F1": line.gap} | ({"alpha": line.alpha} if line.alpha else {})


def _head(studies: Sequence[Study]) -> list[str]:
    levels = {study.confidence for study in studies if study.confidence is not None}
    level = f"{100 * next(iter(levels)):.4g} %" if len(levels) == 1 else "interval"
    return [f"F1 [{level}]", f"alpha [{level}]", "right", "cost"]


def _row(of: Figures, marked: str | None, indent: str = INDENT) -> list[str]:
    """marked: the source that stands for its study."""
    alpha = "-"
    if of.alpha_difference is not None and of.alpha_low is not None and of.alpha_high is not None:
        alpha = interval(of.alpha_difference, of.alpha_low, of.alpha_high)
    elif of.alpha_difference is not None:
        alpha = percent(of.alpha_difference, 1, "+z")
    cost = "-" if of.cost is None else f"{of.cost:,.2f}"
    gap = interval(of.difference, of.low, of.high)
    return [f"{indent}{of.source}{MARK * (of.source == marked)}", gap, alpha, percent(of.accuracy, 1), cost]


def _over_tasks(found: Summary) -> Table:
    header = ["over tasks", "studies", "median [95 %]", "below gold", "p"]
    rows = []
    for line in found.lines:
        for measure, one in _sums(line).items():
            middle, test = one.median, one.test
            shown = percent(middle.estimate, 1, "+z")
            if middle.low is not None and middle.high is not None:
                shown = interval(middle.estimate, middle.low, middle.high)
            ties = f", {test.ties} tied" if test.ties else ""
            below = f"{test.below} of {test.counted}{ties}"
            p = "-" if test.p is None else f"{test.p:.3f}" if test.p >= 0.001 else f"{test.p:.0e}"
            rows.append([f"{line.over}: {measure}", str(len(line.sources)), shown, below, p])
    return header, rows


def _sentences(found: Summary, named: Sequence[str]) -> list[str]:
    """What the table over tasks says and can't say."""
    said = []
    if found.lines:
        rule = RULE.format(first=FIRST_NAMED if named else FIRST_PLAIN)
        said += [f"* stands for its study: {rule}."] if found.one_each else []
        said.append(
            "p: exact one-sided sign test that students of these labels are worse (F1) or less stable (alpha) than "
            f"those of gold in more than half of such tasks; ties are left out. {_power(found)}"
        )
    said += [f"Not in the summary: {'; '.join(found.left_out)}."] if found.left_out else []
    return said + [f"{remark}." for remark in found.remarks]


def _power(found: Summary) -> str:
    """What the sign test can say at so many studies."""
    most = max(one.test.counted for line in found.lines for one in _sums(line).values())
    needed = least_tasks(LEVEL)
    smallest = f"{0.5**most:.3g}" if most else "1"
    studies = f"{most} studies" if most != 1 else "1 study"
    can = f"With {studies} the smallest possible p is {smallest}"
    if most < needed:
        can += f", so that nothing can be decided at {LEVEL:g}: that takes {needed} studies"
    if most < (least := least_values(CONFIDENCE)):
        can += f"; a median has an interval from {least} studies on"
    return f"{can}."


def _wrapped(sentence: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        ascii_of(sentence), WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
