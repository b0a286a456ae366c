"""params.yaml, whole and checked, as one frozen typed object; the only place that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from labelrisk.annotators.gold import GoldAnnotator
from labelrisk.annotators.imported import ImportAnnotator
from labelrisk.annotators.kinds import Annotator
from labelrisk.annotators.panel import Panel
from labelrisk.corpora.kinds import Corpus
from labelrisk.errors import LabelRiskError
from labelrisk.second_opinions.declarations import check_second_opinions
from labelrisk.second_opinions.section import SecondOpinion
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.baseline import BaselineSettings
from labelrisk.settings.calibrate import CalibrateSettings
from labelrisk.settings.curve import CurveSettings
from labelrisk.settings.distil import DistilSettings
from labelrisk.settings.embed import EmbedSettings
from labelrisk.settings.engine import EngineSettings
from labelrisk.settings.ensemble import AUTO, EnsembleSettings
from labelrisk.settings.evaluate import EvaluateSettings
from labelrisk.settings.explain import ExplainSettings
from labelrisk.settings.filter import FilterSettings
from labelrisk.settings.missing_keys import missing_keys
from labelrisk.settings.names import SLUG
from labelrisk.settings.perturb import PerturbSettings
from labelrisk.settings.prepare import PrepareSettings
from labelrisk.settings.section import Section, Seed, read_typed
from labelrisk.settings.share import ShareSettings
from labelrisk.settings.train import TrainSettings
from labelrisk.sources.declarations import Labellers, check_sources, undeclared
from labelrisk.sources.source import Source

ACROSS = "across"  # what the ensemble over sources is called


class Settings(Section):
    """All of params.yaml."""

    codebook: str  # the file with the task, the labels and their definitions
    corpus: Corpus  # where texts and gold labels come from
    annotators: dict[str, Annotator]  # who labels, by name
    panels: dict[str, Panel] = {}  # annotators whose labels are merged into one more, by name
    second_opinions: dict[str, SecondOpinion] = {}  # annotators that are asked about doubtful rows alone, by name
    sources: dict[str, Source]  # what students are trained on, by name
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]  # one student is trained per source and seed
    prepare: PrepareSettings  # splits and caps
    embed: EmbedSettings = EmbedSettings()  # sentence vectors of all rows
    annotate: AnnotateSettings  # how requests are sent
    filter: FilterSettings  # how label sources are built
    baseline: BaselineSettings = BaselineSettings()  # cheap classifiers on gold
    train: TrainSettings  # the student and its recipe
    curve: CurveSettings = CurveSettings()  # students of fewer rows
    evaluate: EvaluateSettings  # how sources are judged
    ensemble: EnsembleSettings  # which votes, and which is kept
    distil: DistilSettings = DistilSettings()  # one student that learns what the kept vote says
    calibrate: CalibrateSettings = CalibrateSettings()  # what is learned of classifiers on validation rows
    perturb: PerturbSettings = PerturbSettings()  # edited test texts
    explain: ExplainSettings = ExplainSettings()  # what lies under the verdict
    share: ShareSettings = ShareSettings()  # what others may get
    engine: EngineSettings = EngineSettings()  # where much is computed, never what

    @property
    def labellers(self) -> dict[str, Annotator | Panel | SecondOpinion]:
        """All whose labels a source may be about, or take, by name."""
        return self.annotators | self.panels | self.second_opinions

    def asked_as(self, labeller: str) -> Annotator | Panel:
        """Who gives the labels: of a second opinion the annotator that is asked."""
        found = self.labellers[labeller]
        return found.ask if isinstance(found, SecondOpinion) else found

    def is_human(self, labeller: str) -> bool:
        """Whether its labels were given by people, beside gold: those of an import that says so."""
        asked = self.asked_as(labeller)
        return isinstance(asked, ImportAnnotator) and asked.people

    def is_gold(self, labeller: str) -> bool:
        """Whether an annotator's labels are the human ones."""
        return isinstance(self.labellers[labeller], GoldAnnotator)

    def without_probabilities(self, classes: int) -> list[str]:
        """Labellers whose labels come without probabilities of so many classes."""
        return [name for name, labeller in self.labellers.items() if not labeller.gives_probabilities(classes)]

    def sources_about(self, annotator: str) -> dict[str, Source]:
        """The sources that are about an annotator, or about a panel that it is a member of, by name."""
        return {name: of for name, of in self.sources.items() if annotator in self.members(of.annotator)}

    def is_bought_elsewhere(self, labeller: str) -> bool:
        """Whether an annotator's labels were made elsewhere, at a price that is not known here."""
        return isinstance(self.asked_as(labeller), ImportAnnotator)

    def gives_votes(self, labeller: str) -> bool:
        """Whether its labels come from several votes on a row: of coders, prompts, samples, or members of a panel."""
        found = self.asked_as(labeller)
        votes = getattr(found, "votes", ()) or getattr(found, "confidence", None) == "votes"
        return isinstance(found, Panel) or bool(votes)

    def members(self, labeller: str) -> tuple[str, ...]:
        """The annotators of a panel; an annotator is its own only member."""
        found = self.labellers[labeller]
        return found.members if isinstance(found, Panel) else (labeller,)


def load(path: Path) -> Settings:
    """Read and check params.yaml.

    Raises LabelRiskError that names the file, the key and what is allowed.
    """
    settings = read_typed(path, Settings, "run from the folder that holds params.yaml")
    if sentence := missing_keys(settings):
        raise LabelRiskError(f"{path}: {sentence}")
    _check_names(settings, path)
    return settings


def _check_names(settings: Settings, path: Path) -> None:
    """Names must be slugs that DVC can use, and must be declared where they are used."""
    for section in ("annotators", "panels", "second_opinions", "sources"):
        for name in getattr(settings, section):
            if not SLUG.fullmatch(name):
                raise LabelRiskError(
                    f"{path}: '{name}' in {section} can't name a DVC stage; use lower-case letters, digits and '_' only"
                )
    if ACROSS in settings.sources:
        raise LabelRiskError(f"{path}: the source '{ACROSS}' has the name of the vote over sources; rename it")
    if AUTO in settings.sources:
        raise LabelRiskError(f"{path}: the source '{AUTO}' has the name of a choice of ensemble.chosen; rename it")
    for name, panel in settings.panels.items():
        if name in settings.annotators:
            raise LabelRiskError(f"{path}: '{name}' is both an annotator and a panel; rename one")
        for member in panel.members:
            if member in settings.second_opinions:
                continue  # below
            if member not in settings.annotators:
                raise undeclared(path, f"panels.{name}.members", member, "annotator", settings.annotators)
            if isinstance(settings.annotators[member], GoldAnnotator):
                raise LabelRiskError(
                    f"{path}: panels.{name}.members names {member}, which is gold: its votes would spend gold labels "
                    "that nobody counts; leave it out"
                )
    check_second_opinions(
        settings.second_opinions,
        settings.annotators,
        {name: panel.members for name, panel in settings.panels.items()},
        gold=[name for name in settings.annotators if settings.is_gold(name)],
        unranked=settings.without_probabilities(classes=2),
        unvoted=[name for name in settings.labellers if not settings.gives_votes(name)],
        path=path,
    )
    check_sources(settings.sources, _labellers(settings), path)
    if settings.evaluate.reference not in settings.sources:
        raise undeclared(path, "evaluate.reference", settings.evaluate.reference, "source", settings.sources)
    for name in settings.ensemble.across:
        if name not in settings.sources:
            raise undeclared(path, "ensemble.across", name, "source", settings.sources)
    choices = [AUTO, *settings.sources, *([ACROSS] if settings.ensemble.across else [])]
    if settings.ensemble.chosen not in choices:
        raise undeclared(path, "ensemble.chosen", settings.ensemble.chosen, "source", choices)
    for name in settings.curve.sources:
        if name not in settings.sources:
            raise undeclared(path, "curve.sources", name, "source", settings.sources)
    if len(set(settings.seeds)) < len(settings.seeds):
        raise LabelRiskError(f"{path}: seeds holds a seed twice; name each seed once")


def _labellers(settings: Settings) -> Labellers:
    return Labellers(
        names=settings.labellers,
        gold=[name for name in settings.labellers if settings.is_gold(name)],
        partly=settings.second_opinions,
        unranked=settings.without_probabilities(classes=2),
        unvoted=[name for name in settings.labellers if not settings.gives_votes(name)],
    )
