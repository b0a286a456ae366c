"""embed: a sentence vector of each prepared row, by any encoder."""

from __future__ import annotations

from pathlib import Path

from labelrisk.corpora.prepared import Prepared
from labelrisk.encoders.memory_and_cores import share_cores, uncollected
from labelrisk.engines.kinds import opened
from labelrisk.params import Settings
from labelrisk.progress import bar
from labelrisk.vectors.vectors_file import write_encoded, write_vectors


def run(settings: Settings, prepared: Path, out: Path) -> None:
    """Write `id, vector` of the rows of each split: vectors of length 1, of as many numbers as the encoder has."""
    rows = Prepared(prepared)
    with uncollected():
        share_cores(1)  # of one batch: there are several at once
        from labelrisk.vectors.chunks import encoded_by
        from labelrisk.vectors.encoder import Encoder

        encoder = Encoder(settings.embed)
    with bar(len(rows), "vectors", "row") as progress:
        if settings.engine.kind == "local":  # in this process, a batch on each core
            write_vectors(rows, encoder.encode, encoder.dimensions, out, progress.update)
        else:
            with opened(settings.engine) as engine:
                parts = encoded_by(engine, rows, settings.embed, settings.engine.gpus)
                write_encoded(parts, encoder.dimensions, out, progress.update)
