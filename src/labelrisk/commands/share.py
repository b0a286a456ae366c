"""`labelrisk share`: what `dvc push` sends, and what of it holds texts; and other choices of it."""

from __future__ import annotations

import os
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelrisk.errors import LISTED, LabelRiskError

if TYPE_CHECKING:
    from labelrisk.params import Settings
    from labelrisk.sharing.contents import Choice

HELP = "say what `dvc push` sends, or choose it: labels, all or labels-only"
EXAMPLE = "labelrisk share\nlabelrisk share labels-only"
PIPELINE, LOCK = Path("dvc.yaml"), Path("dvc.lock")
MEANT = {
    "labels": "everything but the trained students, which are large and made again in minutes",
    "all": "everything, the trained students too",
    "labels-only": "labels, scores and numbers by row id; no text, no prompt, no reply, no student",
}


def arguments(parser: ArgumentParser) -> None:
    """Which choice; none to say what is chosen."""
    listed = "; ".join(f"{name}: {meaning}" for name, meaning in MEANT.items())
    parser.add_argument("choice", nargs="?", choices=list(MEANT), help=listed)


def run(params: Path, choice: Choice | None) -> None:
    """Write a choice into dvc.yaml and params.yaml where one is given, and print what is pushed, with its size.

    Comments, quotes and the order of both files stay.
    """
    from labelrisk.params import load

    settings = load(params)
    before = _pipeline()
    if choice:
        _choose(choice, settings, before, params)
        settings = load(params)
    for line in _lines(settings):
        print(line)
    if choice == "labels-only":
        print(_filled("Note: what was pushed before stays in the remote and in git's history; remove it there."))


def _pipeline() -> str:
    try:
        return PIPELINE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LabelRiskError(f"{PIPELINE} is not there; run from the folder that holds it") from None


def _choose(choice: Choice, settings: Settings, pipeline: str, params: Path) -> None:
    from labelrisk.commands._params_file import changed_params
    from labelrisk.sharing.contents import is_pushed
    from labelrisk.sharing.declared_outputs import with_pushes
    from labelrisk.sharing.named_files import dvc_file, files_with_texts_by_name, with_push

    _write(PIPELINE, pipeline, with_pushes(pipeline, lambda path: is_pushed(path, choice)))
    texts = choice != "labels-only"
    for path in filter(None, map(dvc_file, files_with_texts_by_name(settings))):
        before = path.read_text(encoding="utf-8")
        _write(path, before, with_push(before, texts))
    if settings.share.texts != texts:
        with changed_params(params) as content:
            content["share"]["texts"] = texts
        what = "hold replies again" if texts else "then hold no reply"
        print(
            _filled(f"Labels files {what}: run `labelrisk repro`. It annotates again and asks nothing that is known.")
        )


def _write(path: Path, before: str, after: str) -> None:
    from labelrisk.files import written_aside

    if after != before:
        with written_aside(path) as temporary:
            temporary.write_text(after, encoding="utf-8")


def _lines(settings: Settings) -> Iterator[str]:
    from labelrisk.sharing.choice_in_force import choice_in_force, pushed_against_will
    from labelrisk.sharing.contents import contents
    from labelrisk.sharing.declared_outputs import declared_outputs
    from labelrisk.sharing.pushed_sizes import shown_bytes, shown_path, sizes
    from labelrisk.text_tables import text_table

    outputs = declared_outputs(_pipeline())
    lock = _lock()
    cached = {output.path: output for output in outputs if output.cached}  # some stages write into the same folder
    size = sizes(cached, lock)
    choice = choice_in_force(outputs, settings.share.texts)
    name = f"{choice}: {MEANT[choice]}" if choice else "a choice of your own, which stands in dvc.yaml"
    sent = sum(size[path].bytes for path, output in cached.items() if output.pushed)
    kept = sum(size[path].bytes for path, output in cached.items() if not output.pushed)
    yield _filled(f"`dvc push` sends {name}. {shown_bytes(sent)} are sent, {shown_bytes(kept)} kept here.")
    rows = [
        [
            shown_path(path),
            contents(path),
            f"{size[path].files:,}",
            shown_bytes(size[path].bytes),
            "yes" if output.pushed else "no",
        ]
        for path, output in cached.items()
    ]
    yield ""
    yield text_table(["output", "holds", "files", "size", "sent"], rows)
    yield ""
    if kept:
        yield _filled("Others get what is sent with `dvc pull --allow-missing`.")
    if wrong := pushed_against_will(outputs, settings.share.texts):
        named = ", ".join(map(shown_path, wrong))
        yield _filled(
            f"Note: share.texts is false, but dvc.yaml pushes {named}; run `labelrisk share labels-only` to end that."
        )
    if not settings.share.texts:
        yield from _notes_on_git(settings)


def _lock() -> dict[str, Any]:
    """The content of dvc.lock; nothing before the first run."""
    import yaml

    if not LOCK.is_file():
        return {}
    try:
        content = yaml.load(LOCK.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        raise LabelRiskError(
            f"{LOCK} is no YAML, as after a merge with conflicts; run `labelrisk repro`, or repair it"
        ) from None
    return content if isinstance(content, dict) else {}


def _notes_on_git(settings: Settings) -> Iterator[str]:
    """Files with texts that leave with `git push`."""
    from labelrisk.sharing.named_files import files_with_texts_by_name
    from labelrisk.sharing.texts_in_git import files_with_texts, tracked

    kept = tracked(Path())
    named = [os.path.relpath(path) for path in files_with_texts_by_name(settings)]
    by_name = [name for name in kept if any(name == path or name.startswith(f"{path}/") for path in named)]
    found = list(dict.fromkeys([*by_name, *files_with_texts(Path(), _texts())]))
    if found:
        more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
        yield _filled(
            f"Note: git keeps files that hold texts, which leave with `git push`: {', '.join(found[:LISTED])}{more}. "
            "`git rm --cached` and .gitignore end that for later commits, not for earlier ones."
        )


def _texts() -> list[str]:
    """The prepared texts, as far as they are here."""
    from labelrisk.files import read_parquet

    files = [Path("data/prepared") / f"{split}.parquet" for split in ("train", "validation", "test")]
    return [text for file in files if file.is_file() for text in read_parquet(file, ["text"])["text"].to_pylist()]


def _filled(sentence: str) -> str:
    return textwrap.fill(sentence, 80, break_long_words=False, break_on_hyphens=False)
