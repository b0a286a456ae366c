"""What DVC itself costs in a study of hundreds of students: all stages up to `train` of the project's dvc.yaml, whose
commands are replaced by a shell script that writes tiny files at once, beside a layout with a stage for each student.

    python benchmarks/scale_dvc.py                          10 sources x 10 seeds
    python benchmarks/scale_dvc.py --largest 1000000        20 x 20 and 80 x 5: a quarter of an hour
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scale_table
import yaml
from scale_table import Line

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = [(10, 10)], [(20, 20), (80, 5)]  # sources, seeds
ROWS = 100_000  # asked for at the least where many are measured
RECIPE = "a stage for each student"
SEED_OF_ONE = "${item.seed}"
# A student for each stage, as dvc.yaml would have it.
SINGLE: dict[str, Any] = {
    "matrix": {"source": "${sources}", "seed": "${seeds}"},
    "cmd": [
        "${run} names",
        f"${{run}} train --seed '{SEED_OF_ONE}' --model 'models/${{item.source}}/{SEED_OF_ONE}' "
        f"--predictions 'data/predictions/${{item.source}}/{SEED_OF_ONE}' "
        f"--logs 'data/logs/${{item.source}}/{SEED_OF_ONE}'",
    ],
    "deps": [
        f"data/training/${{item.source}}/{SEED_OF_ONE}",
        *("data/prepared/test.parquet", "data/prepared/labels.json", "data/code/train"),
    ],
    "params": ["train"],
    "outs": [f"{folder}/${{item.source}}/{SEED_OF_ONE}" for folder in ("models", "data/predictions", "data/logs")],
}
# Each place that is named becomes a folder with the file of each seed, or what later stages ask for; all files differ.
STAND_IN = """#!/bin/sh
verb=$1; shift
seeds="$SEEDS"
while [ $# -gt 0 ]; do
  case "$verb $1" in
    "names --out") mkdir -p data; echo good > "$2" ;;
    "names --declared") mkdir -p "$2/filter"; echo train > "$2/train"
      for one in $SOURCES; do echo "$one" > "$2/filter/$one"; done ;;
    "code --out") mkdir -p "$2"; for one in $STAGES; do echo "$one" > "$2/$one"; done ;;
    "prepare --out") mkdir -p "$2"; echo test > "$2/test.parquet"; echo labels > "$2/labels.json" ;;
    "embed --out") mkdir -p "$2"; echo vectors > "$2/vectors" ;;
    "train --seed") seeds="" ;;
    "filter --out"|"train --model"|"train --predictions"|"train --logs")
      if [ -z "$seeds" ]; then mkdir -p "${2%/*}"; echo "$2" > "$2"; fi
      for seed in $seeds; do mkdir -p "$2"; echo "$2 $seed" > "$2/$seed"; done ;;
    *" --out"|*" --ballots"|*" --metrics") mkdir -p "${2%/*}"; echo "$2" > "$2" ;;
  esac
  shift
done
"""


def lines(largest: int) -> Iterator[Line]:
    """A first run, one that changes nothing, and `dvc status`, in both layouts."""
    for sources, seeds in MANY if largest >= ROWS else FEW:
        ours, single = _seconds(sources, seeds, single=False), _seconds(sources, seeds, single=True)
        for what, seconds in ours.items():
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            name = f"{what}, {sources} x {seeds}"
            yield Line(name, 1, seconds, peak, sources * seeds, usual=single[what], recipe=RECIPE)


def _seconds(sources: int, seeds: int, single: bool) -> dict[str, float]:
    """By what DVC is asked for: how long that takes in a study that has never run."""
    with tempfile.TemporaryDirectory(prefix="scale_dvc_") as name:
        root = Path(name)
        _write_study(root, sources, seeds, single)
        for command in (["git", "init", "-q"], _dvc("init -q")):
            subprocess.run(command, cwd=root, check=True, capture_output=True)
        environment = os.environ | {"SEEDS": " ".join(map(str, range(seeds))), "DVC_NO_ANALYTICS": "1"}
        environment["SOURCES"] = " ".join(_names(sources))
        environment["STAGES"] = " ".join(path.stem for path in (ROOT / "src/labelrisk/stages").glob("*.py")) + " names"
        found = {}
        for what, words in (("first repro", "repro train"), ("no-op repro", "repro train"), ("status", "status train")):
            start = time.perf_counter()
            done = subprocess.run(_dvc(words), cwd=root, env=environment, capture_output=True, text=True)
            found[what] = time.perf_counter() - start
            if done.returncode:
                raise SystemExit(f"dvc {words} failed: {done.stderr[-500:]}")
        assert "up to date" in done.stdout, done.stdout[-500:]
        assert len(list((root / "models").rglob("*"))) == sources * (seeds + 1)
    return found


def _names(sources: int) -> list[str]:
    return [f"source_{place}" for place in range(sources)]


def _dvc(words: str) -> list[str]:
    return [sys.executable, "-m", "dvc", *words.split()]


def _write_study(root: Path, sources: int, seeds: int, single: bool) -> None:
    """The project's dvc.yaml up to train, its params.yaml with so many sources and seeds, and the stand-in."""
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    wanted = ("code", "names", "prepare", "embed", "annotate", "merge", "reannotate", "filter", "train")
    stages = {name: pipeline["stages"][name] for name in wanted}
    if single:
        stages["train"] = SINGLE
    pipeline = {"vars": [{"run": "./stand_in.sh", "local": ".labelrisk"}], "stages": stages}
    (root / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    declared = {name: {"annotator": "gold", "rows": place + 1} for place, name in enumerate(_names(sources))}
    params |= {"codebook": "texts", "sources": declared}
    params |= {"seeds": list(range(seeds)), "annotators": {"gold": {"kind": "gold", "reads": "texts"}}}
    params["corpus"] = {"kind": "files", "path": "texts"}
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    (root / "src" / "labelrisk").mkdir(parents=True)
    (root / "src" / "labelrisk" / "code.py").write_text("", encoding="utf-8")
    (root / "texts").write_text("texts\n", encoding="utf-8")
    (root / ".gitignore").write_text("/data/\n/models/\n/metrics/\n", encoding="utf-8")
    script = root / "stand_in.sh"
    script.write_text(STAND_IN, encoding="utf-8")
    script.chmod(0o755)


if __name__ == "__main__":
    scale_table.main(lines, __doc__)
