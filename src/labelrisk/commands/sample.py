"""`labelrisk sample`: rows for people to code, as CSV and for Label Studio."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._options import add_labels, add_prepared, add_seed, add_vectors
from labelrisk.errors import LabelRiskError, nearest

if TYPE_CHECKING:
    from labelrisk.codebook import Codebook
    from labelrisk.coders.sample_files import SampleFiles
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.params import Settings

HELP = "draw rows for human coders, with the probability of each"
EXAMPLE = (
    "labelrisk sample --rows 100 --out coding/round1.csv\n"
    "labelrisk sample --rows 200 --out coding/round1.csv --annotator gpt \\\n"
    "  --design uncertainty --holdout 0.5\n"
    "labelrisk sample --source doubts --out coding/doubts.csv"
)


def arguments(parser: ArgumentParser) -> None:
    """How many rows, by which design, in which parts, what coders see, and where rows and labels are."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--rows", type=int, help="how many, drawn by a design")
    text = "the rows that this source (action: relabel) or second opinion waits for, without those that have a label"
    which.add_argument("--source", metavar="NAME", help=text)
    text = "with --source: also a share of the other rows, so that these can be judged, too"
    parser.add_argument("--random-share", type=float, metavar="SHARE", help=text)
    parser.add_argument("--out", type=Path, required=True, help="FILE.csv; FILE.label_studio.json and .xml beside it")
    text = "at random, by the annotator's labels, or the rows that it is unsure of more often"
    parser.add_argument("--design", choices=("random", "stratified", "uncertainty"), default="random", help=text)
    parser.add_argument("--annotator", help="whose labels or entropies the design goes by")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train", help="whose rows")
    add_seed(parser, "of the draw")
    text = "of the rows, for a test of the codebook that its edits have not seen"
    parser.add_argument("--holdout", type=float, default=0.0, metavar="SHARE", help=text)
    text = "earlier samples or coders' files, whose rows are not drawn again"
    parser.add_argument("--exclude", type=Path, nargs="+", default=[], metavar="FILE", help=text)
    text = "show coders the annotator's label, towards which they lean"
    parser.add_argument("--show-labels", action="store_true", help=text)
    add_prepared(parser)
    add_labels(parser)
    add_vectors(parser)


def run(
    params: Path,
    rows: int | None,
    source: str | None,
    random_share: float | None,
    out: Path,
    design: str,
    annotator: str | None,
    split: str,
    seed: int,
    holdout: float,
    exclude: Sequence[Path],
    show_labels: bool,
    prepared: Path,
    labels: Path,
    vectors: Path,
) -> None:
    """Draw rows for human coders; write a CSV and, beside it, tasks and a configuration for Label Studio.

    Coders don't see the annotator's label unless show_labels is asked for: they would lean towards it.
    sampling_probability tells a little about it all the same, in designs other than random.
    Raises LabelRiskError where draw_sample does, for a file that exists already, and for a missing annotator.
    """
    from labelrisk.codebook import read_codebook
    from labelrisk.coders.annotator_answers import annotator_answers
    from labelrisk.coders.coded_files import read_coded_file
    from labelrisk.coders.sample_files import new_sample_files, write_sample
    from labelrisk.coders.samples import HELD_OUT, draw_sample, without_earlier
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.params import load

    settings = load(params)
    codebook = read_codebook(Path(settings.codebook))
    files = new_sample_files(out)
    if source is not None:
        given = {"--design": design != "random", "--annotator": annotator is not None, "--split": split != "train"}
        given |= {"--holdout": bool(holdout), "--exclude": bool(exclude)}
        if wrong := next((option for option, used in given.items() if used), None):
            raise LabelRiskError(f"{wrong} and --source can't be combined: the source says which rows; leave it out")
        _write_doubted(
            settings, codebook, files, source, random_share, seed, show_labels, Prepared(prepared), labels, vectors
        )
        return
    assert rows is not None
    if random_share is not None:
        raise LabelRiskError("--random-share needs --source, whose other rows are meant; leave it out")
    if annotator is None and (design != "random" or show_labels):
        raise LabelRiskError(
            f"{'--show-labels' if design == 'random' else f'--design {design}'} needs --annotator, whose labels are "
            f"meant; {nearest('', settings.annotators)}"
        )
    population = Prepared(prepared).split(split)[["id", "text"]].assign(split=split)
    if annotator is not None:
        answers = annotator_answers(settings, params, annotator, labels, population["id"])
        population = population.assign(label=answers["label"].to_numpy(), entropy=answers["entropy"].to_numpy())
    remaining = without_earlier(population, {row.id for path in exclude for row in read_coded_file(path)[0]})
    drawn = draw_sample(remaining, design, rows, len(codebook.names), holdout, seed)
    write_sample(files, drawn, codebook, show_labels)
    held_out = int((drawn["part"] == HELD_OUT).sum())
    lines = [f"Drew {rows} of {len(remaining)} rows of {split} ({design}, seed {seed}); {held_out} are held out."]
    if exclude:
        lines.append(f"{len(population) - len(remaining)} rows of earlier samples were left out.")
    lines.append(
        f"Give each coder a copy of {out}, named after the coder, to fill the column 'label'; or import {files.tasks} "
        f"into Label Studio, with {files.configuration} as the labelling interface."
    )
    lines.append(f"Then: labelrisk agreement FILE... --annotator {annotator or 'NAME'}")
    _print(lines)


def _write_doubted(
    settings: Settings,
    codebook: Codebook,
    files: SampleFiles,
    source: str,
    random_share: float | None,
    seed: int,
    show_labels: bool,
    prepared: Prepared,
    labels: Path,
    vectors: Path,
) -> None:
    """Write the rows that a source or a second opinion waits for."""
    from labelrisk.coders.sample_files import write_sample
    from labelrisk.coders.samples import whole_sample
    from labelrisk.commands._doubted_rows import doubted_rows

    if random_share is not None and not 0 < random_share < 1:
        raise LabelRiskError(f"--random-share is {random_share}, but is a share; give one above 0 and below 1")
    doubted = doubted_rows(settings, source, prepared, labels, vectors, random_share)
    if not len(doubted.rows):
        raise LabelRiskError(
            f"all {doubted.asked:,} rows that {source} asks about have a label; run `dvc repro`, which uses them"
        )
    write_sample(files, whole_sample(doubted.rows, source, seed), codebook, show_labels)
    at_random = int((doubted.rows["sampling_probability"] < 1).sum())
    lines = [f"Wrote {len(doubted.rows):,} rows of train that {source} asks about; {at_random:,} of them at random."]
    if known := doubted.asked - len(doubted.rows):
        lines.append(f"{known:,} more have a label already and were left out.")
    lines.append(
        f"Let people fill the column 'label' of {files.rows}; or import {files.tasks} into Label Studio, with "
        f"{files.configuration} as the labelling interface, and export its answers as CSV."
    )
    where = f"{doubted.reads}, which {doubted.by} reads" if doubted.reads else f"the file that {doubted.by} reads"
    lines.append(f"Then put the labels into {where}, and run `dvc repro`.")
    _print(lines)


def _print(lines: Sequence[str]) -> None:
    print("\n".join(textwrap.fill(line, 80, break_long_words=False, break_on_hyphens=False) for line in lines))
