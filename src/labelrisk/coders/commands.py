"""The commands about human coders: `sample` draws their rows, `agreement` reads their labels back."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from labelrisk.codebook import read_codebook
from labelrisk.coders.coded_files import read_coders, read_marks
from labelrisk.coders.label_studio import configuration, tasks
from labelrisk.coders.report import agreement_table
from labelrisk.coders.samples import HELD_OUT, draw_sample, without_earlier
from labelrisk.coders.spreadsheets import write_cells
from labelrisk.coders.validation import disagreements as listed_disagreements
from labelrisk.coders.validation import parts, validation
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError, nearest
from labelrisk.files import write_json, written_aside
from labelrisk.params import Settings, load
from labelrisk.statistics.scores import NO_LABEL


def sample(
    params: Path,
    *,
    rows: int,
    out: Path,
    design: str = "random",
    annotator: str | None = None,
    split: str = "train",
    seed: int = 0,
    holdout: float = 0.0,
    exclude: Sequence[Path] = (),
    show_labels: bool = False,
    prepared: Path = Path("data/prepared"),
    labels: Path = Path("data/labels"),
) -> None:
    """Draw rows for human coders; write a CSV and, beside it, tasks and a configuration for Label Studio.

    Coders don't see the annotator's label unless show_labels is asked for: they would lean towards it.
    sampling_probability tells a little about it all the same, in designs other than random.
    Raises LabelRiskError where draw_sample does, for a file that exists already, and for a missing annotator.
    """
    settings = load(params)
    codebook = read_codebook(Path(settings.codebook))
    if out.suffix != ".csv":
        raise LabelRiskError(f"--out is {out}, but the rows are written as CSV; give a name that ends in .csv")
    tasks_file, configuration_file = (out.with_name(f"{out.stem}.label_studio.{kind}") for kind in ("json", "xml"))
    for path in (out, tasks_file, configuration_file):
        if path.exists():
            raise LabelRiskError(f"{path} exists, and may hold a coder's work; give another --out or move it away")
    if annotator is None and (design != "random" or show_labels):
        raise LabelRiskError(
            f"{'--show-labels' if design == 'random' else f'--design {design}'} needs --annotator, whose labels are "
            f"meant; {nearest('', settings.annotators)}"
        )
    population = Prepared(prepared).split(split)[["id", "text"]].assign(split=split)
    if annotator is not None:
        answers = _answers(settings, params, annotator, labels, population["id"])
        population = population.assign(label=answers["label"].to_numpy(), entropy=answers["entropy"].to_numpy())
    remaining = without_earlier(population, {mark.id for path in exclude for mark in read_marks(path)})
    drawn = draw_sample(remaining, design, rows, len(codebook.names), holdout, seed)
    with written_aside(tasks_file) as temporary:
        content = json.dumps(tasks(drawn, show_labels), indent=1, ensure_ascii=False)
        temporary.write_text(content + "\n", encoding="utf-8")
    with written_aside(configuration_file) as temporary:
        temporary.write_text(configuration(codebook, show_labels), encoding="utf-8")
    write_cells(drawn if show_labels else drawn.drop(columns="annotator_label"), out)
    held_out = int((drawn["part"] == HELD_OUT).sum())
    said = [f"Drew {rows} of {len(remaining)} rows of {split} ({design}, seed {seed}); {held_out} are held out."]
    if exclude:
        said.append(f"{len(population) - len(remaining)} rows of earlier samples were left out.")
    said.append(
        f"Give each coder a copy of {out}, named after the coder, to fill the column 'label'; or import {tasks_file} "
        f"into Label Studio, with {configuration_file} as the labelling interface."
    )
    said.append(f"Then: labelrisk agreement FILE... --annotator {annotator or 'NAME'}")
    print("\n".join(textwrap.fill(line, 80, break_long_words=False, break_on_hyphens=False) for line in said))


def agreement(
    params: Path,
    *,
    files: Sequence[Path],
    annotator: Sequence[str],
    epsilon: float = 0.2,
    seed: int = 0,
    out: Path | None = None,
    disagreements: Path | None = None,
    prepared: Path = Path("data/prepared"),
    labels: Path = Path("data/labels"),
    codebook_hash: str | None = None,
) -> None:
    """Compare annotators with coders: print it, write validation/<annotator>.json, and the disagreements if asked.

    codebook_hash: of the codebook that was validated; by default hash_of_codebook of each annotator.
    Raises LabelRiskError where read_coders does, and for labels that are older than the corpus or the codebook.
    """
    settings = load(params)
    names = read_codebook(Path(settings.codebook)).names
    if not 0 <= epsilon < 1:
        raise LabelRiskError(f"--epsilon is {epsilon}, but is a share; give 0.2 for experts, 0.15 skilled, 0.1 crowd")
    if out is not None and len(annotator) > 1:
        raise LabelRiskError(f"--out names one file, but there are {len(annotator)} annotators; leave it out")
    for path in (out, disagreements):
        if path is not None and path.resolve() in {file.resolve() for file in files}:
            raise LabelRiskError(f"{path} is a coder's file, which would be overwritten; name another file")
    rows = Prepared(prepared).rows().set_index("id")
    marks = read_coders(files, names, rows.index)
    found = parts(marks, names)
    validations, differing = [], []
    for name in dict.fromkeys(annotator):
        answers = _answers(settings, params, name, labels, marks["id"].drop_duplicates())
        predicted = _codes(answers["label"], names, labels / f"{name}.parquet")
        about = codebook_hash or hash_of_codebook(settings, name, answers)
        validated = validation(name, predicted, found, names, epsilon=epsilon, seed=seed, codebook_hash=about)
        validations.append(validated)
        differing.append(listed_disagreements(name, answers, predicted, found, names, rows["text"]))
    written = [out or Path("validation") / f"{of['annotator']}.json" for of in validations]
    for content, path in zip(validations, written, strict=True):
        write_json(content, path)
    if disagreements is not None:
        write_cells(pd.concat(differing, ignore_index=True), disagreements)
        written.append(disagreements)
    print(agreement_table(validations) + f"\n\nWritten: {' '.join(map(str, written))}")


def hash_of_codebook(settings: Settings, annotator: str, answers: pd.DataFrame) -> str:
    """The hash of the codebook behind an annotator's answers: the one noted with them; several are joined by +.

    Else, for labels that were not asked for with a codebook (gold, imported, merged), that of the study's codebook.
    """
    noted = sorted(set(answers["codebook"].dropna().astype(str))) if "codebook" in answers.columns else []
    if noted:
        return "+".join(noted)  # answers to several versions validate none of them
    declared = settings.annotators.get(annotator)
    own = declared is not None and declared.kind not in ("gold", "import")
    return read_codebook(Path(declared.reads if declared and own else settings.codebook)).version


def _answers(settings: Settings, params: Path, annotator: str, labels: Path, ids: pd.Series) -> pd.DataFrame:
    """An annotator's answers to the rows `ids`, in their order, by id."""
    declared = [*settings.annotators, *settings.panels]
    if annotator not in declared:
        raise LabelRiskError(
            f"--annotator names '{annotator}', which {params} does not declare; {nearest(annotator, declared)}"
        )
    path = labels / f"{annotator}.parquet"
    stage = f"{'annotate' if annotator in settings.annotators else 'merge'}@{annotator}"
    if not path.is_file():
        raise LabelRiskError(f"{path} is not there; run `dvc repro {stage}`, which labels the rows")
    answers = pd.read_parquet(path).set_index("id")
    lacking = ids[~ids.isin(answers.index)]
    if len(lacking):
        raise LabelRiskError(
            f"{path} lacks the row '{lacking.iloc[0]}' ({len(lacking)} such rows); "
            f"run `dvc repro {stage}`, which labels it"
        )
    return answers.loc[ids]


def _codes(labels: pd.Series, names: Sequence[str], path: Path) -> pd.Series:
    """Labels as codes, -1 where there is none."""
    unknown = labels[labels.notna() & ~labels.isin(list(names))]
    if len(unknown):
        raise LabelRiskError(
            f"{path}: the label '{unknown.iloc[0]}' of the row '{unknown.index[0]}' is not in the codebook; "
            "run `dvc repro`, which labels the rows anew"
        )
    return labels.map({name: code for code, name in enumerate(names)}).fillna(NO_LABEL).astype(int)
