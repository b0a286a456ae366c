"""A classifier is applied as its user asks: to a file, in parts that are kept, or to lines of a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa

from labelrisk.applying.applied import Applied, Options
from labelrisk.applying.deliveries import check_absent, delivered, suffix_of
from labelrisk.applying.gold import Gold
from labelrisk.applying.inputs import Input, check_column, check_texts, open_input
from labelrisk.applying.outputs import json_rows
from labelrisk.applying.parts import kept_parts
from labelrisk.applying.pipe import answer, waiting_objects, write_line
from labelrisk.applying.ray_actors import label_parts_on_ray
from labelrisk.applying.report import report
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.run import Source, label_parts, put_together
from labelrisk.applying.shares_file import write_shares
from labelrisk.settings.engine import EngineSettings


def label_file(name: str, out: str, options: Options, engine: EngineSettings, *, anew: bool) -> None:
    """Label a file, or several; print what is said of all rows."""
    check_absent(out, anew=anew)
    rows = open_input(name)
    gold = _checked(name, rows, options)
    applied = Applied(options)
    gold = gold and gold._replace(classes=applied.model.classes)
    if gold:
        gold.check(name, rows)
    columns, summary = applied.columns, applied.summary
    columns.schema(rows.schema, name)
    source = Source(name, rows, options.text, options.by, gold)
    with kept_parts(out, applied.plan, anew=anew) as parts:
        with closing(RowsBar(rows.rows, applied.passes)) as progress:
            if engine.kind == "ray":
                label_parts_on_ray(source, parts, out, applied, engine, progress)
            else:
                label_parts(source, parts, out, lambda texts: applied.say(texts, progress), progress)
        with delivered(out, parts.whole, anew=anew) as temporary:
            put_together(source, parts.read(), columns, summary, temporary, suffix_of(out))
            if options.shares is not None:
                write_shares(summary, options.by, options.shares)
    print(report(summary, applied.model.max_tokens, out, applied.model.told))


def _checked(name: str, rows: Input, options: Options) -> Gold | None:
    """The columns of gold.  Raises LabelRiskError for columns that are not there."""
    check_texts(name, rows, options.text)
    for option, column in (("--by", options.by), ("--gold", options.gold), ("--probability", options.probability)):
        if column is not None:
            check_column(name, rows, column, option)
    return None if options.gold is None else Gold(options.gold, options.probability, ())


def label_lines(source: str, out: str, options: Options) -> None:
    """Answer lines of a pipe as they come, or write a file's rows as lines; what is said of all goes to the errors."""
    rows = None if source == "-" else open_input(source)
    if rows is not None:
        _checked(source, rows, options)
    applied = Applied(options)
    columns, summary = applied.columns, applied.summary
    names = {field.name for field in columns.fields}
    parts: Iterator[list[dict[str, Any]]]
    if rows is None:
        parts = waiting_objects(0)
    else:
        columns.schema(rows.schema, source)
        parts = (list(json_rows(batch)) for batch in rows.batches())
    for part in parts:

        def ours(texts: list[object], part: list[dict[str, Any]] = part) -> list[Mapping[str, Any]]:
            said = applied.say(texts)
            summary.add(said, None if options.by is None else [row.get(options.by) for row in part])
            batch = pa.RecordBatch.from_arrays(columns.arrays(said), schema=pa.schema(columns.fields))
            return list(json_rows(batch))

        for row in answer(part, options.text, ours, names):
            write_line(row)
        sys.stdout.flush()
    if options.shares is not None:
        write_shares(summary, options.by, options.shares)
    if summary.whole.read:
        print(report(summary, applied.model.max_tokens, "labelled", applied.model.told), file=sys.stderr)
