"""How often whole verdicts are right: studies drawn from worlds whose truth is known, judged as `evaluate` judges them.

Each study has, beside the reference, sources of one annotator whose truth is known:

equal      loses nothing.  Share of studies that call it risky, unstable, or say that it loses a class (all false),
           and that call it safe
loss       loses 5 points by systematic errors: as steady as the reference.  Share risky; safe and unstable (false)
chosen     its choice of rows has no information: as good as its twin that chooses at random.  Share of studies that say
           "choosing its rows gains ... over random ones", and of those that call it better than the twin (false)
noise      loses 5 points by random errors: its runs differ more by chance.  Share that call it less stable than the
           reference, and of those that find the annotator's students steadier than it (told apart)
directly   the annotator itself, 5 points ahead of every student: share whose next step is to use it; and where it is as
           good as the reference: the same (false); a quarter of the studies
step       the next step without the annotator: share whose step is to take a source, and of those whose source truly
           loses less than the margin

    python benchmarks/validity_verdicts.py [--studies 400]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from scipy.optimize import brentq
from validity import WORLDS, World, truth

from labelrisk.comparison.analyses.verdict import verdict
from labelrisk.comparison.contrasts import contrasts
from labelrisk.comparison.gold_rows import GoldRows
from labelrisk.comparison.stability import stabilities
from labelrisk.comparison.study import AnnotatorLabels, Study, TrainingRows, students_of
from labelrisk.comparison.train_rows import TrainGold, TrainIds
from labelrisk.comparison.training_curves import LOSS, VALIDATION
from labelrisk.comparison.words import Words
from labelrisk.params import Settings
from labelrisk.statistics.scores import confusion, macro_f1

ROOT = Path(__file__).resolve().parent.parent
RIGHT, LOSS_POINTS, MARGIN = 1.0, 0.05, 0.02
SOURCES: dict[str, dict[str, Any]] = {
    "gold": {"annotator": "gold"},
    "equal": {"annotator": "other"},
    "loss": {"annotator": "llm"},
    "chosen": {"annotator": "llm", "select": {"by": "entropy", "share": 0.25}, "action": "gold"},
    "twin": {"annotator": "llm", "control": "random", "of": "chosen"},
    "noise": {"annotator": "llm", "labels": "gold", "noise": "confusion"},
}
UNSTEADY = 2.0  # chance per row and run of the noise source, times that of the world


def settings(world: World) -> Settings:
    """The project's params.yaml with these sources."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    annotators = {"gold": {"kind": "gold", "reads": "x"}}
    annotators |= {name: {"kind": "import", "reads": "x", "label": "label"} for name in ("llm", "other")}
    content |= {"annotators": annotators, "sources": SOURCES, "seeds": list(range(world.runs)), "panels": {}}
    content["ensemble"], content["baseline"] = {"across": []}, {"kinds": []}
    return Settings.model_validate(content)


def loss_of(world: World, points: float) -> float:
    """What to take off the scale of the normal distribution so that the true macro-F1 falls by so many points."""
    best = truth(world, 0, 0.0, macro_f1)
    return float(brentq(lambda loss: best - truth(world, 0, loss, macro_f1) - points, -3.0, 3.0))


def study(world: World, losses: dict[str, float], how: Settings, directly: float | None, seed: int) -> Study:
    """One study; directly: what the annotator itself loses against the reference's runs, None: no test labels."""
    generator = np.random.default_rng([seed, world.rows])
    classes = len(world.shares)
    gold = generator.choice(classes, world.rows, p=world.shares)
    wrong = (gold + 1 + generator.integers(0, classes - 1, world.rows)) % classes
    difficulty = world.difficulty * generator.standard_normal(world.rows)
    spread = np.sqrt(world.difficulty**2 + world.of_source**2 + world.chance**2)

    def runs(loss: float, number: int, chance: float, level: float) -> NDArray[np.int64]:
        own = world.of_source * generator.standard_normal(world.rows)
        levels = level * generator.standard_normal((number, 1))
        noise = chance * world.chance * generator.standard_normal((number, world.rows))
        # more chance makes a source better or worse by itself: the scale is kept
        wide = np.sqrt(world.difficulty**2 + world.of_source**2 + (chance * world.chance) ** 2) / spread
        return np.where((RIGHT - loss) * wide + difficulty + own + levels + noise > 0, gold, wrong)

    students = {}
    for place, name in enumerate(SOURCES):
        level = world.level(min(place, 5))
        predicted = runs(losses[name], world.runs, UNSTEADY if name == "noise" else 1.0, level)
        students[name] = students_of(gold, np.eye(classes, dtype=np.float32)[predicted])
    annotators = {}
    if directly is not None:
        codes = runs(directly, 1, 1.0, 0.0)[0]
        annotators = {"llm": AnnotatorLabels(codes, confusion(gold, codes, classes))}
    rows = GoldRows(pd.Index(range(world.rows)), gold)
    steps = [
        {"source": name, "seed": run, "step": step, VALIDATION: 0.7, LOSS: 0.05}
        for name in SOURCES
        for run in range(world.runs)
        for step in (40, 80, 120, 160)
    ]
    given = [Words.of([what] * 90) for what in ("annotator", "llm", None)]
    training = TrainingRows(np.arange(90, dtype=np.int32), np.arange(90) % classes, *given)
    train = TrainGold(TrainIds.of(map(str, range(world.rows))), np.arange(world.rows, dtype=np.int32), gold)
    return Study(
        settings=how, classes=tuple(f"class_{code}" for code in range(classes)), test=rows, validation=rows,
        students=students, train=train, training_rows=dict.fromkeys(SOURCES, training), annotators_on_train=annotators,
        annotators_on_test=annotators, baselines={}, costs={"llm": 0.0, "other": 0.0},
        costs_on_train=dict.fromkeys(("llm", "other"), np.zeros(world.rows)), curves=pd.DataFrame(steps),
    )  # fmt: skip


def judged(one: Study) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What evaluate writes about it: the sources, and the next step."""
    found: Any = verdict(one)["metrics/verdict.json"]
    return found["sources"], found["next_step"]


def measure(world: World, studies: int) -> dict[str, float]:
    """The shares of one world."""
    how = settings(world)
    loss, half = loss_of(world, LOSS_POINTS), loss_of(world, LOSS_POINTS / 2)
    losses = {"gold": 0.0, "equal": 0.0, "loss": loss, "chosen": half, "twin": half, "noise": loss}
    true_loss = {"gold": 0.0, "equal": 0.0, "loss": LOSS_POINTS, "chosen": 0.025, "twin": 0.025, "noise": LOSS_POINTS}
    seen: dict[str, list[float]] = {}

    def note(name: str, value: bool) -> None:
        seen.setdefault(name, []).append(float(value))

    for seed in range(studies):
        one = study(world, losses, how, None, seed)
        sources, step = judged(one)
        word = {name: of["verdict"] for name, of in sources.items()}
        for bad in ("risky", "loses a class", "unstable"):
            note(f"equal {bad}", word["equal"] == bad)
        note("equal safe", word["equal"] == "safe")
        note("loss risky", word["loss"] == "risky")
        note("loss safe", word["loss"] == "safe")
        note("loss unstable", word["loss"] == "unstable" or stabilities(one)["loss"].unstable)
        note("chosen said", "over random ones" in sources["chosen"]["because"])
        twin = next(found for question, found in contrasts(one).items() if question[:2] == ("chosen", "random twin"))
        note("chosen better", twin.decision == "better")
        note("noise unstable", stabilities(one)["noise"].unstable)
        note("told apart", stabilities(one)["noise"].unstable and not stabilities(one)["loss"].unstable)
        takes = step is not None and step["do"].startswith("nothing to do: train on ")
        note("step takes", takes)
        seen.setdefault("step right", [])
        if takes and step is not None:
            note("step right", true_loss[step["do"].removeprefix("nothing to do: train on ")] < MARGIN)
        if seed % 4:
            continue
        for name, ahead in (("directly", loss_of(world, -LOSS_POINTS)), ("directly false", 0.0)):
            _, step = judged(study(world, losses, how, ahead, seed))
            note(name, step is not None and step["do"] == "use llm directly")
    return {name: float(np.mean(values)) if values else np.nan for name, values in seen.items()}


def main() -> None:
    """Print a table, a world a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    number = parser.parse_args().studies
    started = time.perf_counter()
    for place, (name, world) in enumerate(WORLDS.items()):
        found = measure(World(**{**vars(world), "sources": len(SOURCES)}), number)
        if not place:
            print(f"{number} studies each\n| world | " + " | ".join(found) + " |")
        print(f"| {name} | " + " | ".join(f"{value:.3f}".lstrip("0") for value in found.values()) + " |", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
