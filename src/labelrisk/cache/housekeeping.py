"""`labelrisk cache`: what is in the call cache, carried to another machine and back, checked, and pruned by rule."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labelrisk.cache.calls import CallCache, shared_between_experiments
from labelrisk.cache.exchange import ImportCounts, check_importable, export, import_file
from labelrisk.cache.inventory import inventory, is_alive, tables
from labelrisk.cache.stored_answers import Rules, fault, reading, second_of, stored_rows
from labelrisk.errors import LabelRiskError

NAMED = 50  # wrong answers that verify names; it counts the others


def cache(params: Path, action: str, cache: Path, **arguments: Any) -> None:
    """Run an action of `labelrisk cache`."""
    ACTIONS[action](shared_between_experiments(cache), **arguments)


def show(path: Path, as_json: bool = False) -> None:
    """Print what is in a cache."""
    with reading(path) as connection:
        found = inventory(connection, path)
    print(json.dumps(found, indent=2) if as_json else tables(found))


def export_answers(
    path: Path, file: Path, annotator: str | None = None, model: str | None = None, since: str | None = None
) -> None:
    """Write answers to a file."""
    number = export(path, file, Rules(annotator, model, since=second_of(since, "--since")))
    print(f"{number:,} answers exported to {file}; `labelrisk cache import {file}` reads them")


def import_answers(path: Path, files: Sequence[Path]) -> None:
    """Store answers of exports and other caches; they don't count as spent here.

    Raises LabelRiskError at the end when some were wrong.
    """
    for file in files:
        check_importable(file)
    calls = CallCache(path)
    wrong = 0
    try:
        for file in files:
            counts = ImportCounts()
            try:
                import_file(calls, file, counts)
            finally:
                print(f"{file}: {counts.added:,} added, {counts.there:,} already there, {counts.wrong:,} wrong")
            wrong += counts.wrong
    except sqlite3.Error as error:
        raise LabelRiskError(f"{path} can't store answers ({error}); those counted so far are stored") from None
    finally:
        calls.close()
    if wrong:
        raise LabelRiskError(f"{wrong:,} answers are not what they say and were skipped; all others are stored")


def verify(path: Path) -> None:
    """Check the file and each answer in it; change nothing.

    Raises LabelRiskError when anything is wrong.
    """
    checked = wrong = 0
    with reading(path) as connection:
        damages = [told for (told,) in connection.execute("PRAGMA integrity_check") if told != "ok"]
        for told in damages:
            print(f"SQLite: {told}")
        for row in stored_rows(connection):
            checked += 1
            if told := fault(row):
                wrong += 1
                if wrong <= NAMED:
                    key = row.key.hex() if isinstance(row.key, bytes) else row.key
                    print(f"row {row.id}, key {key}: {told}")
    if wrong > NAMED:
        print(f"and {wrong - NAMED:,} more")
    print(f"{checked:,} answers checked, {wrong:,} wrong; {len(damages):,} damages that SQLite finds")
    if wrong or damages:
        raise LabelRiskError(
            f"{path} is not sound; keep it aside and run `labelrisk cache import` on it with --cache NEW, which leaves "
            "out what is wrong"
        )


def prune(
    path: Path,
    annotator: str | None = None,
    model: str | None = None,
    endpoint: str | None = None,
    before: str | None = None,
    yes: bool = False,
) -> None:
    """Remove the answers for which all rules hold, or only say how many they are; what was spent stays counted.

    Raises LabelRiskError without a rule, and while another process uses the cache.
    """
    rules = Rules(annotator, model, endpoint.rstrip("/") if endpoint else None, before=second_of(before, "--before"))
    if rules == Rules():
        raise LabelRiskError("give prune a rule: --annotator, --model, --endpoint or --before")
    with reading(path) as connection:  # also says whether the file is a cache at all
        told, annotators = _meant(connection, rules)
    if not annotators:
        print("No answer is meant by these rules; see `labelrisk cache show`.")
    elif not yes:
        print(f"Would remove {told}.\nNothing was changed; --yes removes them, and asking again costs again.")
    else:
        _remove(path, rules)


def _meant(connection: sqlite3.Connection | CallCache, rules: Rules) -> tuple[str, list[str | None]]:
    """How many answers the rules mean at what cost, in words, and who asked for them."""
    condition, values = rules.sql()
    query = f"SELECT annotator, count(*), total(cost), count(cost) FROM calls WHERE {condition} GROUP BY 1 ORDER BY 1"
    rows = connection.rows if isinstance(connection, CallCache) else connection.execute
    found = list(rows(query, values))
    answers, priced = sum(row[1] for row in found), sum(row[3] for row in found)
    parts = [f"{sum(row[2] for row in found):,.4f}"] if priced else []
    parts += [f"an unknown amount ({answers - priced:,} answers)"] if answers > priced else []
    by = ", ".join(row[0] or "(not noted)" for row in found)
    return f"{answers:,} answers of {by}, which cost {' and '.join(parts)}", [row[0] for row in found]


def _remove(path: Path, rules: Rules) -> None:
    calls = CallCache(path)
    try:
        with calls.transaction():  # which keeps others from starting
            running = path.parent / "running"
            others = {file.name for file in running.iterdir() if file.name != calls.owner}
            if any(is_alive(running, token) for token in others):
                raise LabelRiskError(f"another process uses {path}; prune when it has ended")
            told, annotators = _meant(calls, rules)
            condition, values = rules.sql()
            calls.rows(f"DELETE FROM calls WHERE {condition}", values)
            calls.rows("DELETE FROM frames WHERE id NOT IN (SELECT frame FROM calls)")
            _forget_labels(path.parent / "labels", annotators, calls)  # before the commit: none outlives its answers
        print(f"Removed {told}; what was spent stays counted, and so do labels that DVC keeps of other revisions.")
        calls.rows("VACUUM")
    except (sqlite3.Error, OSError) as error:
        raise LabelRiskError(f"{path} can't be pruned or made smaller ({error}); run it again") from None
    finally:
        calls.close()


def _forget_labels(folder: Path, annotators: Sequence[str | None], calls: CallCache) -> None:
    """Remove the remembered labels of these annotators, and of others who may have shared their answers."""
    if not folder.is_dir():
        return
    names = {path.name.removesuffix(".revisions") for path in folder.iterdir() if path.is_dir()}
    for name in names:
        if None in annotators or name in annotators or not _all_answered(folder / name / "labels.parquet", calls):
            for path in (folder / name, folder / f"{name}.revisions"):
                if path.exists():
                    shutil.rmtree(path)


def _all_answered(labels: Path, calls: CallCache) -> bool:
    """Whether each label is of one answer that is still there; labels of several answers can't be told."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        keys = pq.read_table(labels, columns=["call"])["call"].to_pylist()
    except (OSError, pa.ArrowException):
        return False
    query = "SELECT 1 FROM calls WHERE key = ?"
    return all(key is not None and list(calls.rows(query, (bytes.fromhex(key),))) for key in keys)


ACTIONS: dict[str, Callable[..., None]] = {
    "show": show,
    "export": export_answers,
    "import": import_answers,
    "verify": verify,
    "prune": prune,
}
