"""How often intervals about rows that flip hold the truth, and how wide they are, in worlds whose truth is known.

Two sources of binary labels.  A seed flips a row where its hardness, plus its own chance and the level of the seed, is
above a bound; the annotator is wrong more often where rows are hard, and there the second source flips `added` more.

gap, difference   pairs of seeds that disagree where the annotator is wrong minus where it is right, of the second
                  source, and minus that of the first
rho, difference   Spearman's correlation of the vote entropy with the annotator's (noisy hardness)
AUC, difference   of the vote entropy, where the annotator is wrong against where it is right
Each: the share of studies whose 95 % interval holds the true value, the mean over all studies, and in brackets the mean
width over what the true sampling spread needs.
false, found      share of studies that call the difference of gaps other than 0 (5 % level) where none is; where it is

    python benchmarks/validity_flips.py [--studies 400]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from coverage_tables import held, print_worlds
from numpy.typing import NDArray

from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.ranks import Relation, auc, ranked, spearman
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.seed_jackknife import SeedJackknife
from labelrisk.statistics.vote_spread import event_gap, pair_disagreements, vote_entropies

CONFIDENCE = 0.95
COLUMNS = ("gap", "difference of gap", "rho", "difference of rho", "AUC", "difference of AUC")


class World(NamedTuple):
    """Test rows, seeds, what chance and seeds' levels vary by, and what is added where the annotator is wrong."""

    rows: int = 1000
    seeds: int = 5
    chance: float = 0.5
    of_seed: float = 0.2
    added: float = 0.6


WORLDS = {
    "typical, 1,000 rows, 5 seeds": World(),
    "3 seeds": World(seeds=3),
    "2 seeds": World(seeds=2),
    "10 seeds": World(seeds=10),
    "seeds hardly differ": World(of_seed=0.02),
    "seeds dominate": World(of_seed=0.6),
    "200 rows": World(rows=200),
}


def study(world: World, generator: np.random.Generator) -> dict[str, Interval]:
    """The intervals of one study, by column."""
    hardness = generator.standard_normal(world.rows)
    wrong = generator.random(world.rows) < 1 / (1 + np.exp(1 - hardness))
    doubt = np.round(hardness + generator.standard_normal(world.rows), 1)
    runs = {}
    for name, added in (("0", 0.0), ("1", world.added)):
        levels = world.of_seed * generator.standard_normal((world.seeds, 1))
        chance = world.chance * generator.standard_normal((world.seeds, world.rows))
        runs[name] = (hardness + added * wrong + levels + chance > 1.3).astype(np.int64)
    spread, doubts = {name: vote_entropies(of, 2) for name, of in runs.items()}, ranked(doubt)
    pairs = {name: pair_disagreements(of, 2) for name, of in runs.items()}
    gap: Callable[[Floats], Relation] = partial(event_gap, events=wrong)
    numbers: dict[str, tuple[dict[str, tuple[Floats, list[Floats]]], Callable[[Floats], Relation]]] = {
        "gap": (pairs, gap),
        "rho": (spread, lambda of: spearman(ranked(of), doubts)),
        "AUC": (spread, lambda of: auc(ranked(of), wrong)),
    }
    found = {}
    for column, (of_rows, relation) in numbers.items():
        jackknife = SeedJackknife(
            {name: relation(whole) for name, (whole, _) in of_rows.items()},
            {name: [relation(part) for part in parts] for name, (_, parts) in of_rows.items()},
        )
        found[column] = jackknife.of("1", CONFIDENCE)
        found[f"difference of {column}"] = jackknife.difference("1", "0", CONFIDENCE)
    return found


def studies(world: World, number: int) -> dict[str, NDArray[Any]]:
    """Estimates, lows and highs by column, (studies, 3) each."""
    generator = np.random.default_rng(0)
    drawn = [study(world, generator) for _ in range(number)]
    return {column: np.array([one[column][:3] for one in drawn]) for column in COLUMNS}


def line(world: World, number: int) -> str:
    """A row of the table."""
    found, cells = studies(world, number), []
    for column in COLUMNS:
        values, truth = found[column], found[column][:, 0].mean()
        cells.append(held(values, truth))
    none = studies(world._replace(added=0.0), number)["difference of gap"]
    called = [np.mean((of[:, 1] > 0) | (of[:, 2] < 0)) for of in (none, found["difference of gap"])]
    return " | ".join([*cells, *(f"{share:.3f}".replace("0.", ".") for share in called)])


if __name__ == "__main__":
    print_worlds(__doc__, ["world", *COLUMNS, "false", "found"], WORLDS.items(), line)
