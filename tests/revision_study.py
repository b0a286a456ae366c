"""Studies in a real git repository whose outputs lie in DVC's cache by their hashes, without a run of DVC."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from dvc_study import ENVIRONMENT

from labelrisk.comparison.runs import Run, write_runs

CODEBOOK = {
    "task": "Say where it is.",
    "labels": {"north": "Up there, where it is cold.", "south": "Down there.", "west": "Over there."},
    "edge_cases": ["Poles count as north."],
}
PARAMS = {
    "codebook": "codebook.yaml",
    "annotators": {
        "gold": {"kind": "gold", "reads": "codebook.yaml"},
        "llm": {"kind": "chat", "reads": "codebook.yaml", "model": "m-1", "base_url": "https://api.example.org/v1"},
    },
    "sources": {"gold": {"annotator": "gold"}, "llm": {"annotator": "llm"}},
    "seeds": [0, 1, 2],
    "evaluate": {"reference": "gold", "margin": 0.02, "confidence": 0.95},
}
SPLITS = {"train": 8, "validation": 4, "test": 60}
IDS = {split: [f"{split}{row:02d}" for row in range(rows)] for split, rows in SPLITS.items()}
CLASSES = list(CODEBOOK["labels"])
GOLD = {key: CLASSES[place % 3] for ids in IDS.values() for place, key in enumerate(ids)}
VERDICTS = {"gold": ("reference", None), "llm": ("safe", (-0.01, -0.018, -0.002))}
SCORES = {"gold": (0.8, 0.78, 0.82), "llm": (0.79, 0.77, 0.81)}


def git(root, *words):
    done = subprocess.run(["git", *words], cwd=root, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def new_repository(root):
    """A repository with DVC and no study."""
    git(root, "init", "-qb", "main")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".gitignore").write_text("data/\n")
    return commit(root, "no study yet")


def commit(root, message):
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD")


def write_texts(root, params=PARAMS, codebook=CODEBOOK, verdicts=VERDICTS, scores=SCORES, costs=(72, 0.5)):
    """What git keeps: params.yaml, the codebook, and the metrics."""
    (root / "params.yaml").write_text(as_yaml(params))
    (root / "codebook.yaml").write_text(as_yaml(codebook))
    (root / "metrics" / "annotate").mkdir(parents=True, exist_ok=True)
    judged = {
        name: {"verdict": word, "because": f"of {name}", "gold_labels": 8, "cost": 0.0}
        | dict(zip(("difference", "low", "high"), gap or (None, None, None), strict=True))
        for name, (word, gap) in verdicts.items()
    }
    verdict = {"margin": 0.02, "confidence": 0.95, "sources": judged, "next_step": None}
    names = ("macro_f1", "macro_f1_low", "macro_f1_high")
    scored = {name: dict(zip(names, of, strict=True)) for name, of in scores.items()}
    totals = {"rows": 72, "status": {"ok": 72}, "requests": costs[0], "cost": costs[1]}
    for name, content in (("verdict", verdict), ("sources", scored), ("annotate/llm", totals)):
        (root / "metrics" / f"{name}.json").write_text(json.dumps(content))
    (root / "metrics" / "prepare.json").write_text(json.dumps(SPLITS))


def as_yaml(content):
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # hostile texts are long
    return yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=10**9)


def write_outputs(root, flips=None, runs=None, texts=None, ids=IDS, gold=GOLD, classes=CLASSES):
    """What DVC keeps: labels of gold and llm, prepared rows, and the students' answers; and dvc.lock.

    flips: labels of llm by id where they are not those of GOLD; runs: by source and seed the codes of the test rows.
    """
    data = root / "data"
    shutil.rmtree(data, ignore_errors=True)
    for folder in ("labels", "prepared", "runs"):
        (data / folder).mkdir(parents=True)
    rows = pd.DataFrame([(key, split) for split, keys in ids.items() for key in keys], columns=["id", "split"])
    llm = [(flips or {}).get(key, GOLD.get(key, CLASSES[0])) for key in rows["id"]]
    for name, labels in (("gold", [gold.get(key) for key in rows["id"]]), ("llm", llm)):
        status = ["ok" if label else "refusal" for label in labels]
        rows.assign(label=labels, status=status).to_parquet(data / "labels" / f"{name}.parquet")
    for split, keys in ids.items():
        shown = [(texts or {}).get(key, f"text of {key}") for key in keys]
        frame = pd.DataFrame({"id": keys, "text": shown, "gold": [gold.get(key) for key in keys]})
        frame.to_parquet(data / "prepared" / f"{split}.parquet")
    (data / "prepared" / "labels.json").write_text(json.dumps(classes))
    runs = runs or {(source, seed): students(source, seed) for source in ("gold", "llm") for seed in PARAMS["seeds"]}

    def read(source, seed):
        codes = np.asarray(runs[source, seed])[: len(ids["test"])]
        return Run(pd.Index(ids["test"]), np.full(len(codes), "test", dtype=object), np.eye(3, dtype=np.float32)[codes])

    sources, seeds = (list(dict.fromkeys(key[place] for key in runs)) for place in (0, 1))
    write_runs(data / "runs" / "all.parquet", read, sources, seeds)
    outs = {f"data/labels/{name}.parquet": None for name in ("gold", "llm")} | {"data/runs/all.parquet": None}
    stages = {
        f"make{place}": {"outs": [{"path": path, "md5": cached(root, root / path)}]} for place, path in enumerate(outs)
    }
    stages["prepare"] = {"outs": [{"path": "data/prepared", "md5": cached_folder(root, data / "prepared")}]}
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def students(source, seed, share_wrong=0.1):
    """Codes of the test rows: gold, but for a share that is drawn."""
    draw = np.random.default_rng([seed, len(source)])
    codes = np.array([CLASSES.index(GOLD[key]) for key in IDS["test"]])
    return np.where(draw.random(len(codes)) < share_wrong, (codes + 1) % 3, codes)


def cached(root, path):
    content = path.read_bytes()
    return _keep(root, content, "")


def cached_folder(root, folder):
    listed = [{"md5": cached(root, path), "relpath": path.name} for path in sorted(folder.iterdir())]
    return _keep(root, json.dumps(listed).encode(), ".dir")


def _keep(root, content, suffix):
    top = next(folder for folder in (root, *root.parents) if (folder / ".dvc").is_dir())
    md5 = hashlib.md5(content).hexdigest() + suffix
    place = top / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return md5


def without_environment(monkeypatch, root):
    """The folder as the current one, and nobody's settings of git."""
    monkeypatch.chdir(root)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        if name.startswith(("GIT_", "DVC_")):
            monkeypatch.setenv(name, value)


def whole_clone(root: Path, target: Path, *words: str) -> Path:
    """A clone, which has nothing of DVC's."""
    git(root.parent, "clone", "-q", *words, f"file://{root}", str(target))
    return target
