"""The kinds of engines.  A new kind is a new file with a class like Engine (contract.py), and its word here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labelrisk.engines.contract import Engine
from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings


@contextmanager
def opened(settings: EngineSettings, jobs: int | None = None) -> Iterator[Engine]:
    """The engine of a kind, with its workers, which end with it; jobs: in place of engine.jobs.

    Raises LabelRiskError where Ray is asked for and is not installed.
    """
    if jobs is not None:
        settings = settings.model_copy(update={"jobs": jobs})
    if settings.kind == "ray":
        with _ray_engine(settings) as engine:
            yield engine
    else:
        from labelrisk.engines.local import LocalEngine

        with LocalEngine(settings.jobs) as engine:
            yield engine


@contextmanager
def _ray_engine(settings: EngineSettings) -> Iterator[Engine]:
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        raise LabelRiskError(
            'engine.kind is ray, which is not installed; run `pip install "labelrisk[ray]"`, or set kind: local'
        ) from None
    from labelrisk.engines.ray_cluster import ray_engine

    with ray_engine(settings) as engine:
        yield engine
