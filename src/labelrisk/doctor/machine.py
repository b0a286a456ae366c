"""The machine: versions of what is installed, the device, cores, memory, the fast type, and free disk."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from labelrisk.doctor.findings import Finding, size

TOOLS, MODELS = ("labelrisk", "dvc"), ("torch", "transformers", "openai")  # which decide what a run does
LOCK = Path("requirements.lock")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s;#]+)", re.MULTILINE)
NAMED = 3  # packages in one sentence
GIB = 2**30
MEMORY = 1.5 * GIB  # of one student that is the embedded model
DISK_FAULT, DISK_LOOK = 0.5e9, 5e9  # bytes: a run of the built-in study takes some 1 GB


def versions(top: Path | None) -> list[Finding]:
    """Python, labelrisk and what it stands on; in a clone of labelrisk against its lock file.

    top: the folder of the repository.
    """
    found = {name: _version(name) for name in (*TOOLS, *MODELS)}
    tools, models = (", ".join(f"{name} {found[name]}" for name in of if found[name]) for of in (TOOLS, MODELS))
    lines = [
        Finding("ok", "versions", f"Python {platform.python_version()}, {tools}"),
        Finding("ok", "packages", models),
    ]
    if absent := [name for name, number in found.items() if number is None]:
        lines.append(Finding("fault", "packages", f"not installed: {', '.join(absent)}; run `pip install labelrisk`"))
    if top and (top / "src" / "labelrisk").is_dir() and (top / LOCK).is_file():
        lines += _against_lock((top / LOCK).read_text(encoding="utf-8"))
    return lines


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _against_lock(lock: str) -> Iterator[Finding]:
    """Packages that are installed in other versions than those that are pinned; what is not installed is not needed."""
    others = []
    for name, pinned in PIN.findall(lock):
        found = _version(name)
        if found is not None and found.partition("+")[0] != pinned.partition("+")[0]:
            others.append(f"{name} {found}, not {pinned}")
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        yield Finding("look", "packages", f"not as in {LOCK}: {'; '.join(others[:NAMED])}{more}; run `make setup`")


def device() -> list[Finding]:
    """What students train on, and whether bf16 is fast there."""
    import torch

    from labelrisk.encoders.devices import device as of_encoders
    from labelrisk.encoders.devices import precision
    from labelrisk.engines.machine import has_gpu

    is_fast = precision("auto") == torch.bfloat16
    kind = of_encoders().type
    type_ = "bf16 is fast here" if is_fast else "bf16 is slow here, so that `precision: auto` is fp32"
    if kind == "cuda":
        return [Finding("ok", "device", f"GPU {torch.cuda.get_device_name(0)}; {type_}")]
    if has_gpu():
        return [
            Finding(
                "look", "device", f"there is a GPU, but torch {torch.__version__} can't use it; install its CUDA build"
            )
        ]
    return [Finding("ok", "device", f"CPU; {type_}")]


def cores_and_memory() -> list[Finding]:
    """Cores that this process may use, and free memory."""
    import psutil

    from labelrisk.engines.machine import cores

    memory = psutil.virtual_memory()
    says = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free"
    if memory.available < MEMORY:
        says += f", less than one student takes ({MEMORY / GIB:g} GiB); end what else runs"
    number = cores()
    return [
        Finding("ok", "cores", f"{number} core{'s' * (number != 1)}"),
        Finding("look" if memory.available < MEMORY else "ok", "memory", says),
    ]


def disk(folders: Sequence[Path]) -> list[Finding]:
    """Free space where the folders are, of each disk once."""
    lines, seen = [], set()
    for folder in folders:
        place = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
        if (number := place.stat().st_dev) in seen:
            continue
        seen.add(number)
        free = shutil.disk_usage(place).free
        says = f"{size(free)} free at {place}"
        if free < DISK_LOOK:
            says += "; a run of the built-in study takes some 1 GB: make room, or run `dvc gc --workspace`"
        lines.append(Finding("fault" if free < DISK_FAULT else "look" if free < DISK_LOOK else "ok", "disk", says))
    return lines
