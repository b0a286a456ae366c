"""`labelrisk doctor`: what may keep a study from running here, a line each, with what to do."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._options import add_cache
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.doctor.findings import Finding, Probe

HELP = "look at versions, device, disk, caches, remotes, endpoints, git and DVC"
EXAMPLE = "labelrisk doctor\nlabelrisk doctor --seconds 30"
NAMED = 3  # stages and causes in one sentence
MOST = 3600.0  # seconds
REQUEST = 5.0  # seconds that an endpoint has to answer, of those of a probe


def arguments(parser: ArgumentParser) -> None:
    """How long each probe may take, and where answers are stored."""
    text = "that any probe may take; all run at the same time (default: 20)"
    parser.add_argument("--seconds", type=float, default=20.0, help=text)
    add_cache(parser)


def run(params: Path, seconds: float, cache: Path) -> None:
    """Print what each probe finds, in a fixed order; nothing is changed, and nothing that costs is asked.

    Raises LabelRiskError after the last line where there is a fault.
    """
    from labelrisk.doctor.findings import found_by, lines_of

    if not seconds > 0:
        raise LabelRiskError(f"--seconds is {seconds:g}, but a probe needs some time; give 1 or more")
    states: Counter[str] = Counter()
    seconds = min(seconds, MOST)
    for finding in found_by(_probes(params, min(REQUEST, seconds / 2), cache), seconds):
        states[finding.state] += 1
        print("\n".join(lines_of(finding)), flush=True)
    if faults := states["fault"]:
        raise LabelRiskError(f"{faults} of {states.total()} lines are faults; do what they say, then look again")


def _probes(params: Path, seconds: float, cache: Path) -> list[Probe]:
    from labelrisk.doctor import machine
    from labelrisk.doctor.caches import call_cache
    from labelrisk.doctor.findings import Probe
    from labelrisk.doctor.repository import git_findings

    here = Path.cwd()
    top = next((folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir()), None)
    return [
        Probe("versions", lambda: machine.versions(top)),
        Probe("device", machine.device),
        Probe("memory", machine.cores_and_memory),
        Probe("disk", lambda: machine.disk([here, cache.absolute(), *([top / ".dvc" / "cache"] if top else [])])),
        Probe("call cache", lambda: call_cache(cache)),
        *_of_dvc(top),
        *_of_study(params, seconds),
        Probe("git", lambda: git_findings(here)),
        Probe("stages", lambda: _stages(params)),
    ]


def _of_dvc(top: Path | None) -> list[Probe]:
    from labelrisk.doctor.caches import dvc_cache
    from labelrisk.doctor.findings import Finding, Probe
    from labelrisk.doctor.remotes import remote_probes

    if top is None:
        says = "this folder is in no DVC repository; run `dvc init` where the study is to live"
        return [Probe("DVC", lambda: [Finding("look", "DVC", says)])]

    def cache() -> Sequence[Finding]:
        from dvc.repo import Repo  # type: ignore[import-untyped]

        with Repo(str(top)) as repo:
            return dvc_cache(repo)

    return [Probe("DVC cache", cache), *remote_probes(top)]


def _of_study(params: Path, seconds: float) -> list[Probe]:
    """params.yaml, and the endpoint of each chat annotator and second opinion that it declares."""
    from labelrisk.commands._cascade import asked_models
    from labelrisk.commands._chat_annotators import chat_annotators
    from labelrisk.doctor.endpoints import endpoint_findings
    from labelrisk.doctor.findings import Finding, Probe
    from labelrisk.params import load

    if not params.exists():
        says = f"there is no {params} here; run this in a study's folder, or make one with `labelrisk init`"
        return [Probe("params", lambda: [Finding("look", "params", says)])]
    try:
        settings = load(params)
    except LabelRiskError as error:
        faulty = Finding("fault", "params", str(error))
        return [Probe("params", lambda: [faulty])]
    counted = f"{len(settings.annotators)} annotators, {len(settings.sources)} sources, {len(settings.seeds)} seeds"
    chats = chat_annotators({**settings.annotators, **asked_models(settings)}, params, None)
    return [
        Probe("params", lambda: [Finding("ok", "params", f"{params}: {counted}")]),
        *(Probe(name, partial(endpoint_findings, name, of, settings.annotate, seconds)) for name, of in chats.items()),
    ]


def _stages(params: Path) -> Sequence[Finding]:
    """Which stages would run."""
    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.doctor.findings import Finding

    if not params.exists():
        return []
    if not Path("dvc.lock").exists():
        return [Finding("look", "stages", "nothing ran yet (there is no dvc.lock); run `labelrisk repro`")]
    found = out_of_date(params)
    if found.unreadable:
        return [Finding("fault", "stages", f"{found.unreadable} can't be read, perhaps after a merge; repair it")]
    if not found.stages:
        return [Finding("ok", "stages", "all are up to date")]
    names = list(dict.fromkeys(name.partition("@")[0] for name in found.stages))
    more = ", ..." if len(found.because) > NAMED else ""
    because = f" (changed: {', '.join(found.because[:NAMED])}{more})" if found.because else ""
    stages = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    says = f"out of date: {stages}{because}; run `labelrisk repro`"
    return [Finding("look", "stages", says)]
