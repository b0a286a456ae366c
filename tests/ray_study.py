"""The stage train on ten students of one source, as a process of its own: python ray_study.py ADDRESS FOLDER OUT."""

import shutil
import sys
from pathlib import Path

from students import Stage, settings_of, tiny_model

from labelrisk.settings.engine import EngineSettings
from labelrisk.stages import train

SEEDS = tuple(range(10))


def write(folder):
    """The stage's inputs, below `folder`."""
    stage = Stage(folder, str(tiny_model(folder / "model", "bert")))
    (folder / "training").mkdir()
    for seed in SEEDS:
        shutil.copy(folder / "training.parquet", folder / "training" / f"{seed}.parquet")
    return stage.settings.train.model


def run(address, folder, out):
    """Train what is missing in the store, by a cluster or by this machine."""
    from students import recipe

    how = recipe(model=str(folder / "model"), epochs=12)
    engine = EngineSettings(kind="ray", address=address) if address else EngineSettings(jobs=2)
    settings = settings_of(how, seeds=SEEDS)
    settings.engine = engine
    inputs = (folder / name for name in ("training", "test.parquet", "labels.json", "labels.json"))
    outputs = (out / name for name in ("models", "predictions", "logs"))
    train.run(settings, "gold", *inputs, out / "local" / "students", *outputs, out / "durations.jsonl")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
