"""Answers removed from a call cache by rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from labelrisk.cache.answer_query import Rules
from labelrisk.cache.calls import CallCache
from labelrisk.cache.process_locks import may_be_running
from labelrisk.cache.repacking import made_of, replace_dictionaries
from labelrisk.errors import LabelRiskError


def answers_meant(connection: sqlite3.Connection | CallCache, rules: Rules) -> tuple[str, list[str | None]]:
    """How many answers the rules mean at what cost, in words, and the annotators who asked for them."""
    condition, values = rules.sql()
    query = f"SELECT annotator, count(*), total(cost), count(cost) FROM calls WHERE {condition} GROUP BY 1 ORDER BY 1"
    found = list(connection.execute(query, values))
    answers, priced = sum(row[1] for row in found), sum(row[3] for row in found)
    parts = [f"{sum(row[2] for row in found):,.4f}"] if priced else []
    parts += [f"an unknown amount ({answers - priced:,} answers)"] if answers > priced else []
    by = ", ".join(row[0] or "(not noted)" for row in found)
    return f"{answers:,} answers of {by}, which cost {' and '.join(parts)}", [row[0] for row in found]


def remove_answers(
    path: Path,
    rules: Rules,
    before_commit: Callable[[CallCache, list[str | None]], None],
    after_commit: Callable[[str], None],
) -> None:
    """Remove the answers that the rules mean, then make the file smaller.

    before_commit: removes what was made of these answers, by annotator, so that none of it outlives them.
    after_commit: gets the removed answers in words.
    Raises LabelRiskError while another process uses the cache.
    """
    calls = CallCache(path)
    try:
        with calls.transaction():  # which keeps others from starting
            refuse_others(calls, "prune")
            text, annotators = answers_meant(calls, rules)
            condition, values = rules.sql()
            dictionaries = made_of(calls, condition, values)
            calls.execute(f"DELETE FROM calls WHERE {condition}", values)
            calls.execute("DELETE FROM frames WHERE id NOT IN (SELECT frame FROM calls)")
            replace_dictionaries(calls, dictionaries)
            before_commit(calls, annotators)
        after_commit(text)
        calls.execute("VACUUM")
    except (sqlite3.Error, OSError) as error:
        raise LabelRiskError(f"{path} can't be pruned or made smaller ({error}); run it again") from None
    finally:
        calls.close()


def refuse_others(calls: CallCache, what: str) -> None:
    """Raises LabelRiskError while another process uses the cache; within a transaction, which keeps others from
    starting."""
    others = {file.name for file in calls.locks.iterdir() if file.name != calls.owner}
    if any(may_be_running(calls.locks, token) for token in others):
        raise LabelRiskError(f"another process uses {calls.path}; {what} when it has ended")
