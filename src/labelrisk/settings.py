"""params.yaml as frozen typed objects, one per stage; the only place that reads params.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labelrisk.errors import LabelRiskError, nearest
from labelrisk.typed import Section, read_typed

ACROSS = "across"  # what the ensemble over sources is called
SLUG = re.compile(r"[a-z0-9_]+")
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


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
    votes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_labels(self) -> ImportAnnotator:
        if self.label is None and not self.votes:
            raise ValueError("needs 'label' (a column) or 'votes' (a list of columns)")
        return self


class ChatAnnotator(Section):
    """A model behind an OpenAI-compatible endpoint, or the embedded model behind the same client."""

    kind: Literal["chat"]
    reads: str  # the codebook: task, labels, definitions
    model: str
    base_url: str
    api_key_env: str | None = None
    shots: Annotated[int, Field(ge=0)] = 3
    draw: Literal["random", "balanced"] = "random"
    seed: Seed = 0
    temperature: Annotated[float, Field(ge=0)] = 0.0
    logprobs: bool = True
    extra_body: dict[str, Any] = Field(default_factory=dict)


Annotator = Annotated[GoldAnnotator | ImportAnnotator | ChatAnnotator, Field(discriminator="kind")]


class AnnotateSettings(Section):
    """How requests are sent; nothing here changes what is asked."""

    concurrency: Count
    timeout: Annotated[float, Field(gt=0)]
    retries: Annotated[int, Field(ge=0)]


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
    for section, names in (("annotators", settings.annotators), ("sources", settings.sources)):
        for name in names:
            if not SLUG.fullmatch(name):
                raise LabelRiskError(
                    f"{path}: '{name}' in {section} can't name a DVC stage; use lower-case letters, digits and '_' only"
                )
    if ACROSS in settings.sources:
        raise LabelRiskError(f"{path}: the source '{ACROSS}' has the name of the vote over sources; rename it")
    for name, source in settings.sources.items():
        if source.annotator not in settings.annotators:
            raise _undeclared(path, f"sources.{name}.annotator", source.annotator, "annotator", settings.annotators)
        of_gold = settings.annotators[source.annotator].kind == "gold"
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
