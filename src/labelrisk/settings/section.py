"""YAML files as frozen typed objects; what is wrong in a file is one sentence that names the key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labelrisk.errors import LabelRiskError, nearest

SLUG = re.compile(r"[a-z0-9_]+")  # what may name a DVC stage
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A frozen mapping of a YAML file; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Kind = TypeVar("Kind", bound=Section)


def read_typed(path: Path, kind: type[Kind], when_absent: str) -> Kind:
    """Read and check a YAML file.

    Raises LabelRiskError that names the file, the key and what is allowed.
    """
    try:
        return kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LabelRiskError(f"{path} is not there; {when_absent}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabelRiskError(f"{path} is not YAML ({' '.join(str(error).split())}); correct that line") from None
    except ValidationError as error:
        raise LabelRiskError(f"{path}: {_sentence(error, kind)}") from None


def _sentence(error: ValidationError, root: type[Section]) -> str:
    """Word the first error of pydantic's list: the key, what was found, and what is allowed."""
    # an unknown key is named first: it is most often the cause of the missing one beside it
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    key, allowed = _located(first["loc"], root)
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'; {nearest(key.rpartition('.')[2], allowed)}"
    if first["type"] == "missing":
        return f"the key '{key}' is missing; add it"
    if first["type"] == "union_tag_not_found":
        return f"the key '{key}.kind' is missing; the README lists the kinds"
    if first["type"] == "union_tag_invalid":
        return f"'{key}.kind' is '{first['ctx']['tag']}' but must be one of {first['ctx']['expected_tags']}"
    found = first["input"]
    shown = f" (found {found!r})" if isinstance(found, (str, int, float, bool, type(None))) else ""
    return f"'{key or 'the file'}'{shown}: {first['msg'].removeprefix('Value error, ')}; correct it"


def _located(location: tuple[int | str, ...], root: type[Section]) -> tuple[str, list[str]]:
    """The dotted key of pydantic's location, which also holds union tags, and the keys allowed beside it."""
    parts: list[str] = []
    allowed: list[str] = []
    kind: Any = root
    for part in location:
        kind = _unwrapped(kind)
        options = [option for option in get_args(kind) if isinstance(option, type) and issubclass(option, Section)]
        if isinstance(kind, type) and issubclass(kind, Section):
            allowed = list(kind.model_fields)
            kind = kind.model_fields[str(part)].annotation if part in kind.model_fields else None
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif options:  # a union: the part is the tag, which the user did not write as a key
            kind = next(option for option in options if part in get_args(option.model_fields["kind"].annotation))
            continue
        parts.append(str(part))
    return ".".join(parts), allowed


def _unwrapped(kind: Any) -> Any:
    """Take off Annotated and Optional."""
    if get_origin(kind) is Annotated:
        return _unwrapped(get_args(kind)[0])
    options = [option for option in get_args(kind) if option is not type(None)]
    return options[0] if type(None) in get_args(kind) and len(options) == 1 else kind
