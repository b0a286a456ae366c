"""Tables of how often intervals hold the truth: a cell, and the program that prints a line for each world."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def held(values: NDArray[np.float64], truth: float) -> str:
    """Of estimates with low and high (S, 3): share of intervals that hold the truth, and their mean width over 2 x 1.96
    standard deviations of the estimates.
    """
    share = np.mean((values[:, 1] <= truth) & (truth <= values[:, 2]))
    width = np.mean(values[:, 2] - values[:, 1]) / (2 * 1.96 * values[:, 0].std())
    return f"{share:.3f} ({width:.2f})".replace("0.", ".")


def print_worlds(
    about: str | None, header: Sequence[str], worlds: Iterable[tuple[str, Any]], line: Callable[[Any, int], str]
) -> None:
    """Print a line of so many --studies for each world, as Markdown."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    number = parser.parse_args().studies
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    start = time.perf_counter()
    for name, world in worlds:
        print(f"| {name} | {line(world, number)} |", flush=True)
    print(f"\n{number} studies per world, {time.perf_counter() - start:.0f} s")
