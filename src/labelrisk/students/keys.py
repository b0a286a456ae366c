"""What a student's bytes depend on, but for the processor type, as one digest: known before it is trained."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from labelrisk.embedded_model.weights import SHA256
from labelrisk.file_digests import sha256_of
from labelrisk.files import canonical_json
from labelrisk.settings.train import TrainSettings

DIGITS = 32  # of a digest
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")  # other versions of these may be other bytes


def digest_of(*paths: Path) -> str:
    """Of files' bytes, one after the other."""
    return "".join(map(sha256_of, paths))


def student_key(inputs: str, training: str, recipe: TrainSettings, seed: int, **more: object) -> str:
    """Of one student.

    inputs: digest of what all share (test rows, labels, the stage's code); training: that of its training file; recipe:
    with its preset resolved; more: what else it depends on.
    """
    parts = {
        "inputs": inputs,
        "training": training,
        "recipe": recipe.model_dump(mode="json"),
        "encoder": _identity(recipe.model),
        "libraries": [_version(name) for name in LIBRARIES],
        "seed": seed,
        "more": more,
    }
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:DIGITS]


def _identity(model: str) -> list[object]:
    """Of the embedded model its digest, of a folder its files as they look from outside; a hub name has a revision."""
    if model == "embedded":
        return [SHA256]
    folder = Path(model)
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files if file.is_file()]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
