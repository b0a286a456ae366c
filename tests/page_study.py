"""The page of a small finished study, and of one whose texts try to be more than texts."""

import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from small_study import CLASSES, load_small_study, run_explain, settings, write_study

from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.evidence import load_evidence
from labelrisk.report.material import Material, train_answers
from labelrisk.stages import report

ATTACK = "document.title = 'taken'"
HOSTILE = [
    f"<script>{ATTACK}</script>",
    f"</script><script>{ATTACK}</script>",
    f'<img src=x onerror="{ATTACK}">',
    f"<!--<script>{ATTACK}</script>-->",
    f"javascript:{ATTACK}",
    "&lt;b&gt; &amp; &#x41;",
    "\u202eright to left\u202c and \u2066isolated\u2069",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\U0001f469\u200d\U0001f680 \U0001f1e9\U0001f1ea e\u0301",
    "a\x00b\x07c\u2028d\u2029e",
    "{{ 7 * 7 }} {% raw %} ${7*7} `x`",
    "long " + "x" * 100_000,
]
FOLDERS = ("prepared", "labels", "baselines", "training", "logs", "metrics", "plots")
EVERY = (*FOLDERS, "predictions")
OF_LLM = [0.9, 0.06, 0.04]  # its probabilities, the label's first


@contextmanager
def inside(folder):
    """The folder as the current one."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def write_small_study(root, texts=()):
    """The study of small_study.py with probabilities, slices and a codebook; texts: of the first test rows.

    Evaluated and explained; returns its folders.
    """
    paths = write_study(root)
    test = pd.read_parquet(paths["prepared"] / "test.parquet")
    test["text"] = [*texts, *test["text"][len(texts) :]]
    test.to_parquet(paths["prepared"] / "test.parquet")
    every = pd.concat([pd.read_parquet(paths["prepared"] / f"{split}.parquet") for split in ("train", "test")])
    outlets = [("daily", "weekly")[place % 2] for place in range(len(every))]
    outlets[::9] = [HOSTILE[0] if texts else "monthly"] * len(outlets[::9])
    pd.DataFrame({"id": every["id"], "slice outlet": outlets}).to_parquet(paths["prepared"] / "slices.parquet")
    labels = pd.read_parquet(paths["labels"] / "llm.parquet")
    told = [None if pd.isna(label) else np.roll(OF_LLM, CLASSES.index(label)) for label in labels["label"]]
    entropy = [np.nan if one is None else place / 100 for place, one in enumerate(told)]
    labels.assign(probabilities=told, entropy=entropy).to_parquet(paths["labels"] / "llm.parquet")
    task = {"task": "Say where it is.", "labels": {name: f"It lies in the {name}." for name in CLASSES}}
    (root / "codebook.yaml").write_text(yaml.safe_dump(task, sort_keys=False))
    run_explain(paths, settings())
    return paths


def write_page(paths, out, **changes):
    """Run the stage on a study of write_small_study; returns the page."""
    root = paths["metrics"].parent
    with inside(root):
        report.run(
            settings(**changes),
            **{name: paths[name] for name in FOLDERS},
            vectors=root / "vectors",
            runs=root / "runs" / "all.parquet",
            explanations=root / "explanations",
            out=out,
        )
    return out / "index.html"


def hostile_study(base):
    """The study whose texts try to be more, written once below `base`; returns its folders."""
    root = base / "page_study"
    if root.is_dir():
        return {name: root / name for name in EVERY}
    root.mkdir()
    return write_small_study(root, HOSTILE)


def hostile_page(study):
    """Its page, written once."""
    out = study["metrics"].parent / "report"
    return out / "index.html" if out.is_dir() else write_page(study, out)


def material_of(study):
    """What rows that matter are found in, and the prepared rows."""
    prepared = Prepared(study["prepared"])
    loaded = load_small_study(study, settings())
    evidence = load_evidence(loaded, prepared, study["labels"], study["metrics"].parent / "vectors")
    return Material(evidence, partial(train_answers, study["labels"], loaded.train.ids)), prepared
