"""`labelrisk estimate`: class shares and regressions of a whole split, from labels and a coded sample."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from labelrisk.commands._options import add_labels, add_prepared
from labelrisk.errors import LabelRiskError, nearest, shown

HELP = "estimate class shares and regressions from labels and a coded sample"
EXAMPLE = """labelrisk estimate --annotator gpt --sample coding/round1.csv --by outlet
labelrisk estimate --annotator gpt --sample coding/round1.csv --outcome biased"""
LEGEND = (
    "x100; [{confidence:.4g} % interval]; naive: the annotator's labels as they are, with the interval that they "
    "alone would give; gold rows: the coded rows alone, weighted; PPI++ and DSL correct the labels of all rows by the "
    "coded rows. Intervals of these three are about {about}."
)


def arguments(parser: ArgumentParser) -> None:
    """The annotator, coders' files of one sample, by which column, and where rows and labels are."""
    parser.add_argument("--annotator", required=True, metavar="NAME", help="whose labels of all rows are corrected")
    text = "coders' files of a sample that `labelrisk sample` drew"
    parser.add_argument("--sample", type=Path, nargs="+", required=True, metavar="FILE", help=text)
    parser.add_argument("--by", metavar="COLUMN", help="also for the values of a column that corpus.slices names")
    text = "also a regression of being of this class on the length of texts and the columns of corpus.slices"
    parser.add_argument("--outcome", metavar="CLASS", help=text)
    text = "intervals about other rows like these, not about these alone"
    parser.add_argument("--beyond", action="store_true", help=text)
    add_prepared(parser)
    add_labels(parser)


def run(
    params: Path,
    annotator: str,
    sample: Sequence[Path],
    by: str | None,
    outcome: str | None,
    beyond: bool,
    prepared: Path,
    labels: Path,
) -> None:
    """Print the shares of all classes in the split that was drawn from, naive and corrected, and a regression.

    Raises LabelRiskError where read_coded_files and coded_population do, for a missing annotator, column or class.
    """
    import numpy as np
    import pandas as pd

    from labelrisk.codebook import read_codebook
    from labelrisk.coders.annotator_answers import annotator_answers, predicted_codes
    from labelrisk.coders.coded_files import read_coded_files
    from labelrisk.coders.coefficients import coefficients, coefficients_table
    from labelrisk.coders.estimates import (
        FEWEST,
        NO_INTERVAL,
        Population,
        class_shares,
        coded_population,
        lacks_interval,
        shares_table,
    )
    from labelrisk.coders.sample_parts import parts_of
    from labelrisk.commands._slice_columns import check_column
    from labelrisk.comparison.slices import slices_of
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.explanations.downstream.covariates import covariates_of
    from labelrisk.params import load

    settings = load(params)
    names = read_codebook(Path(settings.codebook)).names
    if outcome is not None and outcome not in names:
        raise LabelRiskError(f"--outcome is '{shown(outcome)}', which is no class; {nearest(outcome, names)}")
    prepared_rows = Prepared(prepared)
    every = prepared_rows.rows(["id"]).set_index("id")["split"]
    coded, notes = read_coded_files(sample, names, every.index)
    split = str(every[coded["id"].iloc[0]])
    rows = prepared_rows.split(split, ["id", "text"])
    ids = pd.Index(rows["id"])
    human, probabilities, more = coded_population(parts_of(coded, names), ids, len(names), split)
    answers = annotator_answers(settings, params, annotator, labels, rows["id"])
    predicted = predicted_codes(answers["label"], names, labels / f"{annotator}.parquet").to_numpy()
    if not (predicted >= 0).any():
        raise LabelRiskError(f"{labels / annotator}.parquet has no label of any row of {split}; run `dvc repro`")
    columns = prepared_rows.slices(ids)
    if by is not None:
        check_column(by, settings.corpus.slices, columns)
    words = np.array([len(text.split()) for text in rows["text"]], dtype=np.int64)
    covariates = covariates_of(words, columns, int((human >= 0).sum()))
    population = Population(human, probabilities, predicted, covariates.values)
    parts = [(split, np.arange(len(ids)))]
    parts += [(one.name, one.rows) for one in slices_of(by, columns[by], 1)] if by is not None else []
    confidence, silent = settings.evaluate.confidence, False
    for name, places in parts:
        part = population.part(places)
        known_rows = int((part.human >= 0).sum())
        print(f"{name}: {len(places):,} rows, {known_rows:,} coded")
        if known_rows < FEWEST or not (part.predicted >= 0).any():
            print(f"Too few for an estimate: {FEWEST} coded rows are needed.\n")
            continue
        shares = class_shares(part, len(names), confidence, beyond)
        print(shares_table(annotator, shares, names) + "\n")
        silent |= lacks_interval(shares)
    if outcome is not None:
        fitted = coefficients(population, names.index(outcome), confidence, beyond)
        print(textwrap.fill(f"{split}: by how many points the share of {outcome} is higher (linear regression)", 80))
        print(coefficients_table(outcome, fitted, covariates.names) + "\n")
        against = [f"levels of {name} are against {base}" for name, base in covariates.bases.items()]
        more += ["numbers count in standard deviations, lengths in doublings", *against]
        more += [
            f"{name} is left out: too few coded rows for it, or it says nothing more" for name in covariates.left_out
        ]
    for note in [*notes, *more, *([NO_INTERVAL] if silent else [])]:
        print(textwrap.fill(f"Note: {note}.", 80))
    about = "other rows like these" if beyond else f"these rows of {split}"
    print(textwrap.fill(LEGEND.format(confidence=100 * confidence, about=about), 80))
