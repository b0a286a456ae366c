"""How fast and how safely `annotate` asks, beside bare clients, against one loopback server in the same run.

python benchmarks/annotation.py speed     2,000 texts, 50 ms latency, 64 in flight: medians of three runs each
python benchmarks/annotation.py faults    the same with 20 % 429, 5 % 500 and 2 % dropped connections
python benchmarks/annotation.py million   1,000,000 rows whose answers are cached: read again, and one row added
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

LATENCY = 0.05
IN_FLIGHT = 64
TEXTS = 2000
LABELS = {"weather": "Rain, sun, wind and heat.", "food": "Meals, cooking and taste.", "sport": "Games and players."}
WORDS = (*("rain", "sun", "wind", "soup", "bread", "rice", "game"), *("ball", "team", "snow", "heat", "cake", "run"))


def texts(number: int) -> list[str]:
    """Different sentences of some 30 words."""
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=30)) + f" {row}." for row in range(number)]


def answer(token: str) -> dict[str, Any]:
    """A Chat Completions response with top_logprobs."""
    top = [{"token": code, "logprob": -0.1 - place, "bytes": [65]} for place, code in enumerate("ABCDEFGHIJKLMNOPQRST")]
    return {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": token, "refusal": None},
                "logprobs": {"content": [{"token": token, "logprob": -0.1, "bytes": [65], "top_logprobs": top}]},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 1, "total_tokens": 121},
    }


def serve(faults: bool) -> None:
    """Answer on a free port, which is printed; GET /ledger says how often it answered 200, and to how many texts."""
    from aiohttp import web

    payload = json.dumps(answer("A")).encode()
    answered: dict[str, int] = {}
    seen: dict[str, int] = {}

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = body["messages"][-1]["content"][-200:]
        seen[text] = seen.get(text, 0) + 1
        await asyncio.sleep(LATENCY)
        fate = random.Random(f"{text}{seen[text]}").random() if faults else 1.0
        if fate < 0.20:
            return web.json_response({"error": {"message": "slow down"}}, status=429)
        if fate < 0.25:
            return web.json_response({"error": {"message": "oops"}}, status=500)
        if fate < 0.27:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        answered[text] = answered.get(text, 0) + 1
        return web.Response(body=payload, content_type="application/json")

    async def ledger(request: web.Request) -> web.Response:
        total = {"texts": len(answered), "answers": sum(answered.values()), "requests": sum(seen.values())}
        answered.clear()
        seen.clear()
        return web.json_response(total)

    application = web.Application()
    application.add_routes([web.post("/v1/chat/completions", complete), web.get("/ledger", ledger)])

    async def main() -> None:
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    asyncio.run(main())


def body_of(text: str) -> dict[str, Any]:
    """What labelrisk sends for the text, so that all clients send the same."""
    from labelrisk.annotators.chat.annotator import ChatAnnotator
    from labelrisk.codebook import Codebook
    from labelrisk.prompting.prompts import messages
    from labelrisk.prompting.request_bodies import request_body

    codebook = Codebook(task="Say what the sentence is about.", labels=LABELS)
    annotator = ChatAnnotator(kind="chat", reads="", model="m", base_url="http://x", shots=0)
    return request_body(annotator, codebook, messages(codebook, (), text))


async def _spread(ask: Callable[[dict[str, Any]], Awaitable[Any]], bodies: list[dict[str, Any]]) -> int:
    """Ask all with IN_FLIGHT workers; returns how many failed."""
    queue, failed = iter(bodies), 0

    async def work() -> None:
        nonlocal failed
        for body in queue:
            try:
                await ask(body)
            except Exception:
                failed += 1

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return failed


async def bare_aiohttp(url: str, bodies: list[dict[str, Any]]) -> int:
    """The floor: an aiohttp loop without retries."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(body: dict[str, Any]) -> str:
            async with session.post(f"{url}/v1/chat/completions", json=body) as response:
                response.raise_for_status()
                content = await response.json()
                return str(content["choices"][0]["message"]["content"])

        return await _spread(ask, bodies)


async def bare_openai(url: str, bodies: list[dict[str, Any]]) -> int:
    """AsyncOpenAI on its aiohttp client, as its documentation shows, with the retries that it has by default."""
    import openai

    client = openai.AsyncOpenAI(api_key="x", base_url=f"{url}/v1", http_client=openai.DefaultAioHttpClient())

    async def ask(body: dict[str, Any]) -> str | None:
        response = await client.chat.completions.create(**body)
        return str(response.choices[0].message.content)

    failed = await _spread(ask, bodies)
    await client.close()
    return failed


def write_study(folder: Path, url: str, rows: list[str], **changes: Any) -> None:
    """A prepared study with one chat annotator."""
    codebook = {"task": "Say what the sentence is about.", "labels": LABELS}
    (folder / "codebook.yaml").write_text(yaml.safe_dump(codebook, sort_keys=False))
    prepared = folder / "prepared"
    prepared.mkdir(exist_ok=True)
    from labelrisk.corpora.rows import content_id

    frame = pd.DataFrame({"id": [content_id(row) for row in rows], "text": rows, "gold": None}).astype({"gold": "str"})
    frame["gold"] = None
    frame.to_parquet(prepared / "train.parquet", index=False)
    frame.head(0).to_parquet(prepared / "demonstrations.parquet", index=False)
    for split in ("validation", "test"):
        frame.head(0).to_parquet(prepared / f"{split}.parquet", index=False)
    (prepared / "labels.json").write_text(json.dumps(list(LABELS)))


def labelrisk(url: str, rows: list[str], folder: Path) -> tuple[float, float, int]:
    """The request phase of `annotate`, with the call cache; returns seconds, CPU seconds and rows without a label."""
    from labelrisk.annotators.chat.annotator import ChatAnnotator
    from labelrisk.annotators.chat.labeller import ChatLabeller
    from labelrisk.annotators.chat.run import label_rows
    from labelrisk.annotators.contract import Asking, Task
    from labelrisk.codebook import read_codebook
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.settings.annotate import AnnotateSettings
    from labelrisk.settings.chat import Price

    os.chdir(folder)
    if not (folder / "prepared").exists():
        write_study(folder, url, rows)
    annotator = ChatAnnotator(
        kind="chat", reads="codebook.yaml", model="m", base_url=f"{url}/v1", shots=0,
        price=Price(input=0.4, output=1.6), max_cost=100.0,
    )  # fmt: skip
    settings = AnnotateSettings(concurrency=IN_FLIGHT, timeout=60, retries=5)
    codebook = read_codebook(folder / "codebook.yaml")
    import openai  # noqa: F401 (not part of the request phase)

    start, started = time.perf_counter(), time.process_time()
    prepared = Prepared(folder / "prepared")
    out = folder / "labels" / "m.parquet"
    cache = folder / ".labelrisk" / "calls.sqlite"
    task = Task(name="m", prepared=prepared, ballots=folder)
    asking = Asking(settings=settings, cache=cache, codebook=folder / "codebook.yaml")
    label_rows(ChatLabeller("m", annotator, codebook, prepared), task, asking, out)
    seconds, used = time.perf_counter() - start, time.process_time() - started
    return seconds, used, int(pd.read_parquet(out, columns=["label"])["label"].isna().sum())


def one_client(name: str, url: str, folder: Path) -> dict[str, float]:
    """Run one client in this process: seconds and CPU seconds of its requests, CPU of the process, memory, failures."""
    rows = texts(TEXTS)
    if name == "labelrisk":
        seconds, phase, failed = labelrisk(url, rows, folder)
    else:
        client = {"aiohttp": bare_aiohttp, "openai": bare_openai}[name]
        bodies = [body_of(row) for row in rows]
        import openai  # noqa: F401

        start, started = time.perf_counter(), time.process_time()
        failed = asyncio.run(client(url, bodies))
        seconds, phase = time.perf_counter() - start, time.process_time() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    whole = used.ru_utime + used.ru_stime
    return {"seconds": seconds, "cpu": whole, "phase": phase, "mb": used.ru_maxrss / 1024, "failed": failed}


def start_server(faults: bool) -> tuple[subprocess.Popen[str], str]:
    """The server in its own process, and its address."""
    command = [sys.executable, __file__, "serve", *(["--faults"] if faults else [])]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, f"http://127.0.0.1:{server.stdout.readline().strip()}"


def ledger_of(url: str) -> dict[str, int]:
    """What the server answered since the last look."""
    import urllib.request

    with urllib.request.urlopen(f"{url}/ledger") as response:
        content: dict[str, int] = json.load(response)
    return content


def compare(faults: bool, repeats: int) -> None:
    """Clients side by side; each run in a new process."""
    ideal = TEXTS * LATENCY / IN_FLIGHT
    server, url = start_server(faults)
    found: dict[str, list[dict[str, float]]] = {"aiohttp": [], "openai": [], "labelrisk": []}
    try:
        for _ in range(repeats):
            for name, runs in found.items():
                with tempfile.TemporaryDirectory() as folder:
                    command = [sys.executable, __file__, "client", "--name", name, "--url", url, "--folder", folder]
                    run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
                ledger = ledger_of(url)
                runs.append(run | {"twice": ledger["answers"] - ledger["texts"], "sent": ledger["requests"]})
    finally:
        server.kill()
    print(f"{TEXTS} texts, {LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight, ideal {ideal:.2f} s; medians of {repeats}")
    heads = [
        ("seconds", 9),
        ("/ ideal", 9),
        ("CPU s", 8),
        ("ms/label", 10),
        ("MB", 6),
        ("lost", 6),
        ("twice", 7),
        ("sent", 7),
    ]
    print("client      " + "".join(f"{head:>{width}}" for head, width in heads))
    for name, runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"{name:<12}{middle['seconds']:>9.2f}{middle['seconds'] / ideal:>9.2f}{middle['cpu']:>8.2f}"
            f"{middle['phase'] / TEXTS * 1000:>10.2f}{middle['mb']:>6.0f}{middle['failed']:>6.0f}"
            f"{middle['twice']:>7.0f}{middle['sent']:>7.0f}"
        )


def million(number: int) -> None:
    """Rows whose answers are cached, read again by the call cache alone, by the last labels, and with one row more."""
    from labelrisk.annotators.chat.annotator import ChatAnnotator
    from labelrisk.annotators.chat.labeller import ChatLabeller
    from labelrisk.cache.calls import CallCache
    from labelrisk.codebook import read_codebook
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.settings.chat import Price

    server, url = start_server(False)
    rows = texts(number + 1)
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write_study(folder, url, rows[:number])
            annotator = ChatAnnotator(
                kind="chat", reads="codebook.yaml", model="m", base_url=f"{url}/v1", shots=0,
                price=Price(input=0.4, output=1.6), max_cost=100.0,
            )  # fmt: skip
            labels = ChatLabeller(
                "m", annotator, read_codebook(folder / "codebook.yaml"), Prepared(folder / "prepared")
            )
            cache = CallCache(folder / ".labelrisk" / "calls.sqlite")
            response = answer("A")
            start = time.perf_counter()
            for first in range(0, number, 20000):
                with cache.transaction():
                    for text in rows[first : min(first + 20000, number)]:
                        ((key, template, asked),) = labels.questions.calls([()], text)
                        cache.store(key, template, asked, response, "m", 0.00005)
            cache.close()
            size = (folder / ".labelrisk" / "calls.sqlite").stat().st_size / 2**20
            print(f"{number:,} answers stored in {time.perf_counter() - start:.0f} s, {size:,.0f} MB")
            for what in ("all from the call cache", "all known from the last run", "one row added"):
                if what == "one row added":
                    write_study(folder, url, rows)
                command = [sys.executable, __file__, "client", "--name", "labelrisk", "--url", url, "--folder", place]
                run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
                asked_now = ledger_of(url)["requests"]
                print(f"{what:<30}{run['seconds']:>7.1f} s{run['mb']:>8.0f} MB{asked_now:>4} asked")
    finally:
        server.kill()


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "faults", "million", "serve", "client"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--name")
    parser.add_argument("--url")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "serve":
        serve(arguments.faults)
    elif arguments.what == "client":
        print(json.dumps(one_client(arguments.name, arguments.url, arguments.folder)))
    elif arguments.what == "million":
        million(arguments.rows)
    else:
        compare(arguments.what == "faults", arguments.repeats)


if __name__ == "__main__":
    main()
