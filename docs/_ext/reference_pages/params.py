"""The keys of params.yaml, from the typed sections that check them: type, bounds, default, and each comment."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from labelrisk.params import Settings
from labelrisk.settings.section import Section
from reference_pages.markdown import code, escaped, table

HEAD = ("key", "what it may be", "default", "what it means")
WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false", Any: "anything"}
MANY = 10**9  # a bound that only keeps sums finite


def params_page() -> str:
    """All sections in the order of the file."""
    parts = [
        "# Keys of params.yaml\n",
        "Written from the typed sections that check the file. `labelrisk check` reads yours, and names the file, the",
        "key and what is allowed where something is wrong. An unknown key is an error. NAME stands for names of yours:",
        "lower-case letters, digits and `_`.\n",
        "## The sections\n",
        _keys(Settings),
    ]
    for name, field in Settings.model_fields.items():
        parts += [*_parts(name, field, level=2)]
    parts += [
        "## The file of the built-in study\n",
        "With its comments, and all keys that it sets.\n",
        "```{literalinclude} ../../params.yaml\n:language: yaml\n```\n",
    ]
    return "\n".join(parts)


def described() -> dict[str, str]:
    """The meaning of every key of every section, by `Class.key`; empty where its line has no comment."""
    return {
        f"{section.__name__}.{key}": comment
        for section in _all(Settings)
        for key, comment in _comments(section).items()
    }


def _all(section: type[Section]) -> Iterator[type[Section]]:
    seen: list[type[Section]] = []
    waiting = [section]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.append(one)
        waiting += [inner for field in one.model_fields.values() for _, inner in _inner(field.annotation)]
    yield from seen


def _parts(path: str, field: FieldInfo, level: int, above: tuple[type[Section], ...] = ()) -> Iterator[str]:
    """The sections that a key holds, each with its keys and, below, with what these hold in turn."""
    for suffix, section in _inner(field.annotation):
        if section in above:
            continue
        kind = section.model_fields.get("kind")
        where = f"{path}{suffix}"
        title = f"`{where}`" + (f" with `kind: {get_args(kind.annotation)[0]}`" if kind else "")
        yield f"{'#' * min(level, 5)} {title}\n"
        yield f"{escaped(inspect.getdoc(section) or '')}\n"
        yield _keys(section)
        for key, inner in section.model_fields.items():
            if f"{where}.{key}" != "second_opinions.NAME.ask":  # any annotator's section, told above
                yield from _parts(f"{where}.{key}", inner, level + 1, (*above, section))


def _inner(kind: Any) -> Iterator[tuple[str, type[Section]]]:
    """The sections in a type, and what stands between the key and them: a name, where they are in a mapping."""
    if isinstance(kind, type) and issubclass(kind, Section):
        yield "", kind
    elif get_origin(kind) is dict:
        yield from ((".NAME", section) for _, section in _inner(get_args(kind)[1]))
    elif get_origin(kind) is not Literal:
        for part in get_args(kind):
            yield from _inner(part)


def _keys(section: type[Section]) -> str:
    comments = _comments(section)
    return table(
        HEAD,
        [
            (code(key), _worded(field.annotation, field.metadata), _default(field), escaped(comments[key]))
            for key, field in section.model_fields.items()
        ],
    )


@cache
def _comments(section: type[Section]) -> dict[str, str]:
    """The comment at the end of the line on which each key is declared, in the class or the one that it extends."""
    found = dict.fromkeys(section.model_fields, "")
    for kind in reversed(section.__mro__):
        if not issubclass(kind, Section) or kind is Section:
            continue
        for line in textwrap.dedent(inspect.getsource(kind)).splitlines():
            if (met := re.match(r"    (\w+): .*?  # (.+)$", line)) and met[1] in found:
                found[met[1]] = met[2]
    return found


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined and field.default_factory is None:
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Section):
        return "all defaults"
    if isinstance(default, tuple):
        default = list(default)
    return code(yaml.safe_dump(default, default_flow_style=True).partition("\n")[0])


def _worded(kind: Any, bounds: list[Any]) -> str:
    """A type in words, with its bounds."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _worded(parts[0], [*bounds, *_flat(parts[1:])])
    if origin is Literal:
        return " ".join(code(str(part)) for part in parts)
    if origin in (Union, types.UnionType):
        sections = list(dict(_inner(kind)).values()) or [part for part in parts if part is not type(None)]
        words = "keys" if dict(_inner(kind)) else " or ".join(_worded(part, bounds) for part in sections)
        return f"{words}, or `null`" if type(None) in parts else words
    if origin is tuple:
        return f"list of: {_worded(parts[0], [])}"
    if origin is dict:
        inner = "keys" if dict(_inner(parts[1])) else _worded(parts[1], [])
        return f"NAME: {inner}"
    if isinstance(kind, type) and issubclass(kind, Section):
        return "keys"
    return f"{WORDS[kind]}{_bounded(bounds)}"


def _flat(metadata: Any) -> list[Any]:
    return [one for part in metadata for one in (part.metadata if isinstance(part, FieldInfo) else [part])]


def _bounded(bounds: list[Any]) -> str:
    words = []
    for bound in bounds:
        if isinstance(bound, annotated_types.Ge):
            words.append(f"{bound.ge:,} or more")
        elif isinstance(bound, annotated_types.Gt):
            words.append(f"above {bound.gt:,}")
        elif isinstance(bound, annotated_types.Le) and bound.le < MANY:
            words.append(f"at most {bound.le:,}")
        elif isinstance(bound, annotated_types.Lt) and bound.lt < MANY:
            words.append(f"below {bound.lt:,}")
    return f", {', '.join(words)}" if words else ""
