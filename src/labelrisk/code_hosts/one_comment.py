"""One comment, however often it is posted: it is known by its first line, a mark that Markdown does not show."""

from __future__ import annotations

import re

from labelrisk.code_hosts.contract import CodeHost

NOT_IN_NAMES = re.compile(r"[^\w./-]")
MARK = re.compile(r"<!-- labelrisk review( [\w./-]+)? -->")


def mark_of(name: str) -> str:
    """The first line of the comment about a study; name: of the study, where a repository has several."""
    return f"<!-- labelrisk review {NOT_IN_NAMES.sub('', name)} -->".replace("  ", " ")


def post_once(host: CodeHost, text: str) -> str:
    """Edit the comment that begins with the same mark, or write it where there is none yet; returns its address.

    text: with a mark, or without one, which it then gets.
    A comment of somebody else that begins with the mark is none: its author could change it afterwards.
    """
    if not MARK.fullmatch(_first_line(text)):
        text = f"{mark_of('')}\n{text}"
    for comment in host.comments():
        if comment.own and _first_line(comment.text) == _first_line(text):
            return host.change(comment.id, text)
    return host.write(text)


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()
