"""The files that hold texts by what params.yaml says of them, and what DVC does with each where `dvc add` keeps it."""

from __future__ import annotations

from pathlib import Path

import yaml
from yaml.nodes import MappingNode, SequenceNode

from labelrisk.annotators.imported import ImportAnnotator
from labelrisk.corpora.kinds import Corpus
from labelrisk.params import Settings


def files_with_texts_by_name(settings: Settings) -> list[Path]:
    """The corpus, where it is a file, and the labels from elsewhere, which stand beside their texts."""
    corpus: Corpus = settings.corpus
    asked = [*settings.annotators.values(), *(opinion.ask for opinion in settings.second_opinions.values())]
    reads = [annotator.reads for annotator in asked if isinstance(annotator, ImportAnnotator)]
    paths = [*([corpus.path] if corpus.kind == "files" else []), *reads]
    return [Path(path) for path in dict.fromkeys(paths)]


def dvc_file(path: Path) -> Path | None:
    """The file that `dvc add` wrote for a path, or for a folder that it is in."""
    candidates = (one.with_name(f"{one.name}.dvc") for one in (path, *path.parents) if one.name)
    return next((one for one in candidates if one.is_file()), None)


def with_push(text: str, pushed: bool) -> str:
    """The text of a .dvc file in which each output is pushed, or none is; all else stays."""
    root = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(root, MappingNode)
    outs = next((value for name, value in root.value if name.value == "outs"), None)
    for out in reversed(outs.value) if isinstance(outs, SequenceNode) else ():
        found = next((value for name, value in out.value if name.value == "push"), None)
        if found is not None:
            text = text[: found.start_mark.index] + str(pushed).lower() + text[found.end_mark.index :]
        elif not pushed:
            start = out.start_mark
            text = f"{text[: start.index]}push: false\n{' ' * start.column}{text[start.index :]}"
    return text
