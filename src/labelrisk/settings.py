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
Merge = Literal["majority", "dawid_skene"]
Capability = Literal["logprobs", "json_schema", "guided_choice"]


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


class Price(Section):
    """Dollars, or any one currency, per million tokens."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None
    batch: Annotated[float, Field(gt=0, le=1)] = 0.5  # what `mode: batch` pays of these


class ChatAnnotator(Section):
    """A model behind an OpenAI-compatible endpoint, or the embedded model behind the same client."""

    kind: Literal["chat"]
    reads: str  # the codebook: task, labels, definitions
    model: str
    base_url: str
    api_key_env: str | None = None
    key_header: str | None = None  # where the key goes when not into `Authorization: Bearer`
    extra_query: dict[str, str] = {}
    serves: tuple[Capability, ...] | None = None  # what `labelrisk probe` found
    mode: Literal["requests", "batch"] = "requests"
    # what is asked
    shots: Annotated[int, Field(ge=0)] = 3
    draw: Literal["fixed", "random", "balanced", "nearest", "diverse"] = "fixed"
    pool: Count = 1000  # candidates for demonstrations, of the train rows with gold
    seed: Seed = 0
    temperature: Annotated[float, Field(ge=0)] = 0.0
    answer: Literal["code", "json_schema", "guided_choice"] = "code"
    confidence: Literal["logprobs", "votes", "verbalised", "explanations", "none"] = "logprobs"
    top_logprobs: Annotated[int, Field(ge=1)] = 20  # as many as the OpenAI API serves
    samples: Annotated[int, Field(ge=2)] = 5  # of votes and explanations
    vary: Literal["sampling", "demonstrations"] = "sampling"  # what differs between votes
    reasks: Annotated[int, Field(ge=0, le=1)] = 1  # after an answer that is no label
    screening: Literal["none", "rules", "similarity", "canary"] = "none"
    extra_body: dict[str, Any] = Field(default_factory=dict)  # has the last word; null leaves a key out
    # how, and at what price
    timeout: Annotated[float, Field(gt=0)] | None = None
    price: Price | None = None
    max_cost: Annotated[float, Field(gt=0)] | None = None
    max_requests: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ChatAnnotator:
        sampled = self.confidence == "explanations" or (self.confidence == "votes" and self.vary == "sampling")
        if sampled and self.temperature == 0:
            raise ValueError(f"'confidence: {self.confidence}' at temperature 0 samples one answer; set 'temperature'")
        if self.confidence == "votes" and self.vary == "demonstrations" and not self.shots:
            raise ValueError("'vary: demonstrations' needs 'shots'")
        if self.answer == "guided_choice" and self.confidence in ("verbalised", "explanations"):
            raise ValueError(
                f"'confidence: {self.confidence}' needs more than a choice; set 'answer: code' or json_schema"
            )
        if self.base_url != "embedded" and not re.fullmatch(
            r"https?://(\[[0-9a-f:]+\]|[^\s/:\[\]]+)(:\d{1,5})?(/\S*)?", self.base_url
        ):
            raise ValueError(
                f"'base_url' is {self.base_url!r} but must look like https://host:port/v1, or be 'embedded'"
            )
        if self.max_cost is not None and self.price is None:
            raise ValueError("'max_cost' needs 'price': {input: ..., output: ...} per million tokens")
        unbounded = self.extra_body.get("max_tokens", 1) is None and not self.extra_body.get("max_completion_tokens")
        if self.max_cost is not None and unbounded:
            raise ValueError("'max_cost' needs a longest answer; set 'extra_body.max_completion_tokens'")
        if self.mode == "batch" and self.base_url == "embedded":
            raise ValueError("'mode: batch' needs an endpoint; leave 'mode' out for the embedded model")
        for word in ("model", "messages"):
            if word in self.extra_body:
                raise ValueError(f"'extra_body.{word}' would change what is asked unseen; leave it out")
        for word in ("max_tokens", "max_completion_tokens"):
            longest = self.extra_body.get(word, 1)
            if longest is not None and (not isinstance(longest, int) or longest < 1):
                raise ValueError(f"'extra_body.{word}' is {longest!r} but must be a number of tokens, 1 or more")
        for word, harmless in (("n", 1), ("stream", False)):
            if self.extra_body.get(word, harmless) not in (None, harmless):
                raise ValueError(f"'extra_body.{word}' would break the answers; leave it out (see 'confidence: votes')")
        needed = {"logprobs": self.confidence == "logprobs"} | {
            name: self.answer == name for name in ("json_schema", "guided_choice")
        }
        lacking = [name for name, asked in needed.items() if asked and name not in (self.serves or ())]
        if self.serves is not None and lacking:
            raise ValueError(f"asks for {lacking[0]}, which 'serves' does not list; change 'confidence' or 'answer'")
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
