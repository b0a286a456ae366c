"""The DVC remotes: whether each can be reached, and whether it has what the committed dvc.lock names."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labelrisk.doctor.findings import Finding, Probe
from labelrisk.errors import LabelRiskError, shown

NAMED = 3  # outputs in one sentence
PORTS = {"http": 80, "https": 443}
SECONDS = 5.0  # for a connection


def remote_probes(folder: Path) -> list[Probe]:
    """A probe for each remote that is configured; none is a finding of its own."""
    try:
        names = _configured(folder)
    except LabelRiskError as error:
        unreadable = Finding("fault", "remotes", str(error))
        return [Probe("remotes", lambda: [unreadable])]
    if names:
        return [Probe(f"remote {name}", partial(_looked, folder, name)) for name in names]
    says = "none; to share: `dvc remote add --default NAME URL`"
    return [Probe("remotes", lambda: [Finding("ok", "remotes", says)])]


def _configured(folder: Path) -> list[str]:
    """Names of remotes, the default one first.

    Raises LabelRiskError where DVC can't read its configuration.
    """
    from dvc.config import Config, ConfigError  # type: ignore[import-untyped]

    try:
        config = Config(str(folder / ".dvc"))
    except ConfigError as error:
        reason = shown(" ".join(str(error).split()), 200)
        raise LabelRiskError(f"DVC can't read .dvc/config ({reason}); correct it") from None
    default = config["core"].get("remote")
    return sorted(config["remote"], key=lambda name: (name != default, name))


def _looked(folder: Path, name: str) -> Sequence[Finding]:
    from dvc.repo import Repo  # type: ignore[import-untyped]

    from labelrisk.sharing.committed_outputs import committed_outputs
    from labelrisk.sharing.remote_files import lacking
    from labelrisk.sharing.remote_storage import RemoteStorage

    with Repo(str(folder)) as repo:
        default = repo.config["core"].get("remote")
        config = repo.config["remote"][name]
        url = shown(config["url"], 200)
        for address in (config["url"], config.get("endpointurl")):
            _refuse_dead(name, address)
        outputs = [one for one in _committed(repo, committed_outputs) if (one.remote or default) == name]
        if not outputs:
            RemoteStorage(repo, name, "md5").sizes(["0" * 32])
            return [Finding("ok", f"remote {name}", f"{url} answers; no commit names outputs that are pushed there")]
        missing = lacking(repo, outputs)
    if not missing:
        return [Finding("ok", f"remote {name}", f"{url} has all of dvc.lock ({len(outputs):,} outputs)")]
    paths = ", ".join(one.path for one in missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
    says = f"{url} lacks {len(missing):,} of {len(outputs):,} outputs of dvc.lock ({paths}); run `dvc push`"
    return [Finding("look", f"remote {name}", says)]


def _refuse_dead(name: str, address: str | None) -> None:
    """Raises LabelRiskError where nobody answers at a web address: clients then try for long, or say "not found"."""
    url = urlsplit(address or "")
    if url.scheme not in PORTS or not url.hostname:
        return
    try:
        socket.create_connection((url.hostname, url.port or PORTS[url.scheme]), SECONDS).close()
    except (OSError, ValueError) as error:
        what = f"the DVC remote '{shown(name)}' can't be reached at {url.hostname} ({shown(error)})"
        raise LabelRiskError(f"{what}; check its address and the network") from None


def _committed(repo: Any, committed_outputs: Any) -> Sequence[Any]:
    """Outputs of HEAD; none where there is no commit yet."""
    from dvc.scm import NoSCM, SCMError  # type: ignore[import-untyped]

    try:
        if isinstance(repo.scm, NoSCM) or not repo.scm.get_rev():
            return []
    except SCMError:
        return []
    found: Sequence[Any] = committed_outputs(repo, "HEAD")
    return found
