"""What a line of the table of scale holds, and how the table is printed."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


class Line(NamedTuple):
    """One measurement.  usual: seconds of the usual recipe at the same work, in the same run; None without one."""

    what: str
    rows: int
    seconds: float
    gigabytes: float  # at the highest, of the process that did it
    students: int = 1
    nodes: int = 1
    usual: float | None = None
    recipe: str = ""  # what the usual one is


def sizes(largest: int) -> list[int]:
    """Rows that are measured."""
    return [size for size in SIZES if size <= largest]


def slope(lines: Sequence[Line]) -> float | None:
    """The exponent b of seconds = a * rows ** b, by least squares on logarithms; None with fewer than two sizes.

    1: twice the rows take twice the time; above, they take more.
    """
    points = [(math.log(line.rows), math.log(line.seconds)) for line in lines]
    if len({rows for rows, _ in points}) < 2:
        return None
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return float(sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points))


def table(lines: Sequence[Line]) -> str:
    """All lines, those of one thing together, with the slope of its cost and how much faster than the usual recipe."""
    found = [f"{'what':<24}{'rows':>11}{'students':>9}{'nodes':>6}{'seconds':>9}{'GB':>6}{'usual s':>9}{'times':>6}"]
    for _, some in groupby(lines, key=lambda line: line.what):
        several = list(some)
        for line in several:
            usual = times = ""
            if line.usual is not None:
                usual, times = f"{line.usual:,.1f}", f"{line.usual / line.seconds:.1f}"
            found.append(
                f"{line.what:<24}{line.rows:>11,}{line.students:>9}{line.nodes:>6}{line.seconds:>9,.1f}"
                f"{line.gigabytes:>6.1f}{usual:>9}{times:>6}"
            )
        notes = [f"slope {exponent:.2f}"] if (exponent := slope(several)) is not None else []
        notes += [f"usual: {recipe}" for recipe in dict.fromkeys(line.recipe for line in several) if recipe]
        found += [f"  {note}" for note in notes]
    return "\n".join(found)


def main(lines: Callable[[int], Iterator[Line]], about: str | None) -> None:
    """Measure one topic by itself."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=100_000, help="rows of the largest size")
    print(table(list(lines(parser.parse_args().largest))))
