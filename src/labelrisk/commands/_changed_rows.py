"""Whether the prepared rows are those of the corpus, the codebook and params.yaml as they are now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from labelrisk.file_digests import md5_of
from labelrisk.params import Settings

LOCK = Path("dvc.lock")
SECTIONS = ("corpus", "prepare", "codebook")  # of params.yaml, that the stage depends on


def changed_since_prepare(params: Path, settings: Settings, prepared: Path) -> str | None:
    """What has changed since the rows were prepared, in words, by the hashes in dvc.lock; None: nothing that is seen.

    Without them a file that is newer than the rows counts as changed.
    """
    corpus = getattr(settings.corpus, "path", None)
    files = [Path(settings.codebook), *([Path(corpus)] if corpus else [])]
    locked = _locked()
    if locked is None:
        made = max((file.stat().st_mtime for file in prepared.iterdir()), default=0.0)
        changed = [str(file) for file in files if file.is_file() and file.stat().st_mtime > made]
    else:
        hashes = {dep.get("path"): dep.get("md5") for dep in locked.get("deps") or ()}
        changed = [str(file) for file in files if file.is_file() and hashes.get(str(file)) not in (None, md5_of(file))]
        declared = yaml.safe_load(params.read_text(encoding="utf-8"))
        before = (locked.get("params") or {}).get(params.name) or {}
        changed += [f"{params}:{name}" for name in SECTIONS if before.get(name, declared[name]) != declared[name]]
    return f"{' and '.join(changed)} {'has' if len(changed) == 1 else 'have'} changed" if changed else None


def _locked() -> dict[str, Any] | None:
    """What dvc.lock says of the stage, or None."""
    try:
        content = yaml.load(LOCK.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found: dict[str, Any] = content["stages"]["prepare"]
        return found
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        return None
