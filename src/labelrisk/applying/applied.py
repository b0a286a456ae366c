"""A classifier that is loaded as its user asks, and what it says of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labelrisk.applying.columns import Columns
from labelrisk.applying.deliveries import check_output
from labelrisk.applying.places import parquet_files
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.shares_file import check_shares_file
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.calibration import digest
from labelrisk.classifiers.labelling import Said, say
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import canonical_json

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
    graph: Path | None

    def check(self, source: str, out: str) -> None:
        """Raise LabelRiskError for options that do not fit together."""
        if self.probability is not None and self.gold is None:
            raise LabelRiskError("--probability is about rows with gold; give --gold too, or leave it out")
        if self.shares is not None:
            check_shares_file(self.shares)
        if out != "-" and source != "-":
            check_output(out, of_folder=parquet_files(source) is not None)
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
                options.classifier, options.calibration, options.batch, options.graph
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
            "--graph": digest(self.options.graph) if self.options.graph is not None else "None",
            "device": self.model.computes,
            "version of labelrisk": version("labelrisk"),
        }
