"""The call cache's schema and the steps that bring older files to it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from datetime import datetime

from labelrisk.cache.usage import usage_of
from labelrisk.files import canonical_json

SCHEMA_VERSION = 3
BATCH_OWNER = "batch:"  # and the token of a batch: the owner of its claims, which outlives its process
# appended in the order of arrival; a random key as primary key would scatter the writes over the file; texts are packed
# where that saves bytes
CALLS = """CREATE TABLE calls (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, frame INTEGER NOT NULL REFERENCES frames (id),
    text TEXT NOT NULL, response BLOB NOT NULL, answered INTEGER NOT NULL, annotator TEXT,
    input_tokens INTEGER, output_tokens INTEGER, cost REAL)"""
# the first bytes of a key tell it from nearly all others; files of version 2 have an index of whole keys until they are
# compacted
CALLS_BY_KEY = "CREATE INDEX calls_by_key ON calls (substr(key, 1, 8))"
# what texts and responses of an annotator are packed with; first, last: the calls that it was made of
DICTIONARIES = """CREATE TABLE dictionaries (
    checksum INTEGER PRIMARY KEY, kind TEXT NOT NULL, annotator TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, content BLOB NOT NULL)"""
SCHEMA = (
    # request templates, which most answers share; the table keeps the name that it has in files of this version
    """CREATE TABLE frames (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, endpoint TEXT NOT NULL, model TEXT NOT NULL,
        prefix TEXT NOT NULL, suffix TEXT NOT NULL)""",
    CALLS,
    CALLS_BY_KEY,
    DICTIONARIES,
    # requests in flight at their upper bounds; owner: the token of a process, or BATCH_OWNER and that of a batch
    """CREATE TABLE claims (
        key BLOB PRIMARY KEY, owner TEXT NOT NULL, annotator TEXT NOT NULL, cost REAL NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE spent (
        annotator TEXT PRIMARY KEY, requests INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0,
        lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    # batches that were submitted and not yet read; batch is null until the endpoint has named it
    """CREATE TABLE batches (
        token TEXT PRIMARY KEY, annotator TEXT NOT NULL, batch TEXT, submitted INTEGER NOT NULL,
        requests INTEGER NOT NULL) WITHOUT ROWID""",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an empty file, or one of an older version, to SCHEMA_VERSION, inside the caller's transaction.

    Answers of version 2 stay as they are: they are read as they were, and packed better when the cache is compacted.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        return
    if version == 1:
        connection.execute("ALTER TABLE calls RENAME TO calls_1")
    for statement in (DICTIONARIES,) if version == 2 else SCHEMA:
        connection.execute(statement)
    if version == 1:
        _from_1(connection)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def by_key(connection: sqlite3.Connection) -> tuple[str, int]:
    """What of a key the index holds that a file has, as SQL, and how many bytes that are."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'calls_by_key' AND type = 'index'"
    return ("substr(key, 1, 8)", 8) if connection.execute(query).fetchone() else ("key", 32)


def _from_1(connection: sqlite3.Connection) -> None:
    """Version 1 kept each request whole, responses as text, and knew no cost."""
    rows = connection.execute("SELECT key, endpoint, model, request, response, answered FROM calls_1 ORDER BY answered")
    for number, (key, endpoint, model, request, response, answered) in enumerate(rows.fetchall(), start=1):
        whole = canonical_json({"endpoint": endpoint, "request": json.loads(request)})
        connection.execute(
            "INSERT INTO frames VALUES (?, ?, ?, ?, ?, '')",
            (number, template_hash(whole, ""), endpoint, model, whole),
        )
        usage = usage_of(json.loads(response))
        stored = (number, bytes.fromhex(key), number, "", zlib.compress(response.encode(), 1))
        when = int(datetime.fromisoformat(answered).timestamp())
        cost = 0.0 if endpoint.startswith("embedded/") else None
        values = (*stored, when, None, usage.input, usage.output, cost)
        connection.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("DROP TABLE calls_1")


def template_hash(prefix: str, suffix: str) -> bytes:
    """What tells request templates apart."""
    return hashlib.sha256(f"{prefix}\0{suffix}".encode()).digest()
