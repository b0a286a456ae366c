"""One table of scale: rows, students, nodes, seconds and GB beside the usual recipes, from 10 thousand to 10 million.

python benchmarks/scale.py                                      a part of an hour: 1 million rows at most
python benchmarks/scale.py --largest 10000000                   hours, and 60 GB of disk
python benchmarks/scale.py --only corpus cache --largest 10000  one topic or several

Each topic is a file scale_<topic>.py beside this one, which can be run alone.  Texts are generated.  A topic that this
machine lacks something for says so in its place; the others go on.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
from pathlib import Path

import scale_table
from scale_table import Line

HERE = Path(__file__).parent


def topics() -> list[str]:
    """The names of all, in the order of the alphabet."""
    found = (path.stem.removeprefix("scale_") for path in HERE.glob("scale_*.py"))
    return sorted(name for name in found if name != "table")


def measured(topic: str, largest: int) -> list[Line]:
    """The lines of one topic."""
    return list(importlib.import_module(f"scale_{topic}").lines(largest))


def main() -> None:
    """Measure what is asked for, and print it topic by topic, since the largest sizes take long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=1_000_000, help="rows of the largest size")
    parser.add_argument("--only", nargs="+", choices=topics(), default=topics(), help="topics")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for topic in asked.only:
        try:
            print(scale_table.table(measured(topic, asked.largest)), flush=True)
        except SystemExit as error:  # a topic's own sentence on what is not here
            print(f"{topic}: {error}", flush=True)


if __name__ == "__main__":
    main()
