"""`labelrisk check`: params.yaml and the files that it names, before anything runs or is paid."""

from __future__ import annotations

import math
import textwrap
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._options import add_durations
from labelrisk.errors import LabelRiskError, shown

if TYPE_CHECKING:
    from labelrisk.codebook import Codebook
    from labelrisk.commands._corpus_head import CorpusHead
    from labelrisk.params import Settings

HELP = "check params.yaml and the files it names, run nothing"
EXAMPLE = "labelrisk check"


def arguments(parser: ArgumentParser) -> None:
    """Where the durations are, and whether texts are here."""
    add_durations(parser)
    parser.add_argument(
        "--without-texts", action="store_true", help="files that hold texts may be absent, as in a clone for CI"
    )


def run(params: Path, durations: Path, without_texts: bool = False) -> None:
    """Check params.yaml, the codebook, the corpus, what annotators read, and whether sources can be built of it; print
    what to look at, and what a run would be.
    """
    from labelrisk.codebook import read_codebook
    from labelrisk.commands._corpus_head import look_at
    from labelrisk.commands._read_files import notes_on_annotators
    from labelrisk.encoders.loading import resolve
    from labelrisk.params import load
    from labelrisk.sources.servable import refuse_unranked

    settings = load(params)
    codebook = read_codebook(Path(settings.codebook))
    labels = codebook.names
    _refuse_outputs(settings, params)
    _refuse_texts_that_leave(settings, params)
    refuse_unranked(settings.sources, settings.without_probabilities(len(labels)), params)
    resolve(settings.train.model, settings.train.revision, "train")
    resolve(settings.embed.model, settings.embed.revision, "embed")
    if without_texts and (absent := _absent_texts(settings)):
        print(f"OK: {params} and {settings.codebook}; what {absent} holds is not known here")
        return
    corpus = look_at(settings, labels, params)
    notes = [
        *_notes_on_codebook(codebook, settings),
        *_notes_on_gold(settings, corpus, params),
        *notes_on_annotators(settings, labels, corpus.prepared, params),
    ]
    for note in notes:
        print(f"Note: {note}.")
    print(textwrap.fill(f"OK: {_size(settings, corpus, len(labels), durations)}", 80, break_long_words=False))


def _notes_on_codebook(codebook: Codebook, settings: Settings) -> list[str]:
    if not (names := codebook.undefined):
        return []
    listed = ", ".join(f"'{shown(name, 30)}'" for name in names[:3]) + f" and {len(names) - 3} more" * (len(names) > 3)
    return [
        f"{settings.codebook} says no more of {listed} than the name; write a definition of each label, for annotators "
        "are told nothing else"
    ]


def _refuse_texts_that_leave(settings: Settings, params: Path) -> None:
    from labelrisk.sharing.choice_in_force import pushed_against_will
    from labelrisk.sharing.declared_outputs import declared_outputs
    from labelrisk.sharing.pushed_sizes import shown_path

    pipeline = Path("dvc.yaml")
    outputs = declared_outputs(pipeline.read_text(encoding="utf-8")) if pipeline.is_file() else []
    if leaving := pushed_against_will(outputs, settings.share.texts):
        raise LabelRiskError(
            f"{params}: share.texts is false, but {pipeline} lets DVC push {', '.join(map(shown_path, leaving))}; run "
            "`labelrisk share labels-only`, or set share.texts to true"
        )


def _absent_texts(settings: Settings) -> Path | None:
    """The first file with texts that is not here."""
    from labelrisk.sharing.named_files import files_with_texts_by_name

    return next((path for path in files_with_texts_by_name(settings) if not path.exists()), None)


def _refuse_outputs(settings: Settings, params: Path) -> None:
    named = {"codebook": settings.codebook, "corpus.path": settings.corpus.path}
    named |= {f"annotators.{name}.reads": annotator.reads for name, annotator in settings.annotators.items()}
    named |= {f"second_opinions.{name}.ask.reads": of.ask.reads for name, of in settings.second_opinions.items()}
    for key, path in named.items():
        if Path(path).parts[:1] in (("data",), ("models",), ("classifiers",)):
            raise LabelRiskError(
                f"{params}: {key} names {path}, but {path.split('/')[0]}/ holds outputs; move the file"
            )


def _notes_on_gold(settings: Settings, corpus: CorpusHead, params: Path) -> list[str]:
    from labelrisk.sources.servable import may_lack_gold, refuse_unpayable

    if corpus.prepared is None:
        return []
    golds = corpus.prepared["gold"][corpus.prepared["split"] == "train"]
    rows, known = len(golds), int(golds.notna().sum())
    refuse_unpayable(settings.sources, settings.sources, rows, known, params)
    return [
        f"sources.{name} replaces labels with gold, and {rows - known:,} of {rows:,} train rows have none: it stops at "
        "a selected row without"
        for name in may_lack_gold(settings.sources, rows, known)
    ]


def _size(settings: Settings, corpus: CorpusHead, labels: int, durations: Path) -> str:
    """What a run is about, how long it takes, and whom it asks."""
    from labelrisk.annotators.chat.annotator import ChatAnnotator
    from labelrisk.settings.chat import EMBEDDED

    students, curve = len(settings.sources) * len(settings.seeds), settings.curve
    students += len(curve.sizes) * len(curve.sources) * len(curve.seeds_of(settings.seeds))
    minutes = _minutes(settings, corpus.train_count(settings), students, durations)
    counted = [f"{labels} labels", _number(len(settings.annotators), "annotator")]
    counted += [_number(len(settings.panels), "panel")] if settings.panels else []
    counted += [_number(len(settings.second_opinions), "second opinion")] if settings.second_opinions else []
    counted += [_number(len(settings.sources), "source"), _number(students, "student")]
    words = f"{corpus.said}, {', '.join(counted)}{f' (about {minutes} here)' if minutes else ''}"
    asked = [
        name
        for name, annotator in settings.annotators.items()
        if isinstance(annotator, ChatAnnotator) and annotator.base_url != EMBEDDED
    ]
    if asked:
        rows = corpus.count(settings)
        number = (
            "the labels of all rows"
            if rows is None
            else f"{'' if corpus.prepared is not None else 'up to '}{rows:,} labels"
        )
        words += f"; asks {', '.join(asked)} for {number}{' each' if len(asked) > 1 else ''}: see `labelrisk plan`"
    return words


def _minutes(settings: Settings, rows: int | None, students: int, durations: Path) -> str | None:
    """How long the students would train here at the speed of the latest ones; None where that is not known."""
    from labelrisk.settings.presets import recipe_of
    from labelrisk.students.durations import seconds_per_step
    from labelrisk.students.wanted import at_once

    seconds, recipe = seconds_per_step(durations), recipe_of(settings.train)
    if seconds is None or (rows is None and recipe.budget == "epochs"):
        return None
    steps = students * recipe.steps_for(rows or 1)
    return _number(math.ceil(steps * seconds / min(at_once(recipe, settings.engine), students) / 60), "minute")


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"
