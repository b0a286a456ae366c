"""The stage `prepare` as it was while it held all rows in one frame: what the one of bounded memory is held against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.codebook import read_codebook
from labelrisk.corpora.files import split_files
from labelrisk.corpora.prepared import COLUMNS, SLICE, SPLITS
from labelrisk.corpora.rows import content_id, drawn_number, is_blank
from labelrisk.corpora.splits import POOL
from labelrisk.corpora.tables import label_names, read_table
from labelrisk.errors import LabelRiskError, nearest, shown, such_rows

KEPT_FIRST = {"test": 0, "validation": 1, "train": 2}


def prepare(settings, out: Path) -> dict:
    """Write the prepared files; returns the counts."""
    labels = read_codebook(Path(settings.codebook)).names
    every = _every_row(Path(settings.corpus.path), settings.corpus)
    raw = every[every.pop("wanted")].reset_index(drop=True)
    if raw.empty:
        raise LabelRiskError(
            f"{settings.corpus.path} has no row where {settings.corpus.only}; correct corpus.only in params.yaml"
        )
    unique, dropped = without_duplicates(checked_rows(raw, labels))
    split = with_splits(unique, settings.prepare)
    check_classes(split, labels)
    rows = capped(split, settings.prepare)
    out.mkdir()
    for name in SPLITS:
        rows.loc[rows["split"] == name, COLUMNS].to_parquet(out / f"{name}.parquet", index=False)
    demonstration_pool(split, settings.prepare)[COLUMNS].to_parquet(out / "demonstrations.parquet", index=False)
    if slices := slice_columns(rows):
        rows[["id", *slices]].to_parquet(out / "slices.parquet", index=False)
    not_wanted = {"not_in_only": len(every) - len(raw)} if settings.corpus.only else {}
    dropped = not_wanted | dropped | {"over_the_cap": len(split) - len(rows)}
    counts = {"read": len(rows) + sum(dropped.values()), "dropped": dropped}
    counts |= {name: int((rows["split"] == name).sum()) for name in SPLITS}
    counts["train_without_gold"] = int(((rows["split"] == "train") & rows["gold"].isna()).sum())
    (out / "labels.json").write_text(json.dumps(labels, indent=2, ensure_ascii=False) + "\n")
    origin = {"corpus": settings.corpus.path, "dropped": not_wanted}
    (out / "origin.json").write_text(json.dumps(origin, indent=2, ensure_ascii=False) + "\n")
    return counts


def _every_row(path, corpus):
    if not path.is_dir():
        return _rows_of(path, corpus, None, None)
    parts = [_rows_of(file, corpus, split, None) for split, file in split_files(path).items()]
    return pd.concat(parts, ignore_index=True)


def _rows_of(path: Path, corpus, split: str | None, most: int | None) -> pd.DataFrame:
    named = dict.fromkeys(corpus.only, "corpus.only") | dict.fromkeys(corpus.slices, "corpus.slices")
    named |= {corpus.split: "corpus.split"} if corpus.split and split is None else {}
    named |= {corpus.gold: "corpus.gold", corpus.text: "corpus.text"}
    table = read_table(path, dict(reversed(named.items())), "corpus.path", most)
    frame = table.frame
    splits = frame[corpus.split] if corpus.split and split is None else pd.Series([split] * len(frame))
    rows = pd.DataFrame(
        {"text": frame[corpus.text], "gold": frame[corpus.gold], "split": splits.astype(object), "where": table.places}
    )
    for column in corpus.slices:
        rows[f"{SLICE}{column}"] = frame[column].astype(object)  # of files of several splits, one may hold numbers
    rows["wanted"] = True
    for column, value in corpus.only.items():
        rows["wanted"] &= label_names(frame[column], [value]) == value
    rows["split"] = rows["split"].where(rows["split"].notna(), None)
    unknown = rows["wanted"] & rows["split"].notna() & ~rows["split"].isin(SPLITS)
    if unknown.any():
        name = str(rows["split"][unknown].iloc[0])
        where = rows["where"][unknown]
        raise LabelRiskError(
            f"{where.iloc[0]}: unknown split '{shown(name)}' {such_rows_in(where)}; {nearest(name, SPLITS)}"
        )
    return rows


def checked_rows(frame: pd.DataFrame, labels, is_whole: bool = True) -> pd.DataFrame:
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


def with_splits(rows: pd.DataFrame, settings) -> pd.DataFrame:
    split = rows["split"].fillna("train").to_numpy(dtype=object).copy()
    order = _order(rows, f"{settings.seed}:split")
    gold = rows["gold"].to_numpy(dtype=object)
    graded = rows["gold"].notna().to_numpy()
    total = int(graded.sum())
    for name, share in (("test", settings.test_share), ("validation", settings.validation_share)):
        if not (split == name).any():
            pool = np.flatnonzero((split == "train") & graded)
            split[pool[stratified(gold[pool], round(share * total), order[pool], least=1)]] = name
    return rows.assign(split=split)


def check_classes(rows: pd.DataFrame, labels: list[str]) -> None:
    counts = rows.dropna(subset="gold").groupby(["gold", "split"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=labels, columns=list(SPLITS), fill_value=0)
    total = counts.sum(axis=1)
    for name in labels:
        absent = [split for split in ("validation", "test") if counts.loc[name, split] == 0]
        if absent:
            raise LabelRiskError(
                f"the class '{name}' has {total[name]} gold rows and none in {' and '.join(absent)}: a class needs one "
                "in each of the splits train, validation and test; add gold rows or take the label out of the codebook"
            )
    if not (rows["split"] == "train").any():
        raise LabelRiskError(
            "no row is left in train; add rows, or lower prepare.validation_share or prepare.test_share in params.yaml"
        )


def capped(rows: pd.DataFrame, settings) -> pd.DataFrame:
    order = _order(rows, f"{settings.seed}:cap")
    caps = {"train": settings.train_rows, "validation": settings.validation_rows, "test": settings.test_rows}
    kept = np.ones(len(rows), dtype=bool)
    for name, cap in caps.items():
        members = np.flatnonzero((rows["split"] == name).to_numpy())
        if cap is not None and len(members) > cap:
            classes = rows["gold"].fillna("").to_numpy(dtype=object)[members]
            chosen = stratified(classes, cap, order[members], least=1, spared=int(name == "train"))
            lost = sorted(set(classes) - set(classes[chosen]))
            if lost and name != "train":
                raise LabelRiskError(
                    f"prepare.{name}_rows is {cap}, which leaves none of the {len(members)} {name} rows of the class "
                    f"'{lost[0]}' ({len(lost)} such classes); raise it in params.yaml"
                )
            kept[np.delete(members, chosen)] = False
    return rows[kept].reset_index(drop=True)


def stratified(classes: np.ndarray, size: int, order: np.ndarray, least: int = 0, spared: int = 1) -> np.ndarray:
    names, codes = np.unique(classes.astype(str), return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    exact = counts * size / max(len(classes), 1)
    seats = np.floor(exact).astype(int)
    by_remainder = np.argsort(-(exact - seats), kind="stable")
    seats[by_remainder[: size - int(seats.sum())]] += 1
    for code in np.flatnonzero((seats < least) & (counts >= least + spared)):
        seats[code] = least
        seats[np.argmax(seats)] -= least
    ranked = np.argsort(order, kind="stable")
    drawn = [ranked[codes[ranked] == code][: seats[code]] for code in range(len(names))]
    return np.sort(np.concatenate([np.zeros(0, dtype=np.intp), *drawn]))


def demonstration_pool(rows: pd.DataFrame, settings) -> pd.DataFrame:
    """Train rows with gold that prompts may show, drawn before train is capped: another cap changes no prompt."""
    graded = rows[(rows["split"] == "train") & rows["gold"].notna()]
    ranked = np.argsort(_order(graded, f"{settings.seed}:demonstrations"), kind="stable")
    return graded.iloc[np.sort(ranked[:POOL])]


def _order(rows: pd.DataFrame, salt: str) -> np.ndarray:
    return np.array([drawn_number(salt, identity) for identity in rows["id"]], dtype=np.uint64)


def slice_columns(rows: pd.DataFrame) -> list[str]:
    """The columns of a corpus's rows that hold values of slices."""
    return [str(name) for name in rows if str(name).startswith(SLICE)]
