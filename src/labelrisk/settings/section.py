"""YAML files as frozen typed objects; what is wrong in a file is one sentence that names the key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.settings.wording import worded
from labelrisk.settings.yaml_files import read_yaml

Count = Annotated[int, Field(ge=1, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(gt=0, lt=1)]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise ValueError(f"holds '{shown(twice)}' twice")
    return names


Columns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_each_once)]


class Section(BaseModel):
    """A frozen mapping of a YAML file; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_truths(cls, content: object) -> object:
        """True would count as 1 where a number is meant."""
        for key, value in content.items() if isinstance(content, dict) else ():
            wanted = cls.model_fields[key].annotation if key in cls.model_fields else bool
            if wanted is not bool and any(isinstance(one, bool) for one in (value if type(value) is list else [value])):
                what = "holds" if type(value) is list else "is"
                raise ValueError(
                    f"'{key}' {what} true or false, as YAML reads yes, no, on and off; put a word in quotes, or "
                    "write a number"
                )
        return content


Kind = TypeVar("Kind", bound=Section)


def read_typed(path: Path, kind: type[Kind], when_absent: str) -> Kind:
    """Read and check a YAML file; when_absent: what to do when it is not there, or another kind of file.

    Raises LabelRiskError that names the file, the key and what is allowed.
    """
    content = read_yaml(path, when_absent)
    if not isinstance(content, dict):
        raise LabelRiskError(f"{path} holds no keys with values; {when_absent}")
    if not content.keys() & kind.model_fields.keys():
        raise LabelRiskError(f"{path} has none of the keys {', '.join(kind.model_fields)}; {when_absent}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise LabelRiskError(f"{path}: {_sentence(error, kind)}") from None


def _sentence(error: ValidationError, root: type[Section]) -> str:
    """Word the first error of pydantic's list: the key, what was found, and what is allowed."""
    # an unknown key is named first: it is most often the cause of the missing one beside it
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    key, allowed, meant = _located(first["loc"], root)
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'; {nearest(str(first['loc'][-1]), allowed)}"
    if first["type"] == "missing":
        return f"the key '{key}' is missing; add it"
    if first["type"] == "union_tag_not_found":
        kinds = [tag for option in get_args(meant) for tag in _kinds_of(option)]
        return f"the key '{key}.kind' is missing; add one of {', '.join(kinds)}"
    if first["type"] == "union_tag_invalid":
        return f"'{key}.kind' is '{shown(first['ctx']['tag'])}' but must be one of {first['ctx']['expected_tags']}"
    found = first["input"]
    scalar = isinstance(found, (str, int, float, type(None)))
    where = f"'{key}'{f' (found {shown(repr(found))})' if scalar else ''}: " if key else ""
    return f"{where}{worded(first, meant)}; correct it"


def _located(location: tuple[int | str, ...], root: type[Section]) -> tuple[str, list[str], Any]:
    """The dotted key of pydantic's location, which also holds union tags, the keys allowed beside it, and its type."""
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
        parts.append(shown(part))
    return ".".join(parts), allowed, _unwrapped(kind)


def _kinds_of(option: Any) -> tuple[str, ...]:
    """What a section's key `kind` may be, by which it is told apart from others."""
    return (
        get_args(option.model_fields["kind"].annotation)
        if isinstance(option, type) and issubclass(option, Section)
        else ()
    )


def _unwrapped(kind: Any) -> Any:
    """Take off Annotated and Optional."""
    if get_origin(kind) is Annotated:
        return _unwrapped(get_args(kind)[0])
    options = [option for option in get_args(kind) if option is not type(None)]
    return _unwrapped(options[0]) if type(None) in get_args(kind) and len(options) == 1 else kind
