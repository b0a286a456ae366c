"""Chunks that are labelled on a Ray cluster: Ray Data spreads them over actors, each of which keeps the classifier."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from labelrisk.applying.applied import Applied, Options
from labelrisk.applying.chunks import digest, texts_of
from labelrisk.applying.inputs import open_input
from labelrisk.applying.parquet_inputs import ParquetFolder, ParquetInput
from labelrisk.applying.parts import Parts, part_of
from labelrisk.applying.places import is_remote
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.run import Source, missing_chunks
from labelrisk.engines.contract import Needs
from labelrisk.errors import LabelRiskError, shown
from labelrisk.settings.engine import EngineSettings
from labelrisk.system_errors import sentence_of

Row = dict[str, Any]


class Labeller:
    """An actor: it loads the classifier once, reads the texts of a chunk where they lie, and gives its part."""

    def __init__(self, name: str, column: str, options: Options, plan: Mapping[str, str]) -> None:
        """plan: that of the parts.  What can't be loaded is told with the first chunk: Ray would start the actor again
        and again.
        """
        self._column, self._sentence = column, ""
        try:
            self._rows, self._applied = _parquet(name), Applied(options)
            check_plan(self._applied.plan, plan)
        except Exception as error:
            self._sentence = _sentence(error)

    def __call__(self, chunk: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """One row: number, first, rows and digest of a chunk -> its number, its rows, and its part or a sentence."""
        number, first, rows = (int(chunk[name][0]) for name in ("number", "first", "rows"))
        part, sentence = b"", self._sentence
        if not sentence:
            try:
                part = self._part(first, rows, str(chunk["digest"][0]))
            except Exception as error:
                sentence = _sentence(error)
        found = {"number": number, "rows": rows, "sentence": sentence}
        return {name: np.array([value]) for name, value in found.items()} | {"part": np.array([part], dtype=object)}

    def _part(self, first: int, rows: int, wanted: str) -> bytes:
        texts = [
            text for batch in self._rows.texts_from(first, rows, self._column) for text in texts_of(batch, self._column)
        ]
        if digest(texts) != wanted:
            raise LabelRiskError(
                f"the texts of rows {first + 1:,} to {first + rows:,} are others on a node of the cluster than here; "
                "give --in a place that all nodes share"
            )
        return part_of(self._applied.say(texts), wanted)


def check_plan(ours: Mapping[str, str], plan: Mapping[str, str]) -> None:
    """Raise LabelRiskError for a node whose parts do not fit; it may compute on another device."""
    if other := next((name for name in plan if name != "device" and ours[name] != plan[name]), None):
        raise LabelRiskError(
            f"{other} is another on a node of the cluster ({shown(ours[other])}, here {shown(plan[other])}); give all "
            "nodes the same files"
        )


def label_parts_on_ray(
    source: Source, parts: Parts, out: str, applied: Applied, engine: EngineSettings, progress: RowsBar
) -> None:
    """Label the chunks that have no part yet; parts are kept in any order, as they come.

    Texts, classifier and calibration must lie where all nodes find them; a chunk whose node dies is read by another.
    Raises LabelRiskError for texts that are not in Parquet, and with the sentence of an actor.
    """
    _parquet(source.name)
    chunks = [
        {"number": one.number, "first": one.first, "rows": len(one.texts), "digest": one.digest}
        for one in missing_chunks(source, parts, out, progress)
    ]
    if not chunks:
        return
    try:
        from labelrisk.engines.ray_connection import connected

        with connected(engine.address), _deaths_worded():
            for row in _labelled(chunks, _everywhere(source.name), source.text, applied, engine):
                if row["sentence"]:
                    raise LabelRiskError(str(row["sentence"]))
                parts.keep(int(row["number"]), row["part"])
                progress.done(int(row["rows"]))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "ray":
            raise
        raise LabelRiskError(
            "the engine is ray, which is not installed; run `pip install 'labelrisk[ray]'`, or give --engine local"
        ) from None


@contextmanager
def _deaths_worded() -> Iterator[None]:
    """Word what Ray says of actors that died again and again, as of memory; the parts that came are kept."""
    import ray

    from labelrisk.engines.ray_cluster import death

    try:
        yield
    except ray.exceptions.RayError as error:
        reason, what = death(error)
        raise LabelRiskError(f"an actor that labels chunks: {reason}{what}") from None


def _labelled(chunks: list[Row], name: str, column: str, applied: Applied, engine: EngineSettings) -> Any:
    import logging

    import ray
    import ray.data

    from labelrisk.engines.ray_nodes import FRESH, Nodes

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.log_internal_stack_trace_to_stdout = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    found = Nodes(Needs(cores=1, gpus=engine.gpus))
    while not found.at_once():
        time.sleep(FRESH)
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    cores = 1 if engine.gpus else int(min(node["CPU"] for node in nodes))  # an actor computes on all cores of a node
    kind, each = ("GPU", engine.gpus) if engine.gpus else ("CPU", float(cores))
    actors = int(sum(node.get(kind, 0) // each for node in nodes))
    labelled = ray.data.from_items(chunks, override_num_blocks=len(chunks)).map_batches(
        Labeller,
        fn_constructor_args=(name, column, _absolute(applied.options), applied.plan),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(actors, engine.jobs or actors, len(chunks))),
        num_cpus=cores,
        num_gpus=engine.gpus or None,
    )
    return labelled.iter_rows()


def _parquet(name: str) -> ParquetInput | ParquetFolder:
    found = open_input(name)
    if isinstance(found, (ParquetInput, ParquetFolder)):
        return found
    raise LabelRiskError(f"{name} is no Parquet, of which Ray reads parts; write it as such, or give --engine local")


def _everywhere(name: str) -> str:
    """A name that means the same in another folder."""
    return name if is_remote(name) else str(Path(name).absolute())


def _absolute(options: Options) -> Options:
    """Options whose paths mean the same in another folder."""
    paths: dict[str, Any] = {
        name: value.absolute() for name, value in options._asdict().items() if isinstance(value, Path)
    }
    return options._replace(**paths)


def _sentence(error: Exception) -> str:
    """What went wrong; a fault is raised, with the lines that lead to it."""
    if isinstance(error, LabelRiskError):
        return str(error)
    if words := sentence_of(error):
        return words
    raise error
