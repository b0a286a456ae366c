"""The call cache at scale: stored, opened, looked up, exported, imported, verified, pruned, and one row added.

Beside it what LLM libraries do with their disk caches: one table of keys and JSON in SQLite, one look at a time.

python benchmarks/scale_cache.py --largest 1000000
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cached_answers
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from annotation import ledger_of, start_server
from scale_table import Line, main, sizes

AT_ONCE = 64  # answers of a transaction: as many as are in flight
RECIPE = "a table of SHA-256 keys and JSON in SQLite, one look at a time"
CACHE, TABLE = Path(".labelrisk", "calls.sqlite"), Path("table.sqlite")
ANNOTATE: tuple[str, ...] = (
    *("annotate", "--annotator", "model", "--prepared", "prepared", "--cache", str(CACHE)),
    *("--out", "l.parquet", "--ballots", "b.parquet", "--metrics", "m.json"),
)
RUN = (sys.executable, "-c", "import sys; from labelrisk.cli import main; sys.exit(main(sys.argv[1:]))")


class Done(NamedTuple):
    """How long a process took, what memory it had at the most, and what it printed."""

    seconds: float
    gigabytes: float
    printed: str


def done(*command: str) -> Done:
    """Run a process to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command[-8:])} ended with {os.waitstatus_to_exitcode(status)}: {printed[-500:]}")
    return Done(time.perf_counter() - start, used.ru_maxrss / 2**20, printed)


def step(name: str, rows: int, logprobs: bool) -> Done:
    """One of STEPS in a process of its own, which prints the seconds of what is measured."""
    ran = done(sys.executable, __file__, name, str(rows), str(int(logprobs)))
    return ran._replace(seconds=float(ran.printed))


def write_study(rows: int, logprobs: bool, url: str = "http://127.0.0.1:9") -> None:
    """params.yaml, the codebook and prepared rows in the working folder; url: of a server that answers."""
    root = Path(__file__).resolve().parent.parent
    params: dict[str, Any] = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    model = {"kind": "chat", "reads": "codebook.yaml", "model": "gpt-4.1-mini", "base_url": f"{url}/v1", "shots": 0}
    model |= {"confidence": "logprobs" if logprobs else "none", "price": {"input": 0.4, "output": 1.6}}
    params["annotators"] = {"gold": {"kind": "gold", "reads": "codebook.yaml"}, "model": model | {"max_cost": 1e6}}
    params |= {"codebook": "codebook.yaml", "sources": {name: {"annotator": name} for name in ("gold", "model")}}
    params |= {"ensemble": {"across": ["model"]}, "distil": {}, "curve": params["curve"] | {"sources": []}}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    codebook = {"task": "Say what the text is about.", "labels": cached_answers.LABELS}
    Path("codebook.yaml").write_text(yaml.safe_dump(codebook, sort_keys=False), encoding="utf-8")
    prepared = Path("prepared")
    cached_answers.write_prepared(prepared, rows)
    (prepared / "labels.json").write_text(json.dumps(list(cached_answers.LABELS)), encoding="utf-8")


def store(rows: int, logprobs: bool) -> float:
    """Store all answers, as they would come; seconds without those of making them."""
    from labelrisk.annotators.chat.labeller import ChatLabeller
    from labelrisk.cache.calls import CallCache
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.params import load

    annotator: Any = load(Path("params.yaml")).annotators["model"]
    labeller = ChatLabeller(
        "model", annotator, annotator.codebook("model", Path("codebook.yaml")), Prepared(Path("prepared"))
    )
    pairs = zip(cached_answers.texts(rows), cached_answers.responses(rows, logprobs), strict=True)
    spent = 0.0
    with closing(CallCache(CACHE)) as cache:
        while some := list(islice(pairs, AT_ONCE)):
            start = time.perf_counter()
            with cache.transaction():
                for text, response in some:
                    ((key, template, asked),) = labeller.questions.calls([()], text)
                    cost = 0.4e-6 * response["usage"]["prompt_tokens"] + 1.6e-6
                    cache.store(key, template, asked, response, "model", cost, response["created"])
            spent += time.perf_counter() - start
    return spent


def request(text: str) -> str:
    """A prompt as a library hashes it."""
    messages = [{"role": "system", "content": "Say what the text is about. " * 12}, {"role": "user", "content": text}]
    return json.dumps({"model": "gpt-4.1-mini", "messages": messages, "temperature": 0.0, "max_tokens": 1})


def store_in_table(rows: int, logprobs: bool) -> float:
    """The usual recipe, with transactions as large as here: some have one for each answer."""
    pairs = zip(cached_answers.texts(rows), cached_answers.responses(rows, logprobs), strict=True)
    spent = 0.0
    with closing(sqlite3.connect(TABLE)) as table:
        table.execute("PRAGMA journal_mode=WAL")
        table.execute("CREATE TABLE cache (key TEXT PRIMARY KEY, value TEXT)")
        while some := list(islice(pairs, AT_ONCE)):
            start = time.perf_counter()
            with table:
                for text, response in some:
                    key = hashlib.sha256(request(text).encode()).hexdigest()
                    table.execute("INSERT OR REPLACE INTO cache VALUES (?, ?)", (key, json.dumps(response)))
            spent += time.perf_counter() - start
    return spent


def look_up_in_table(rows: int, logprobs: bool) -> float:
    """Rows in, labels out: the usual recipe reads the reply alone, no probabilities."""
    start, labels = time.perf_counter(), []
    with closing(sqlite3.connect(TABLE)) as table:
        for batch in pq.ParquetFile("prepared/train.parquet").iter_batches(columns=["text"]):
            for text in batch.column("text").to_pylist():
                key = hashlib.sha256(request(text).encode()).hexdigest()
                (value,) = table.execute("SELECT value FROM cache WHERE key = ?", (key,)).fetchone()
                labels.append(json.loads(value)["choices"][0]["message"]["content"].strip())
    pq.write_table(pa.table({"label": labels}), "table.parquet")
    return time.perf_counter() - start


def open_cache(rows: int, logprobs: bool) -> float:
    """Open the cache and look one call up."""
    from labelrisk.cache.calls import CallCache

    start = time.perf_counter()
    with closing(CallCache(CACHE)) as cache:
        cache.find(bytes(32))
    return time.perf_counter() - start


STEPS = {one.__name__: one for one in (store, store_in_table, look_up_in_table, open_cache)}


def of_size(rows: int, logprobs: bool, url: str) -> Iterator[Line]:
    """All measurements of one cache, in the working folder."""
    kind = "answers, logprobs" if logprobs else "answers"

    def line(what: str, ran: Done, usual: Done | None = None, recipe: str = RECIPE) -> Line:
        print(f"{kind}: {what}, {rows:,} rows: {ran.seconds:.1f} s, {ran.gigabytes:.2f} GB", file=sys.stderr)
        seconds = None if usual is None else usual.seconds
        return Line(f"{kind}: {what}", rows, ran.seconds, ran.gigabytes, usual=seconds, recipe=recipe if usual else "")

    write_study(rows, logprobs, url)
    ours, usual = step("store", rows, logprobs), step("store_in_table", rows, logprobs)
    size, table = (file.stat().st_size / rows for file in (CACHE, TABLE))
    recipe = f"{RECIPE}; MB a million answers: {table:,.0f} without the texts, here {size:,.0f} with them"
    yield line("store", ours, usual, recipe)
    yield line("open", step("open_cache", rows, logprobs))
    usual = step("look_up_in_table", rows, logprobs)
    TABLE.unlink()
    yield line("all looked up", done(*RUN, *ANNOTATE), usual)
    yield line("labels remembered", done(*RUN, *ANNOTATE))
    cached_answers.write_prepared(Path("prepared"), rows + 1)
    ledger_of(url)
    yield line("one row added", done(*RUN, *ANNOTATE))
    shutil.rmtree(CACHE.parent / "labels")
    done(*RUN, *ANNOTATE)
    if (asked := ledger_of(url)["answers"]) != 1:
        raise SystemExit(f"one row added asked {asked} times")
    yield line("verify", done(*RUN, "cache", "verify"))
    yield line("export", done(*RUN, "cache", "export", "answers.jsonl.gz"))
    yield line("import", done(*RUN, "cache", "import", "answers.jsonl.gz", "--cache", "new/calls.sqlite"))
    shutil.rmtree("new")
    Path("answers.jsonl.gz").unlink()
    with closing(sqlite3.connect(CACHE)) as cache:
        (middle,) = cache.execute("SELECT answered FROM calls WHERE id = ?", (rows // 10,)).fetchone()
    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle))
    yield line("prune a tenth", done(*RUN, "cache", "prune", "--before", day, "--yes"))


def lines(largest: int) -> Iterator[Line]:
    """Each size without log-probabilities and with those of 20 tokens, on a disk with 1 GB for 500,000 answers."""
    here, found = Path.cwd(), list[Line]()
    server, url = start_server("plain")
    try:
        for rows in sizes(largest):
            for logprobs in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    os.chdir(folder)
                    found += of_size(rows, logprobs, url)
                    os.chdir(here)
    finally:
        os.chdir(here)
        server.kill()
    yield from sorted(found, key=lambda line: line.what)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        print(STEPS[sys.argv[1]](int(sys.argv[2]), bool(int(sys.argv[3]))))
    else:
        main(lines, __doc__)
