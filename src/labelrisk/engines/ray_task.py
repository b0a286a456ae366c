"""What a worker of a Ray cluster runs: one task, whose mistake comes back as a sentence and not as Ray's traceback."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import ray

from labelrisk.errors import LabelRiskError, shown
from labelrisk.system_errors import sentence_of

LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")  # with others, the bytes of a student may be others
_last: tuple[str, Callable[..., Any]] = "", lambda task: task  # the function that came last, by its reference


class Outcome(NamedTuple):
    """What became of a task: what it gives, or the sentence that it raised."""

    value: Any
    sentence: str | None = None


def outcome(shared: list[ray.ObjectRef], versions: Mapping[str, str], task: Any) -> Outcome:
    """function(task); shared: a reference to the function, in a list so that Ray does not fetch it for each task.

    versions: of the libraries that the driver has; a task is not computed with others.
    What no user can act on is raised as it is, and is a fault of the task's own code.
    """
    if sentence := _other_versions(versions):
        return Outcome(None, sentence)
    try:
        return Outcome(_function(shared[0])(task))
    except LabelRiskError as error:
        return Outcome(None, str(error))
    except ray.exceptions.RaySystemError as error:  # what fails while the function is unpacked, such as an import
        reason = shown(str(error).partition("\n")[0].removeprefix("System error: "), 150)
        advice = "install there what is installed here"
        return Outcome(None, f"the node {platform.node()} can't load the code of a task ({reason}); {advice}")
    except FileNotFoundError as error:
        return Outcome(
            None,
            f"the node {platform.node()} does not see {shown(error.filename or error, 300)}; put the study on a file "
            "system that all nodes share, or set engine.kind: local for this stage",
        )
    except Exception as error:
        if sentence := sentence_of(error):
            return Outcome(None, f"on the node {platform.node()}: {sentence}")
        raise


def _function(reference: ray.ObjectRef) -> Callable[..., Any]:
    """A function with what all its tasks share, unpacked once in a worker."""
    global _last
    if _last[0] != reference.hex():
        _last = reference.hex(), ray.get(reference)
    return _last[1]


def _other_versions(wanted: Mapping[str, str]) -> str | None:
    here = versions_here()
    other = [name for name in here if wanted.get(name, here[name]) != here[name]]
    if not other:
        return None
    there, found = (" and ".join(f"{name} {of[name]}" for name in other) for of in (wanted, here))
    return f"the node {platform.node()} has {found}, the machine that asks {there}; install the same on both"


@lru_cache(maxsize=1)
def versions_here() -> dict[str, str]:
    """Of the libraries that are installed; builds for other processors or GPUs count as the same version."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:  # whose import will say so
            continue
    return found


def environment(threads: int) -> dict[str, str]:
    """Variables that libraries read when they are first imported, as the workers of one machine have them."""
    return {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "10000")}
