"""Rows at the door: every text and gold label is checked once, named if wrong, and counted if left out."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import pandas as pd

from labelrisk.corpora.prepared import slice_columns
from labelrisk.corpora.tables import label_names
from labelrisk.errors import LabelRiskError, nearest, shown, such_rows

KEPT_FIRST = {"test": 0, "validation": 1, "train": 2}  # where the same text stays when it is in two splits


def content_id(text: str) -> str:
    """The id of a row: the first 16 hexadecimal digits of the SHA-256 of its normalised text."""
    return hashlib.sha256(normalised(text).encode()).hexdigest()[:16]


def drawn_number(salt: str, identity: str) -> int:
    """A number of 64 bits that stands for a row in a draw: rows in its order are a random sample at every length, and
    a row more in the corpus moves no other.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}:{identity}".encode()).digest()[:8], "big")


def normalised(text: str) -> str:
    """Text by which rows count as the same: Unicode NFC, white space collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def checked_rows(frame: pd.DataFrame, labels: Sequence[str], is_whole: bool = True) -> pd.DataFrame:
    """Check texts, gold labels and splits; is_whole: False where these are the first rows of a corpus.

    frame: columns `text`, `gold`, `split` (a split name or None) and `where` (file and row, for messages), and those
    of slice_columns, whose values become strings, None where missing or blank.
    Returns columns `id, text, gold, split, where`, and those.
    Raises LabelRiskError for a missing or blank text, a gold label outside the codebook, a test or validation row
    without gold, and a text with two gold labels.
    """
    texts = frame["text"]
    blank = [not isinstance(text, str) or is_blank(text) for text in texts]
    if any(blank):
        where, first = frame["where"][blank], texts[blank].iloc[0]
        if not isinstance(first, str) and not pd.isna(first):
            raise LabelRiskError(
                f"{where.iloc[0]}: the text is {shown(first)}, which is no text {such_rows_in(where)}; write texts"
            )
        raise LabelRiskError(
            f"{where.iloc[0]}: the text is missing or blank {such_rows_in(where)}; write the text or delete the row"
        )
    gold = label_names(frame["gold"], labels)
    unknown = gold.notna() & ~gold.isin(list(labels))
    if unknown.any():
        where, found = frame["where"][unknown], gold[unknown].iloc[0]
        raise LabelRiskError(
            f"{where.iloc[0]}: the gold label '{shown(found)}' is not in the codebook {such_rows_in(where)}; "
            f"{nearest(found, labels)}"
        )
    ungraded = gold.isna() & frame["split"].isin(["validation", "test"])
    if ungraded.any():
        where = frame["where"][ungraded]
        raise LabelRiskError(
            f"{where.iloc[0]}: a {frame['split'][ungraded].iloc[0]} row has no gold label {such_rows_in(where)}; "
            "add the label or move the row to train"
        )
    rows = pd.DataFrame(
        {"id": [content_id(text) for text in texts], "text": texts, "gold": gold}
        | {"split": frame["split"], "where": frame["where"]}
        | {name: label_names(frame[name]) for name in slice_columns(frame)}
    )
    _refuse_two_golds(rows)
    if is_whole and gold.nunique() < 2:
        only = f"only the class '{gold.dropna().iloc[0]}'" if gold.notna().any() else "no gold label at all"
        raise LabelRiskError(f"{frame['where'].iloc[0]} and on: gold holds {only}; two classes or more are needed")
    return rows


def such_rows_in(where: pd.Series) -> str:
    """How many rows have a mistake, and where the second and third are; where: file and place of each of them."""
    file = where.iloc[0].rpartition(", ")[0]
    others = [place.removeprefix(f"{file}, ") for place in where.iloc[1:3]]
    return such_rows(len(where), f", also in {', '.join(others)}" if others else "")


def _refuse_two_golds(rows: pd.DataFrame) -> None:
    graded = rows.dropna(subset="gold")
    golds = graded.groupby("id")["gold"].nunique()
    contradictory = graded[graded["id"].isin(golds.index[golds > 1])]
    if len(contradictory):
        pair = contradictory[contradictory["id"] == contradictory["id"].iloc[0]].drop_duplicates("gold")
        raise LabelRiskError(
            f"{pair['where'].iloc[0]} and {pair['where'].iloc[1]}: the same text has the gold labels "
            f"'{pair['gold'].iloc[0]}' and '{pair['gold'].iloc[1]}' ({int((golds > 1).sum())} such texts); "
            "keep one of them"
        )


def without_duplicates(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep each text once, in the order of the input, and count what was left out by reason.

    Of several copies the one in test stays before validation before train, and one with gold before one without.
    """
    ranked = rows.assign(
        place=rows["split"].map(KEPT_FIRST).fillna(len(KEPT_FIRST)), lacks_gold=rows["gold"].isna()
    ).sort_values(["place", "lacks_gold"], kind="stable")
    first = ranked.drop_duplicates("id")
    copies = ranked[ranked.duplicated("id")]
    kept_split = first.set_index("id")["split"].reindex(copies["id"]).to_numpy(dtype=object)
    own_split = copies["split"].to_numpy(dtype=object)
    elsewhere = int(sum(a is not None and b is not None and a != b for a, b in zip(kept_split, own_split, strict=True)))
    dropped = {"duplicate": len(copies) - elsewhere, "duplicate_of_another_split": elsewhere}
    return rows.loc[first.index.sort_values()].reset_index(drop=True), dropped


def is_blank(text: str) -> bool:
    """Whether nothing in a text can be seen: space, marks of width 0, soft hyphens, control characters."""
    return not any(one.isprintable() and not one.isspace() for one in text)
