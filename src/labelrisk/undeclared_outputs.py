"""Removal of what params.yaml no longer declares.

DVC leaves outputs behind when `sources`, `seeds` or `annotators` shrink. A stage that depends on the folder would hash
them, so the collector prunes its own inputs (DVC hashes dependencies again after the command).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from labelrisk.params import Settings
from labelrisk.settings.names import SLUG

SEED = re.compile(r"[0-9]+")


def prune_undeclared(
    settings: Settings,
    *,
    labels: Path,
    ballots: Path,
    baselines: Path,
    totals: Path,
    training: Path,
    runs: Iterable[Path],
) -> None:
    """Remove files and runs of undeclared annotators, panels, sources and seeds from these folders, and print each.

    totals: the annotators' JSON files; runs: folders with an entry per source and seed, as `training` is one.
    """
    prune_files(labels, settings.labellers)
    prune_files(ballots, settings.annotators)
    prune_files(baselines, settings.baseline.kinds)
    prune_files(totals, {*settings.annotators, *settings.second_opinions}, ".json")
    prune_files(training, ())  # a file per source, of versions that drew once for all seeds
    for folder in (training, *runs):
        prune_runs(folder, settings.sources, settings.seeds)


def prune_files(folder: Path, names: Collection[str], suffix: str = ".parquet") -> None:
    """Remove `<folder>/<name><suffix>` whose name isn't in `names`, and print each.

    Only names as params.yaml may hold them are touched: a notes.txt or .gitignore of yours stays.
    """
    for path in sorted(folder.glob(f"*{suffix}")):
        if SLUG.fullmatch(path.stem) and path.stem not in names and path.is_file():
            _remove(path)


def prune_runs(folder: Path, sources: Collection[str], seeds: Collection[int]) -> None:
    """Remove `<folder>/<source>/<seed>` and `<seed>.parquet` of undeclared runs, and print each.

    The folder of a source goes too when nothing is left in it. Links to folders are neither followed nor removed.
    """
    stale = list(_stale_runs(folder, sources, {str(seed) for seed in seeds}))
    for path in stale:
        _remove(path)
    for parent in sorted({path.parent for path in stale}):
        if not any(parent.iterdir()):
            parent.rmdir()


def prune_sizes(folder: Path, sizes: Collection[int], sources: Collection[str]) -> None:
    """Remove `<folder>/<rows>` of undeclared sizes, `<folder>/<rows>/<source>` of undeclared sources; print each."""
    for size in sorted(folder.glob("*")):
        if not SEED.fullmatch(size.name) or not _is_real_folder(size):
            continue
        if size.name not in {str(rows) for rows in sizes}:
            _remove(size)
            continue
        for source in sorted(size.glob("*")):
            if SLUG.fullmatch(source.name) and source.name not in sources and _is_real_folder(source):
                _remove(source)


def _stale_runs(folder: Path, sources: Collection[str], seeds: Collection[str]) -> Iterator[Path]:
    for source in sorted(folder.glob("*")):
        if not SLUG.fullmatch(source.name) or not _is_real_folder(source):
            continue
        for run in sorted(source.glob("*")):
            is_declared = source.name in sources and run.name.removesuffix(".parquet") in seeds
            is_file = run.suffix == ".parquet" and run.is_file()
            is_run = SEED.fullmatch(run.name.removesuffix(".parquet")) and (is_file or _is_real_folder(run))
            if is_run and not is_declared:
                yield run


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    print(f"removed {path}: params.yaml no longer declares it")
