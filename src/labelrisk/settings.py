"""params.yaml as frozen typed objects, one per stage; the only place that reads params.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labelrisk.chat_settings import ChatAnnotator, Count, Seed
from labelrisk.errors import LabelRiskError, nearest
from labelrisk.typed import Section, read_typed

ACROSS = "across"  # what the ensemble over sources is called
SLUG = re.compile(r"[a-z0-9_]+")
Share = Annotated[float, Field(gt=0, lt=1)]
Merge = Literal["majority", "dawid_skene"]


class ApidocsCorpus(Section):
    """Summary sentences of installed packages' API documentation, labelled by subject area."""

    kind: Literal["apidocs"]
    path: str  # the lock file that pins the packages: DVC prepares again when it changes


class FilesCorpus(Section):
    """One CSV, TSV, JSONL or Parquet file, split here or by a column, or a folder with one file per split."""

    kind: Literal["files"]
    path: str
    text: str = "text"
    gold: str = "gold"
    split: str | None = None
    only: dict[str, str] = {}  # column -> value: other rows are left out


class HubCorpus(Section):
    """A data set of the hub at a pinned revision."""

    kind: Literal["hub"]
    path: str  # the lock file: the data set itself is pinned by `revision`
    name: str
    revision: str
    configuration: str | None = None
    text: str = "text"
    gold: str = "label"
    splits: dict[Literal["train", "validation", "test"], str] = {"train": "train"}


Corpus = Annotated[ApidocsCorpus | FilesCorpus | HubCorpus, Field(discriminator="kind")]


class PrepareSettings(Section):
    """How rows are split and capped."""

    validation_share: Share
    test_share: Share
    train_rows: Count | None
    validation_rows: Count | None
    test_rows: Count | None
    seed: Seed


class GoldAnnotator(Section):
    """The human labels themselves, as one more annotator."""

    kind: Literal["gold"]
    reads: str


class ImportAnnotator(Section):
    """Labels made elsewhere, read from a file and joined on the text."""

    kind: Literal["import"]
    reads: str
    text: str = "text"
    label: str | None = None
    votes: tuple[str, ...] = ()  # one column per coder
    merge: Merge = "majority"  # of the votes
    probabilities: dict[str, str] = {}  # label -> column

    @model_validator(mode="after")
    def _has_labels(self) -> ImportAnnotator:
        if self.label is None and not self.votes and not self.probabilities:
            raise ValueError("needs 'label' (a column), 'votes' (a list of columns) or 'probabilities' (label: column)")
        if self.votes and self.probabilities:
            raise ValueError("'votes' and 'probabilities' can't be combined")
        return self


Annotator = Annotated[GoldAnnotator | ImportAnnotator | ChatAnnotator, Field(discriminator="kind")]


class AnnotateSettings(Section):
    """How requests are sent; nothing here changes what is asked."""

    concurrency: Count
    timeout: Annotated[float, Field(gt=0)]
    retries: Annotated[int, Field(ge=0)]
    patience: Annotated[float, Field(gt=0)] = 600.0  # seconds without any answer until the endpoint counts as gone


class Panel(Section):
    """Several annotators' labels merged into one."""

    members: Annotated[tuple[str, ...], Field(min_length=2)]
    merge: Merge = "majority"

    @model_validator(mode="after")
    def _members_differ(self) -> Panel:
        if len(set(self.members)) < len(self.members):
            raise ValueError("'members' names an annotator twice; each has one vote")
        return self


class Selection(Section):
    """Which of the annotator's rows an action falls on."""

    by: Literal["entropy", "random"]
    share: Share


class Source(Section):
    """A label source: an annotator's labels, what is selected and done to it, or gold with an annotator's noise."""

    annotator: str
    labels: Literal["annotator", "gold"] = "annotator"
    select: Selection | None = None
    action: Literal["drop", "gold"] | None = None
    noise: Literal["confusion", "uniform"] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Source:
        if (self.select is None) != (self.action is None):
            raise ValueError("'select' and 'action' come together")
        if self.noise is not None and self.labels != "gold":
            raise ValueError("'noise' needs 'labels: gold': noise is drawn onto gold labels")
        if self.noise is not None and self.select is not None:
            raise ValueError("'noise' and 'select' can't be combined")
        return self


class FilterSettings(Section):
    """How label sources are built."""

    seed: Seed
    validation_labels: Literal["gold", "annotator"]


class TrainSettings(Section):
    """The student and the recipe of its fine-tuning."""

    model: str  # 'embedded', a folder, or a name on the hub
    revision: str | None
    precision: Literal["auto", "bf16", "fp32"]
    epochs: Count
    batch_size: Count
    evaluation_batch_size: Count
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    warmup_share: Annotated[float, Field(ge=0, lt=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    max_tokens: Annotated[int, Field(ge=8)]


class EvaluateSettings(Section):
    """How sources are compared."""

    reference: str
    margin: Annotated[float, Field(gt=0, lt=1)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    resamples: Annotated[int, Field(ge=100)]
    seed: Seed


class EnsembleSettings(Section):
    """Which sources vote together."""

    across: tuple[str, ...]


class Settings(Section):
    """All of params.yaml."""

    codebook: str
    corpus: Corpus
    annotators: dict[str, Annotator]
    panels: dict[str, Panel] = {}
    sources: dict[str, Source]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    prepare: PrepareSettings
    annotate: AnnotateSettings
    filter: FilterSettings
    train: TrainSettings
    evaluate: EvaluateSettings
    ensemble: EnsembleSettings


def load(path: Path) -> Settings:
    """Read and check params.yaml.

    Raises LabelRiskError that names the file, the key and what is allowed.
    """
    settings = read_typed(path, Settings, "run from the folder that holds params.yaml")
    _check_names(settings, path)
    return settings


def _check_names(settings: Settings, path: Path) -> None:
    """Names must be slugs that DVC can use, and must be declared where they are used."""
    for section in ("annotators", "panels", "sources"):
        for name in getattr(settings, section):
            if not SLUG.fullmatch(name):
                raise LabelRiskError(
                    f"{path}: '{name}' in {section} can't name a DVC stage; use lower-case letters, digits and '_' only"
                )
    if ACROSS in settings.sources:
        raise LabelRiskError(f"{path}: the source '{ACROSS}' has the name of the vote over sources; rename it")
    for name, panel in settings.panels.items():
        if name in settings.annotators:
            raise LabelRiskError(f"{path}: '{name}' is both an annotator and a panel; rename one")
        for member in panel.members:
            if member not in settings.annotators:
                raise _undeclared(path, f"panels.{name}.members", member, "annotator", settings.annotators)
            if isinstance(settings.annotators[member], GoldAnnotator):
                raise LabelRiskError(
                    f"{path}: panels.{name}.members names {member}, which is gold: its votes would spend gold labels "
                    "that nobody counts; leave it out"
                )
    labellers: dict[str, Annotator | Panel] = settings.annotators | settings.panels
    for name, source in settings.sources.items():
        if source.annotator not in labellers:
            raise _undeclared(path, f"sources.{name}.annotator", source.annotator, "annotator", labellers)
        labeller = labellers[source.annotator]
        of_gold = isinstance(labeller, GoldAnnotator)
        if of_gold and (source.noise or source.select):
            raise LabelRiskError(
                f"{path}: sources.{name}: gold has no errors or doubts to copy; "
                "name the annotator whose confusion or entropy is meant"
            )
    if settings.evaluate.reference not in settings.sources:
        raise _undeclared(path, "evaluate.reference", settings.evaluate.reference, "source", settings.sources)
    for name in settings.ensemble.across:
        if name not in settings.sources:
            raise _undeclared(path, "ensemble.across", name, "source", settings.sources)
    if len(set(settings.seeds)) < len(settings.seeds):
        raise LabelRiskError(f"{path}: seeds holds a seed twice; name each seed once")


def _undeclared(path: Path, key: str, name: str, what: str, declared: dict[str, Any]) -> LabelRiskError:
    return LabelRiskError(f"{path}: {key} names the unknown {what} '{name}'; {nearest(name, declared)}")
