"""`labelrisk predict`: labels for texts of any number, by a classifier of a study."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelrisk.settings.engine import EngineSettings

HELP = "label a file or a pipe of texts with a classifier of the study"
EXAMPLE = """labelrisk predict --in big.parquet --out labelled.parquet
labelrisk predict --in posts.csv --text post --by outlet --shares shares.csv \\
  --classifier classifiers/distilled --out labelled.csv
labelrisk predict --in - --out -"""


def arguments(parser: ArgumentParser) -> None:
    """What is labelled, by what, what is written, and what is estimated."""
    text = (
        "CSV, TSV, JSONL or Parquet; a folder or 'pattern*' of Parquet; s3://bucket/key.parquet; -: JSON lines, a pipe"
    )
    parser.add_argument("--in", dest="source", required=True, metavar="FILE", help=text)
    text = "a new file of any of these formats, or a folder for a folder; -: JSON lines on standard output"
    parser.add_argument("--out", required=True, metavar="FILE", help=text)
    chosen = Path("classifiers/chosen")
    parser.add_argument("--classifier", type=Path, default=chosen, help="folder, such as classifiers/distilled")
    parser.add_argument("--text", default="text", metavar="COLUMN", help="column of the texts (default: text)")
    parser.add_argument("--by", metavar="COLUMN", help="shares and warnings also for each value of this column")
    text = "column with gold labels of some rows, by which class shares are corrected"
    parser.add_argument("--gold", metavar="COLUMN", help=text)
    text = "column with the chance with which a row with gold was drawn (default: all the same)"
    parser.add_argument("--probability", metavar="COLUMN", help=text)
    text = "write class shares there, naive and corrected, as .csv or .json"
    parser.add_argument("--shares", type=Path, metavar="FILE", help=text)
    parser.add_argument("--prefix", default="", help="before the names of new columns")
    parser.add_argument("--by-class", action="store_true", help="sets that keep their promise for each class")
    text = "do not say which texts are unlike those learned from, which costs as much as a small student"
    parser.add_argument("--without-distances", action="store_true", help=text)
    text = "probabilities as students say them: no confidence, no sets, no warning, no corrected shares"
    parser.add_argument("--uncalibrated", action="store_true", help=text)
    text = "JSON file of the stage calibrate (default: ../calibration/NAME.json beside the classifier)"
    parser.add_argument("--calibration", type=Path, metavar="FILE", help=text)
    text = "tokens that are read at once, padding included (default: as suits the device)"
    parser.add_argument("--batch", type=_tokens, metavar="TOKENS", help=text)
    text = "folder of `labelrisk export --format openvino`, made of --classifier, that is read in its place"
    parser.add_argument("--graph", type=Path, metavar="FOLDER", help=text)
    text = "where Parquet is read by the classifier: here, or on a Ray cluster (default: params.yaml, or local)"
    parser.add_argument("--engine", choices=("local", "ray"), help=text)
    text = "of the Ray cluster (default: engine.address, $RAY_ADDRESS, or one is started on this machine)"
    parser.add_argument("--address", metavar="HOST:PORT", help=text)
    text = "begin from the first row, whatever an earlier run has done, and replace --out"
    parser.add_argument("--anew", action="store_true", help=text)


def _tokens(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 8 <= int(text) <= 10**9:
        raise ArgumentTypeError(f"'{text}' is no number of tokens from 8 on")
    return int(text)


def run(
    params: Path,
    source: str,
    out: str,
    classifier: Path,
    text: str,
    by: str | None,
    gold: str | None,
    probability: str | None,
    shares: Path | None,
    prefix: str,
    by_class: bool,
    without_distances: bool,
    uncalibrated: bool,
    calibration: Path | None,
    batch: int | None,
    graph: Path | None,
    engine: str | None,
    address: str | None,
    anew: bool,
) -> None:
    """Label; what a run has done is kept until the next one has finished.

    Raises LabelRiskError for options that do not fit together, and where the parts in `applying` do.
    """
    from labelrisk.applying.applied import Options
    from labelrisk.applying.command import label_file, label_lines

    options = Options(
        classifier=classifier,
        text=text,
        by=by,
        gold=gold,
        probability=probability,
        shares=shares,
        prefix=prefix,
        by_class=by_class,
        without_distances=without_distances,
        uncalibrated=uncalibrated,
        calibration=calibration,
        batch=batch,
        graph=graph,
    )
    options.check(source, out)
    if source == "-" or out == "-":
        label_lines(source, out, options)
    else:
        label_file(source, out, options, _engine(params, engine, address), anew=anew)


def _engine(params: Path, kind: str | None, address: str | None) -> EngineSettings:
    """The section of params.yaml, where there is one, with what the options say; an address is one of Ray."""
    from labelrisk.settings.engine import EngineSettings

    found = EngineSettings()
    if params.is_file() and kind != "local":
        from labelrisk.params import load

        found = load(params).engine
    said = {"kind": "ray"} if address else {}
    said |= {name: value for name, value in (("kind", kind), ("address", address)) if value is not None}
    return found.model_copy(update=said)
