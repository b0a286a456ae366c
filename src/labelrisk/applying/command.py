"""A classifier is applied as its user asks: to a file, in parts that are kept, or to lines of a pipe."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from labelrisk.applying.columns import Columns
from labelrisk.applying.gold import Gold
from labelrisk.applying.inputs import Input, check_column, check_texts, open_input
from labelrisk.applying.outputs import check_format, json_rows
from labelrisk.applying.parts import kept_parts
from labelrisk.applying.pipe import answer, waiting_objects, write_line
from labelrisk.applying.report import report
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.run import Source, label_parts, put_together
from labelrisk.applying.shares_file import check_shares_file, write_shares
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.labelling import Said, say
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import canonical_json, written_aside

if TYPE_CHECKING:
    from labelrisk.classifiers.calibrated import CalibratedClassifier


class Options(NamedTuple):
    """The options of `labelrisk predict` by their names, but for those of files."""

    classifier: Path
    text: str
    by: str | None
    gold: str | None
    probability: str | None
    shares: Path | None
    prefix: str
    by_class: bool
    without_distances: bool
    uncalibrated: bool
    calibration: Path | None
    batch: int | None

    def check(self, source: str, out: str) -> None:
        """Raise LabelRiskError for options that do not fit together."""
        if self.probability is not None and self.gold is None:
            raise LabelRiskError("--probability is about rows with gold; give --gold too, or leave it out")
        if self.shares is not None:
            check_shares_file(self.shares)
        if out != "-" and source != "-":
            check_format(Path(out))
            if Path(out).exists() and Path(source).exists() and Path(out).samefile(source):
                raise LabelRiskError(
                    f"--out {shown(out, 300)} is the file of --in, which is never replaced; name another"
                )
        elif out != "-":
            raise LabelRiskError("--in - is answered line by line; give --out -, and send that to a file")
        elif self.gold is not None:
            raise LabelRiskError("--gold needs all rows before the first is written; give --in and --out files")

    @property
    def distances(self) -> bool:
        """Whether texts are held against those learned from."""
        return not (self.uncalibrated or self.without_distances)


class Applied:
    """A classifier that is loaded, and what it says."""

    def __init__(self, options: Options) -> None:
        """Raises LabelRiskError where there is no classifier or no calibration of it."""
        from labelrisk.encoders.memory_and_cores import share_cores, uncollected

        with uncollected():
            share_cores(1)  # of one batch: there are several at once
            from labelrisk.classifiers.calibrated import CalibratedClassifier

            self.options = options
            self.model: CalibratedClassifier = CalibratedClassifier(
                options.classifier, options.calibration, options.batch
            )
            self.calibration = None if options.uncalibrated else self.model.calibration
            self.encoder = self.model.encoder if options.distances else None

    @property
    def passes(self) -> int:
        """Models that read each text."""
        return len(self.model) + (self.encoder is not None)

    def say(self, texts: list[object], progress: RowsBar | None = None) -> Said:
        """What is said of texts."""
        read = progress.read if progress is not None else (lambda texts: None)
        return say(self.model, self.encoder, self.calibration, texts, read)

    @property
    def columns(self) -> Columns:
        """What is added to rows."""
        how = self.options
        return Columns(
            self.model.classes, self.calibration, distance=how.distances, by_class=how.by_class, prefix=how.prefix
        )

    @property
    def summary(self) -> Summary:
        """Nothing counted yet."""
        has_gold = self.options.gold is not None
        return Summary(self.model.classes, self.calibration, has_gold=has_gold, has_distance=self.options.distances)

    @property
    def plan(self) -> Mapping[str, str]:
        """What must be the same for parts of two runs to fit together."""
        from importlib.metadata import version

        texts = hashlib.sha256()
        if self.calibration is not None and self.encoder is not None:
            form = self.calibration.form
            texts.update(canonical_json([form.embed.model_dump(), form.neighbours]).encode())
            texts.update(self.calibration.texts.tobytes())
        return {
            "classifier": self.model.digest,
            "calibration": texts.hexdigest()[:16],
            "--text": self.options.text,
            "--batch": str(self.options.batch),
            "device": self.model.computes,
            "version of labelrisk": version("labelrisk"),
        }


def label_file(path: Path, out: Path, options: Options, *, anew: bool) -> None:
    """Label a file; print what is said of all rows."""
    if out.exists() and not anew:
        raise LabelRiskError(f"{shown(out, 300)} is there already; name another --out, or give --anew to replace it")
    rows = open_input(path)
    gold = _checked(path, rows, options)
    applied = Applied(options)
    gold = gold and gold._replace(classes=applied.model.classes)
    if gold:
        gold.check(path, rows)
    columns, summary = applied.columns, applied.summary
    columns.schema(rows.schema, str(path))
    source = Source(path, rows, options.text, options.by, gold)
    with kept_parts(out, applied.plan, anew=anew) as parts:
        with closing(RowsBar(rows.rows, applied.passes)) as progress:
            count = label_parts(source, parts, out, lambda texts: applied.say(texts, progress), progress)
        with written_aside(out) as temporary:
            put_together(source, parts.read(count), columns, summary, temporary, out.suffix.lower())
            if options.shares is not None:
                write_shares(summary, options.by, options.shares)
    print(report(summary, applied.model.max_tokens, str(out)))


def _checked(path: Path, rows: Input, options: Options) -> Gold | None:
    """The columns of gold.  Raises LabelRiskError for columns that are not there."""
    check_texts(path, rows, options.text)
    for option, column in (("--by", options.by), ("--gold", options.gold), ("--probability", options.probability)):
        if column is not None:
            check_column(path, rows, column, option)
    return None if options.gold is None else Gold(options.gold, options.probability, ())


def label_lines(source: str, out: str, options: Options) -> None:
    """Answer lines of a pipe as they come, or write a file's rows as lines; what is said of all goes to the errors."""
    rows = None if source == "-" else open_input(Path(source))
    if rows is not None:
        _checked(Path(source), rows, options)
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
        print(report(summary, applied.model.max_tokens, "labelled"), file=sys.stderr)
