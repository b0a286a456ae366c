"""Which stages are out of date, by dvc.lock: told in a moment, without DVC and without reading what stages wrote.

A stage is out of date where a parameter, its code or a file that no stage writes is another one than when it ran, where
it never ran, or where a stage that it takes files from is out of date.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from labelrisk.commands._stage_code import changed_stages
from labelrisk.commands._version_file import is_other_version
from labelrisk.errors import LISTED, LabelRiskError
from labelrisk.file_digests import md5_of
from labelrisk.settings.declared import FOLDER, KEYS, declared_files, read_params, value_of

NAME_IN = re.compile(r"\$\{([\w.]+)\}")
CODE, CODE_FILES = "code", "data/code/"  # the stage that notes what code the others run, and its files, each of a stage
CHECKS = "names"  # a stage that notes nothing but that it ran: what it writes is always the same
Tree = Mapping[str, Any]


class OutOfDate(NamedTuple):
    """Names of stages that would run, and what has changed: keys of params.yaml, and files.

    unreadable: a file that holds something else than DVC writes, after a merge perhaps; then nothing is known.
    """

    stages: list[str]
    because: list[str]
    unreadable: Path | None = None

    def sentence(self) -> str:
        """For whoever looks at numbers that these stages wrote; empty where there are none."""
        if self.unreadable:
            return f"{self.unreadable} can't be read, so whether these numbers are current is not known; repair it."
        if not self.stages:
            return ""
        counts = Counter(name.partition("@")[0] for name in self.stages)
        stages = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counts.items())
        more = f" and {len(self.because) - LISTED} more" if len(self.because) > LISTED else ""
        changed = f" (changed: {', '.join(self.because[:LISTED])}{more})" if self.because else ""
        return f"Out of date: {stages}{changed}; `labelrisk repro` makes these numbers anew."


def out_of_date(params: Path, pipeline: Path = Path("dvc.yaml"), lock: Path = Path("dvc.lock")) -> OutOfDate:
    """Compare params.yaml and the files of the project with those that dvc.lock remembers; nothing without a lock."""
    if not (params.is_file() and pipeline.is_file() and lock.is_file()):
        return OutOfDate([], [])
    read: list[Tree] = []
    for path in (lock, params, pipeline):
        try:
            read.append(read_tree(path))
        except ValueError:
            return OutOfDate([], [], path)
    try:
        declared = declared_hashes(params)
        return _compared(read[0].get("stages") or {}, read[1], read[2].get("stages") or {}, params.name, declared)
    except LabelRiskError:  # what DVC reads, and labelrisk does not
        return OutOfDate([], [], params)
    except (LookupError, TypeError, AttributeError):  # plain YAML, but of another form
        return OutOfDate([], [], lock)


def _compared(ran: Tree, now: Tree, pipeline: Tree, params: str, declared: Mapping[str, str]) -> OutOfDate:
    """ran: the stages of the lock; now: the parameters; pipeline: the stages of dvc.yaml; params: the file's name;
    declared: hashes of what is written of the parameters.
    """
    stale: dict[str, None] = {}
    because: dict[str, None] = {}
    changed_files: set[str] = set()  # that stages out of date write
    hashes: dict[str, str | None] = {}
    written = {out["path"] for stage in ran.values() for out in stage.get("outs", [])}
    other_code = _other_code(ran)
    for name in _declared(pipeline, now):
        if name in (CODE, CHECKS):
            continue
        stage = ran.get(name)
        causes = [] if stage is None else [*other_params(stage, params, now)]
        causes += ["the code"] if name.partition("@")[0] in other_code else []
        for dep in () if stage is None else stage.get("deps", []):
            if dep["path"].startswith(FOLDER):
                if declared.get(dep["path"]) != dep["md5"]:
                    causes += _changed_keys(dep["path"], ran, now, params)
            elif not _is_written(dep["path"], written):
                if dep["path"] not in hashes:
                    hashes[dep["path"]] = hash_of(Path(dep["path"]))
                causes += [dep["path"]] if hashes[dep["path"]] != dep["md5"] else []
        deps = [] if stage is None else [dep["path"] for dep in stage.get("deps", [])]
        if stage is None or causes or any(_touches(dep, out) for dep in deps for out in changed_files):
            stale[name] = None
            because |= dict.fromkeys(causes)
            changed_files |= {out["path"] for out in (stage or {}).get("outs", [])}
    return OutOfDate(list(stale), list(because))


def _other_code(ran: Tree) -> set[str]:
    """The stages whose code is another one; all code is read only where some file of it changed."""
    deps_of_code = (ran.get(CODE) or {}).get("deps", [])
    if not is_other_version() and all(hash_of(Path(dep["path"])) == dep["md5"] for dep in deps_of_code):
        return set()
    deps = {dep["path"]: dep["md5"] for stage in ran.values() for dep in stage.get("deps", [])}
    hashes = {path.removeprefix(CODE_FILES): md5 for path, md5 in deps.items() if path.startswith(CODE_FILES)}
    return set(changed_stages(hashes))


def read_tree(path: Path) -> Tree:
    """A YAML file that is a mapping.  Raises ValueError for what is no mapping."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError from error
    if not isinstance(content, dict):
        raise ValueError
    return content


def _declared(stages: Tree, params: Tree) -> Iterator[str]:
    """The names of all stages as DVC writes them out, in the order of dvc.yaml, which is that of the data."""
    for name, stage in stages.items():
        if "foreach" in stage:
            yield from (f"{name}@{key}" for key in _values(stage["foreach"], params))
        elif "matrix" in stage:
            for keys in itertools.product(*(_values(of, params) for of in stage["matrix"].values())):
                yield f"{name}@{'-'.join(map(str, keys))}"
        else:
            yield name


def declared_hashes(params: Path) -> dict[str, str]:
    """The MD5 of the files that the stage that checks names would write, by their path."""
    return {
        FOLDER + name: hashlib.md5(text.encode()).hexdigest()
        for name, text in declared_files(read_params(params)).items()
    }


def _changed_keys(path: str, ran: Tree, now: Tree, params: str) -> list[str]:
    """What has changed of the sections that such a file holds a part of."""
    sections = {key.partition(".")[0] for key in KEYS[path.removeprefix(FOLDER).partition("/")[0]]} | {"sources"}
    return [key for key in other_params(ran.get(CHECKS) or {}, params, now) if key in sections] or [path]


def _values(written: Any, params: Tree) -> Sequence[Any]:
    name = NAME_IN.fullmatch(written) if isinstance(written, str) else None
    found = value_of(params, name[1]) if name else written
    return list(found or ())


def other_params(stage: Tree, params: str, now: Tree) -> Iterator[str]:
    """The keys of params.yaml that a stage of the lock depends on, and that have changed."""
    remembered = stage.get("params", {}).get(params, {})
    return (key for key, value in remembered.items() if value_of(now, key) != value)


def _is_written(path: str, written: set[str]) -> bool:
    """Whether stages write the path, a part of it, or the folder that it is in."""
    return any(_touches(path, out) for out in written)


def _touches(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def hash_of(path: Path) -> str | None:
    """As DVC writes it: MD5 of the bytes, or of the list of a folder's files; None where nothing is there."""
    if path.is_file():
        return md5_of(path)
    if not path.is_dir():
        return None
    files = [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    listed = [{"md5": hash_of(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    listed.sort(key=lambda entry: str(entry["relpath"]))
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"
