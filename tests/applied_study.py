"""A small finished study with two classifiers, whose texts tell their class in the first word."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from prepared_folder import write_prepared
from students import WORDS, recipe, tiny_model

from labelrisk.classifiers.folders import name_of, write_form
from labelrisk.comparison.runs import Run, write_runs
from labelrisk.encoders import loading, tokens
from labelrisk.settings.calibrate import CalibrateSettings
from labelrisk.settings.embed import EmbedSettings
from labelrisk.stages import calibrate
from labelrisk.students import encoders, training
from labelrisk.students.targets import Targets
from labelrisk.vectors.encoder import Encoder
from labelrisk.vectors.vectors_file import write_vectors

CLASSES = ["no", "yes"]
MAX_TOKENS = 32
SIZES = {"train": 120, "validation": 100, "test": 200}
NOISE = 0.15  # share of texts whose gold is the other class, so that the classifier errs


def rows(count: int, seed: int, share: float = 0.5) -> pd.DataFrame:
    """Texts with gold; share: of the class `yes`."""
    generator = np.random.default_rng(seed)
    codes = (generator.random(count) < share).astype(int)
    said = np.where(generator.random(count) < NOISE, 1 - codes, codes)
    texts = [" ".join([WORDS[code], *generator.choice(WORDS[4:], generator.integers(2, 12))]) for code in said]
    return pd.DataFrame({"text": texts, "gold": [CLASSES[code] for code in codes]})


@cache
def study() -> Path:
    """The folder of the study: read only, as tests share it."""
    root = Path(tempfile.mkdtemp(prefix="applied"))
    tiny = tiny_model(root / "tiny", "bert")
    frames = [rows(count, at).assign(split=split) for at, (split, count) in enumerate(SIZES.items())]
    every = pd.concat(frames, ignore_index=True)
    every["id"] = [f"r{at}" for at in range(len(every))]
    write_prepared(root / "prepared", every, every[:0], CLASSES, {})
    tokenizer = loading.load_tokenizer(str(tiny), None)
    parts = {split: tokens.tokenise(tokenizer, of["text"].tolist(), MAX_TOKENS) for split, of in every.groupby("split")}
    codes = {split: np.array([CLASSES.index(one) for one in of["gold"]]) for split, of in every.groupby("split")}
    found = {}
    known = every[every["split"] != "train"]
    for seed in (0, 1):
        model = encoders.load_classifier(str(tiny), None, CLASSES, 0.0, seed)
        how = recipe(epochs=8, learning_rate=3e-3, max_tokens=MAX_TOKENS)
        targets = Targets(codes=codes["train"])
        tuned = training.fine_tune(model, parts["train"], targets, parts["validation"], codes["validation"], how, seed)
        said = np.concatenate([tuned.validation, training.predict(tuned.model, parts["test"], 8)])
        found[seed] = Run(pd.Index(known["id"]), known["split"].to_numpy(dtype=object), said)
        for classifier, source in (("chosen", "gold"), ("distilled", "distilled")):
            if classifier == "chosen" or seed == 0:
                folder = root / "classifiers" / classifier / name_of((source, seed))
                with loading.quiet():
                    tuned.model.save_pretrained(folder)
                    tokenizer.save_pretrained(folder)
    write_form(root / "classifiers" / "chosen", "gold", CLASSES, MAX_TOKENS, [("gold", 0), ("gold", 1)])
    write_form(root / "classifiers" / "distilled", "distilled", CLASSES, MAX_TOKENS, [("distilled", 0)])
    write_runs(root / "runs.parquet", lambda _, seed: found[seed], ["gold"], [0, 1])
    write_runs(root / "distilled.parquet", lambda _, seed: found[seed], ["distilled"], [0])
    settings = calibrated_by(str(tiny))
    encoder = Encoder(settings.embed)
    from labelrisk.corpora.prepared import Prepared

    write_vectors(Prepared(root / "prepared"), encoder.encode, encoder.dimensions, root / "vectors")
    run_calibrate(root, settings)
    return root


def calibrated_by(model: str, **changes: object) -> SimpleNamespace:
    """The settings that the stage calibrate reads."""
    return SimpleNamespace(
        calibrate=CalibrateSettings.model_validate({"neighbours": 3} | changes),
        embed=EmbedSettings(model=model, precision="fp32", max_tokens=MAX_TOKENS),
        evaluate=SimpleNamespace(confidence=0.95),
    )


def run_calibrate(root: Path, settings: SimpleNamespace, out: Path | None = None) -> Path:
    """Run the stage; returns the folder that it wrote."""
    out = out or root / "classifiers" / "calibration"
    inputs = (root / "prepared", root / "vectors", root / "runs.parquet", root / "distilled.parquet")
    calibrate.run(settings, *inputs, root / "classifiers", out)  # type: ignore[arg-type]
    return out
