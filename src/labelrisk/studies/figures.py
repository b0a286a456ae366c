"""The figures of one study: of each source its gap to the reference, stability, verdict and cost; or why there are
none.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.gold import GoldAnnotator
from labelrisk.corpora.files import FilesCorpus
from labelrisk.errors import LabelRiskError, shown
from labelrisk.file_digests import md5_of
from labelrisk.files import canonical_json, read_json
from labelrisk.params import Settings, load
from labelrisk.settings.chat import EMBEDDED
from labelrisk.studies.study_folders import PARAMS

VERDICT, ANNOTATORS = Path("metrics/verdict.json"), Path("metrics/annotators.json")
LOCK = Path("dvc.lock")
RAN, NOT_RUN, UNREADABLE = "ran", "not run", "can't be read"


class Figures(NamedTuple):
    """A source of a study; shares, differences to the reference; None where there is none, or it is not known.

    is_plain: whether it takes an annotator's labels as they are; is_llm: whether a model gave these;
    is_stand_in: whether that is the embedded model, which is no LLM; accuracy: the annotator's on the test rows.
    """

    source: str
    annotator: str
    is_plain: bool
    is_llm: bool
    is_stand_in: bool
    difference: float
    low: float
    high: float
    alpha_difference: float | None
    alpha_low: float | None
    alpha_high: float | None
    accuracy: float | None
    verdict: str
    because: str
    cost: float | None


class Study(NamedTuple):
    """A study of a repository: its name, state, what to do about that, and the figures of its sources.

    state: RAN, NOT_RUN or UNREADABLE; against_gold: whether the reference is gold; task: what says that two studies are
    about the same texts and classes; confidence: of its intervals.
    """

    name: str
    state: str
    advice: str = ""
    against_gold: bool = True
    reference: str = ""
    task: str = ""
    confidence: float | None = None
    sources: tuple[Figures, ...] = ()

    @property
    def word(self) -> str:
        """What stands before the advice: of one that ran there is some where its numbers are old."""
        return "out of date" if self.state == RAN else self.state


def read_study(folder: Path, name: str) -> Study:
    """Read a study; one that did not run, or can't be read, says what to do."""
    try:
        with chdir(folder):  # paths in params.yaml are of the study's folder
            return _read(name)
    except LabelRiskError as error:
        return Study(name, UNREADABLE, str(error))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {shown(error)}"
        return Study(name, UNREADABLE, f"{VERDICT} is not of this version ({reason}); run `{to_run(name)}`")


def to_run(name: str) -> str:
    """The command that runs a study, from the top of the repository."""
    return "labelrisk repro" if name == "." else f"cd {name} && labelrisk repro"


def _read(name: str) -> Study:
    settings = load(Path(PARAMS))
    if not VERDICT.is_file():
        return Study(name, NOT_RUN, _to_do(settings, name))
    verdict: Mapping[str, Any] = read_json(VERDICT)
    scores: Mapping[str, Any] = read_json(ANNOTATORS) if ANNOTATORS.is_file() else {}
    reference = settings.evaluate.reference
    return Study(
        name,
        RAN,
        against_gold=settings.is_gold(settings.sources[reference].annotator),
        reference=reference,
        task=_task(settings),
        confidence=float(verdict["confidence"]),
        sources=tuple(
            _figures(source, of, settings, scores)
            for source, of in verdict["sources"].items()
            if of["difference"] is not None and source in settings.sources
        ),
    )


def _figures(name: str, of: Mapping[str, Any], settings: Settings, scores: Mapping[str, Any]) -> Figures:
    source = settings.sources[name]
    asked = settings.asked_as(source.annotator)
    given = scores.get(source.annotator, {})
    is_gold = settings.is_gold(source.annotator) or source.labels == "gold"
    return Figures(
        name,
        source.annotator,
        is_plain=not (source.is_treated or is_gold or source.rows is not None),
        is_llm=not (is_gold or settings.is_human(source.annotator) or _has_people(settings, source.annotator)),
        is_stand_in=isinstance(asked, ChatAnnotator) and asked.base_url == EMBEDDED,
        accuracy=None if is_gold else _number(given.get("test_accuracy")),
        verdict=str(of["verdict"]),
        because=str(of["because"]),
        difference=float(of["difference"]),
        low=float(of["low"]),
        high=float(of["high"]),
        alpha_difference=_number(of["alpha_difference"]),
        alpha_low=_number(of["alpha_low"]),
        alpha_high=_number(of["alpha_high"]),
        cost=_number(of["cost"]),
    )


def _has_people(settings: Settings, labeller: str) -> bool:
    """Whether people, or gold, are among those whose labels it merges."""
    members = settings.members(labeller)
    return any(
        settings.is_human(one) or isinstance(settings.asked_as(one), GoldAnnotator)
        for one in members
        if one != labeller
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _task(settings: Settings) -> str:
    """What the texts and gold are: the section `corpus`, and the bytes of its file, which dvc.lock knows as well."""
    corpus = settings.corpus.model_dump(mode="json", exclude={"slices", "path"})
    path = Path(settings.corpus.path)
    if path.is_file():
        return canonical_json([corpus, md5_of(path)])
    return canonical_json([corpus, _locked(settings.corpus.path) or str(path.resolve())])


def _locked(path: str) -> str | None:
    """The MD5 of the file, or list of files, from which the rows were prepared."""
    try:
        lock = yaml.load(LOCK.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return next(str(dep["md5"]) for dep in lock["stages"]["prepare"]["deps"] if dep["path"] == path)
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, StopIteration):
        return None


def _to_do(settings: Settings, name: str) -> str:
    corpus = settings.corpus
    if isinstance(corpus, FilesCorpus) and not Path(corpus.path).exists():
        return f"bring its texts ({shown(corpus.path, 60)}, which is not there), then `{to_run(name)}`"
    return f"`{to_run(name)}` runs it"
