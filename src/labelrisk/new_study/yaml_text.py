"""YAML as text, so that comments stay: sections are found by their key and replaced, values are quoted where needed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
SAID_OTHERWISE = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # words that a YAML reads as no text


def quoted(value: str) -> str:
    """A text as YAML of any version reads it: as it is where that is a plain word, else in double quotes."""
    if PLAIN.fullmatch(value) and value.casefold() not in SAID_OTHERWISE:
        return value
    text: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf"))
    return text.rstrip("\n")


def with_sections(text: str, bodies: Mapping[str, str]) -> str:
    """Replace top-level sections, keys included; the comments before each stay.  An absent section goes to the end."""
    sections = _sections(text)
    left = dict(bodies)
    parts = [head + (left.pop(key, body).rstrip("\n") + "\n" if key in left else body) for key, head, body in sections]
    return "".join(parts) + "".join(f"\n{body.rstrip()}\n" for body in left.values())


def section(text: str, key: str) -> str:
    """A top-level section with its key, without the comments before it; empty where there is none."""
    return next((body for name, _, body in _sections(text) if name == key), "")


def with_value(body: str, key: str, value: str) -> str:
    """Replace the value of a key within a section; its comment stays, and its column where there is room.

    A value of several lines is replaced whole; an absent key goes to the end.
    """
    line = re.compile(rf"^  {re.escape(key)}:[^\n#]*?( *#[^\n]*)?\n(?:(?:    |  -)[^\n]*\n)*", re.MULTILINE)
    found = line.search(body)
    if found is None:
        return f"{body.rstrip()}\n  {key}: {value}\n"
    new = f"  {key}: {value}"
    comment = (found[1] or "").strip()
    column = body[found.start() :].index("#") if comment else 0
    return body[: found.start()] + (f"{new:<{column - 2}}  {comment}" if comment else new) + "\n" + body[found.end() :]


def _sections(text: str) -> list[tuple[str, str, str]]:
    """Of each section its key, the comments and blank lines before it, and its lines; what ends the text has no key."""
    found: list[tuple[str, str, str]] = []
    head: list[str] = []
    key, before, body = "", "", ""
    for line in text.splitlines(keepends=True):
        if begins := re.match(r"(\w+):", line):
            if key:
                found.append((key, before, body))
            key, before, body, head = begins[1], "".join(head), line, []
        elif line.startswith("#") or not line.strip() or not key:
            head.append(line)
        else:
            body += "".join(head) + line
            head = []
    return [*found, (key, before, body), ("", "".join(head), "")]
