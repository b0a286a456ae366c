"""The outputs that dvc.yaml declares, and `push` of each, changed in its text so that all else stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from labelrisk.errors import LabelRiskError, shown

SECTIONS = ("outs", "metrics", "plots")  # of a stage
Edit = tuple[int, int, str]  # from, to, what is put there


class DeclaredOutput(NamedTuple):
    """An output as dvc.yaml writes it, perhaps with names in it; cached: by DVC, in git otherwise."""

    path: str
    cached: bool
    pushed: bool
    node: Node


def declared_outputs(text: str) -> list[DeclaredOutput]:
    """All outputs of the stages of a dvc.yaml, in its order.

    Raises LabelRiskError for what is no YAML.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise LabelRiskError(f"dvc.yaml is no YAML ({shown(' '.join(str(error).split()), 160)}); repair it") from None
    return [output for item in _items(root) if (output := _output(item))]


def with_pushes(text: str, is_pushed: Callable[[str], bool]) -> str:
    """The text of a dvc.yaml in which `push` of each cached output is what is_pushed says of its path."""
    edits: dict[int, Edit] = {}  # by place, for a node that an alias repeats stands in the text once
    for output in declared_outputs(text):
        if output.cached and output.pushed != is_pushed(output.path):
            edit = _edit(text, output.node, "false" if output.pushed else "true")
            edits[edit[0]] = edit
    for start, end, put in sorted(edits.values(), reverse=True):
        text = text[:start] + put + text[end:]
    return text


def _items(root: Node | None) -> Iterator[Node]:
    for stage in _values(_value(root, "stages")):
        body = _value(stage, "do") or stage
        for section in SECTIONS:
            found = _value(body, section)
            yield from found.value if isinstance(found, SequenceNode) else ()


def _output(item: Node) -> DeclaredOutput | None:
    if isinstance(item, ScalarNode):
        return DeclaredOutput(item.value, cached=True, pushed=True, node=item)
    if not isinstance(item, MappingNode) or not item.value:
        return None
    name, options = item.value[0]
    cached, pushed = (_is_true(_value(options, key)) for key in ("cache", "push"))
    return DeclaredOutput(name.value, cached, pushed, item)


def _edit(text: str, item: Node, word: str) -> Edit:
    """What sets `push` of an output to a word."""
    if isinstance(item, ScalarNode):
        return _first_option(text, item, word)
    _, options = item.value[0]
    if found := _value(options, "push"):
        return found.start_mark.index, found.end_mark.index, word
    start = options.start_mark
    if options.flow_style:
        return start.index + 1, start.index + 1, f"push: {word}, "
    return start.index, start.index, f"push: {word}\n{' ' * start.column}"


def _first_option(text: str, item: ScalarNode, word: str) -> Edit:
    """The same of an output without options, with a comment perhaps behind it."""
    start, end = item.start_mark, item.end_mark.index
    if text[: start.index].rstrip(" ").endswith("-"):  # a block sequence: an item a line
        line_end = _line_end(text, end)
        return end, line_end, f":{text[end:line_end]}\n{' ' * (start.column + 2)}push: {word}"
    return start.index, end, f"{{{text[start.index : end]}: {{push: {word}}}}}"


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end


def _value(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _values(node: Node | None) -> list[Node]:
    return [value for _, value in node.value] if isinstance(node, MappingNode) else []


def _is_true(node: Node | None) -> bool:
    """Options of an output are true where they are not written."""
    return node is None or node.value.lower() == "true"
