"""Speed and memory of sentence vectors beside sentence-transformers: `python benchmarks/embedding.py [--memory]`.

Each measurement is a process of its own; those of all peers alternate, and medians are given.  The case: MiniLM on news
and policy sentences from ../shared/data, encoded by `SentenceTransformer(folder).encode(texts)` as it comes, and by us.
--memory runs the stage `embed` on prepared rows instead: 100,000 of them, cut to few tokens so that it takes minutes,
and some thousand in full length.  What is held does not grow with rows, so that the larger of both is that of 100,000
in full; `--memory 100000:256` measures it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
FILES = [SHARED / name / "data.parquet" for name in ("babe_media_bias", "tc_policy_uk")]
PEERS = {
    "usual": "sentence-transformers",
    "usual_bf16": "sentence-transformers, bf16",
    "fp32": "labelrisk, fp32",
    "bf16": "labelrisk, bf16",
}
UNTIMED = 32  # texts at the start


def main() -> None:
    """Measure all peers or the stage, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000, help="texts per measurement of speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--memory", nargs="*", metavar="ROWS:TOKENS", help="peak memory of the stage instead of speed")
    parser.add_argument("--one", nargs=3, metavar=("PEER", "ROWS", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--stage", nargs=2, metavar=("ROWS", "TOKENS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not all(file.is_file() for file in FILES):
        print(f"skipped: {FILES[0]} or {FILES[1].parent.name} is not there")
    elif arguments.one:
        peer, rows, file = arguments.one
        print(json.dumps(one(peer, int(rows), Path(file))))
    elif arguments.stage:
        print(json.dumps(stage(*map(int, arguments.stage))))
    elif arguments.memory is not None:
        memory(arguments.memory or ["5000:256", "100000:8"])
    else:
        speed(arguments.peers, arguments.rows, arguments.rounds)


def texts(rows: int) -> list[str]:
    """Real texts, in a fixed order in which lengths are mixed; numbered where more are asked for than there are."""
    import numpy as np
    import pandas as pd

    found = pd.concat([pd.read_parquet(file, columns=["text"])["text"] for file in FILES]).dropna().drop_duplicates()
    mixed = found.to_numpy(dtype=object)[np.random.default_rng(0).permutation(len(found))]
    return [mixed[at] if at < len(mixed) else f"{at}: {mixed[at % len(mixed)]}" for at in range(rows)]


def speed(peers: list[str], rows: int, rounds: int) -> None:
    """Print texts per second, peak memory, and how far vectors are from those of the first peer."""
    import numpy as np

    measured: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    vectors = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for peer in peers:
                file = Path(folder) / f"{peer}.npy"
                measured[peer].append(process("--one", peer, str(rows), str(file)))
                vectors[peer] = np.load(file)
    print(f"{rows} texts, median of {rounds}; load of the machine now: {os.getloadavg()[0]:.1f}")
    print(f"{'':30}{'texts/s':>9}{'ratio':>7}{'fastest':>9}", end="")
    print(f"{'per CPU s':>11}{'ratio':>7}{'peak MB':>9}{'least cosine':>14}")
    medians = {
        peer: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for peer, runs in measured.items()
    }
    base = medians[peers[0]]
    for peer, median in medians.items():
        fastest = max(run["per_second"] for run in measured[peer])
        least = (vectors[peer] * vectors[peers[0]]).sum(axis=1).min()
        print(f"{PEERS[peer]:30}{median['per_second']:9.1f}{median['per_second'] / base['per_second']:7.2f}", end="")
        print(f"{fastest:9.1f}{median['per_cpu']:11.1f}{median['per_cpu'] / base['per_cpu']:7.2f}", end="")
        print(f"{median['peak_mb']:9.0f}{least:14.7f}")


def memory(cases: list[str]) -> None:
    """Print the peak memory of the stage."""
    print(f"{'rows':>8}{'max_tokens':>12}{'rows/s':>8}{'peak MB':>9}")
    for case in cases:
        rows, tokens = case.split(":")
        found = process("--stage", rows, tokens)
        print(f"{rows:>8}{tokens:>12}{found['per_second']:8.0f}{found['peak_mb']:9.0f}", flush=True)


def process(*words: str) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(peer: str, rows: int, file: Path) -> dict[str, float]:
    """Encode, be measured, and keep the vectors."""
    import numpy as np

    encode = usual(peer) if peer.startswith("usual") else ours(peer)
    every = texts(rows)
    encode(every[:UNTIMED])
    started, used = time.perf_counter(), time.process_time()
    vectors = encode(every)
    wall, used = time.perf_counter() - started, time.process_time() - used
    np.save(file, vectors)
    return {"per_second": rows / wall, "per_cpu": rows / used, "peak_mb": peak()}


def usual(peer: str) -> Any:
    """sentence-transformers as its documentation shows it."""
    import torch
    from sentence_transformers import SentenceTransformer

    from labelrisk.embedded_model.weights import embedded_folder

    options = {"dtype": torch.bfloat16} if peer == "usual_bf16" else None
    model = SentenceTransformer(str(embedded_folder()), model_kwargs=options)

    def encode(part: list[str]) -> Any:
        import numpy as np

        vectors = model.encode(part, convert_to_tensor=True).float().cpu().numpy()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # bf16 leaves them some thousandths too long

    return encode


def ours(peer: str) -> Any:
    """labelrisk's encoder as its stage uses it."""
    from labelrisk.encoders.memory_and_cores import share_cores
    from labelrisk.settings.embed import EmbedSettings

    share_cores(1)
    from labelrisk.vectors.encoder import Encoder

    return Encoder(EmbedSettings.model_validate({"precision": peer})).encode


def stage(rows: int, tokens: int) -> dict[str, float]:
    """Run the stage on prepared rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = f"import benchmarks.embedding as of; of.write_prepared_rows({rows}, {str(folder / 'prepared')!r})"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)  # elsewhere: it takes memory of its own
        from labelrisk.params import load
        from labelrisk.stages import embed

        settings = load(ROOT / "params.yaml")
        settings = settings.model_copy(update={"embed": settings.embed.model_copy(update={"max_tokens": tokens})})
        started = time.perf_counter()
        embed.run(settings, folder / "prepared", folder / "vectors")
        return {"per_second": rows / (time.perf_counter() - started), "peak_mb": peak()}


def write_prepared_rows(rows: int, folder: str) -> None:
    """The folder that `prepare` would write of so many train rows."""
    import pandas as pd
    from prepared_folder import write_prepared

    every = texts(rows)
    frame = pd.DataFrame({"id": [f"{at:016x}" for at in range(rows)], "text": every, "gold": None, "split": "train"})
    write_prepared(Path(folder), frame, frame[:0], ["a", "b"], {})


def peak() -> float:
    """Megabytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
