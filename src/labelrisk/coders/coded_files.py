"""Coders' files read back and checked: who gave which row which label, in which part, drawn how probably."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd

from labelrisk.coders.label_studio import Mark, read_export
from labelrisk.coders.samples import EDIT, HELD_OUT
from labelrisk.coders.spreadsheets import original_id, original_text
from labelrisk.errors import LabelRiskError, nearest

SEPARATORS = ",;\t"  # spreadsheet programs write the separator of their country
TOLERANCE = 1e-3  # of probabilities: programs write fewer digits than they read
COLUMNS = ["coder", "id", "label", "part", "probability", "where"]


def read_coders(files: Sequence[Path], labels: Sequence[str], known: Collection[str]) -> pd.DataFrame:
    """Read coders' files: a row per coder and row given, columns coder, id, label, part, probability, where.

    A CSV is one coder, named after the file; a Label Studio export may hold several.  label is None where the coder
    gave none, part is None and probability nan where the file has no such column.
    Raises LabelRiskError that names file, row and id: for a file that is absent, empty or of another form, an unknown
    label, part or id, a probability outside (0, 1], one row with two labels of one coder, and rows that files
    disagree about.
    """
    known, frames, names = set(known), [], set()
    for path in files:
        if path.stem in names:
            raise LabelRiskError(f"{path} has the name of another coder's file; name each file after its coder")
        names.add(path.stem)
        frame = pd.DataFrame(list(read_marks(path)), columns=COLUMNS, dtype=object)  # None stays None
        frame = _checked(frame, labels, known)
        if frame["label"].isna().all():
            raise LabelRiskError(f"{path} has no label in any of its rows; let the coder fill 'label' or leave it out")
        frames.append(_once(frame))
    marks = pd.concat(frames, ignore_index=True)
    _agree_about_rows(marks)
    return marks.astype({"probability": float})


def read_marks(path: Path) -> Iterable[Mark]:
    """Read one file as it is, by its suffix; coders are named after the file, and ids are what `sample` drew.

    Raises LabelRiskError for a file that is absent, empty, or of another form.
    """
    if not path.is_file():
        raise LabelRiskError(f"{path} is not there; correct the path of the coder's file")
    if path.suffix not in (".csv", ".json"):
        raise LabelRiskError(f"{path} is no coder's file; give a .csv that `sample` wrote or Label Studio's .json")
    if path.suffix == ".csv":
        found = _read_csv(path)
    else:
        exported = list(read_export(path))
        persons = list(dict.fromkeys(mark.coder for mark in exported if mark.coder is not None)) or ["unknown"]
        found = []
        for mark in exported:  # a task that nobody marked was before all of them
            whose = persons if mark.coder is None else [mark.coder]
            found += [mark._replace(coder=f"{path.stem}:{person}") for person in whose]
    if not found:
        raise LabelRiskError(f"{path} has no rows; give the file that the coder filled")
    return found


def _read_csv(path: Path) -> list[Mark]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise LabelRiskError(f"{path} is not UTF-8; save it as 'CSV UTF-8' in the spreadsheet program") from None
    header = content.partition("\n")[0]
    separator = max(SEPARATORS, key=header.count)
    try:
        table = pd.read_csv(io.StringIO(content), sep=separator, dtype=str, keep_default_na=False)
    except ValueError as error:  # of pandas: EmptyDataError, ParserError
        reason = " ".join(str(error).split()).rstrip(".")
        raise LabelRiskError(f"{path} can't be read as CSV ({reason}); give the file that the coder filled") from None
    table.columns = [str(name).strip() for name in table.columns]
    for column in ("id", "label"):
        if column not in table.columns:
            raise LabelRiskError(f"{path} has no column '{column}'; {nearest(column, table.columns)}")
    marks = []
    for number, row in enumerate(table.to_dict("records"), 1):
        if not any(str(cell).strip() for cell in row.values()):
            continue
        part = str(row["part"]).strip() if "part" in row else None
        probability = str(row["sampling_probability"]).strip() if "sampling_probability" in row else None
        label = original_text(str(row["label"])) or None
        marks.append(Mark(path.stem, original_id(str(row["id"])), label, part, probability, f"{path}, row {number}"))
    return marks


def _checked(frame: pd.DataFrame, labels: Sequence[str], known: Collection[str]) -> pd.DataFrame:
    """Check each mark on its own; probabilities become numbers."""
    probabilities = []
    for mark in map(Mark._make, frame[COLUMNS].itertuples(index=False)):
        if mark.id not in known:
            raise LabelRiskError(
                f"{mark.where}: the id '{mark.id}' is not among the prepared rows; restore the column 'id' as `sample` "
                "wrote it (spreadsheet programs change ids that look like numbers), or the corpus of the sample"
            )
        if mark.label is not None and mark.label not in labels:
            unknown = int((frame["label"].notna() & ~frame["label"].isin(list(labels))).sum())
            raise LabelRiskError(
                f"{mark.where} (id {mark.id}): the label '{mark.label}' is not in the codebook "
                f"({unknown} such rows); {nearest(str(mark.label), labels)}"
            )
        if mark.part is not None and mark.part not in (EDIT, HELD_OUT):
            raise LabelRiskError(
                f"{mark.where} (id {mark.id}): the part is '{mark.part}' but must be {EDIT} or {HELD_OUT}; restore it"
            )
        probabilities.append(_probability(mark.probability, f"{mark.where} (id {mark.id})"))
    return frame.assign(probability=probabilities)


def _probability(found: object, where: str) -> float:
    if found is None:
        return float("nan")
    try:
        number = float(str(found).replace(",", "."))  # a decimal comma
    except ValueError:
        number = float("nan")
    if not 0 < number <= 1 + TOLERANCE:
        raise LabelRiskError(
            f"{where}: sampling_probability is '{found}' but must be above 0 and at most 1; restore it"
        )
    return min(number, 1.0)


def _once(frame: pd.DataFrame) -> pd.DataFrame:
    """One mark per coder and id, the labelled one; two labels are an error."""
    labelled = frame.dropna(subset="label").drop_duplicates(["coder", "id", "label"])
    twice = labelled[labelled.duplicated(["coder", "id"], keep=False)]
    if len(twice):
        pair = twice[(twice["id"] == twice["id"].iloc[0]) & (twice["coder"] == twice["coder"].iloc[0])]
        raise LabelRiskError(
            f"{pair['where'].iloc[0]} and {pair['where'].iloc[1]}: the id '{pair['id'].iloc[0]}' has the labels "
            f"'{pair['label'].iloc[0]}' and '{pair['label'].iloc[1]}' of one coder "
            f"({twice[['coder', 'id']].drop_duplicates().shape[0]} such rows); keep one of them"
        )
    ranked = frame.assign(blank=frame["label"].isna()).sort_values("blank", kind="stable")
    return ranked.drop_duplicates(["coder", "id"]).sort_index().drop(columns="blank")


def _agree_about_rows(marks: pd.DataFrame) -> None:
    """The same row must be in one part and have one probability, whoever coded it."""
    for column, spread in (("part", lambda of: of.nunique() > 1), ("probability", _differ)):
        given = marks.dropna(subset=column)
        found = given.groupby("id", sort=False)[column].agg(spread)
        if found.any():
            rows = given[given["id"] == found.index[found.to_numpy(dtype=bool)][0]]
            other = rows[rows[column] != rows[column].iloc[0]].iloc[0]
            raise LabelRiskError(
                f"{rows['where'].iloc[0]} and {other['where']}: the id '{other['id']}' has the {column} "
                f"'{rows[column].iloc[0]}' and '{other[column]}'; give coders' files of one sample"
            )


def _differ(probabilities: pd.Series) -> bool:
    numbers = probabilities.astype(float)
    return bool(numbers.max() - numbers.min() > TOLERANCE * numbers.max())
