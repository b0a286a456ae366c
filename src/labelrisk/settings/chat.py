"""A chat annotator as params.yaml declares it: its endpoint, what is asked, and at what price."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labelrisk.settings.section import Count, Section, Seed
from labelrisk.settings.sendable import faults_of_body, faults_of_query, faults_of_request

LONGEST = 86_400.0  # seconds that one answer may take
MOST_PRICE = 1e6  # of a million tokens
EMBEDDED = "embedded"  # the base_url of the model in this process
ConfidenceMethod = Literal["logprobs", "votes", "verbalised", "explanations", "none"]
Capability = Literal["logprobs", "json_schema", "guided_choice"]


class Price(Section):
    """Dollars, or any one currency, per million tokens."""

    input: Annotated[float, Field(ge=0, le=MOST_PRICE)]  # per million tokens of prompts
    output: Annotated[float, Field(ge=0, le=MOST_PRICE)]  # per million tokens of answers
    cached_input: Annotated[float, Field(ge=0, le=MOST_PRICE)] | None = None  # of prompts that the endpoint had cached
    batch: Annotated[float, Field(gt=0, le=1)] = 0.5  # share of these that `mode: batch` pays


class ChatSettings(Section):
    """A model behind an OpenAI-compatible endpoint, or the embedded model behind the same client."""

    reads: str  # the codebook: task, labels, definitions
    model: str  # what the endpoint calls it
    base_url: str  # of the endpoint; `embedded`: the small model in this process
    api_key_env: str | None = None  # the name of the environment variable that holds the key
    key_header: str | None = None  # where the key goes when not into `Authorization: Bearer`
    extra_query: dict[str, str] = {}  # added to the address, such as api-version
    serves: tuple[Capability, ...] | None = None  # what `labelrisk probe` found
    mode: Literal["requests", "batch"] = "requests"  # batch: by the Batch API
    # what is asked
    shots: Annotated[int, Field(ge=0)] = 3  # demonstrations: train rows with their gold label
    draw: Literal["fixed", "random", "balanced", "nearest", "diverse"] = "fixed"  # which rows they are
    pool: Count = 1000  # candidates for demonstrations, of the train rows with gold
    seed: Seed = 0  # of the choice of demonstrations
    temperature: Annotated[float, Field(ge=0)] = 0.0  # of sampling
    answer: Literal["code", "json_schema", "guided_choice"] = "code"  # code: a letter; else JSON, or a choice of vLLM
    confidence: ConfidenceMethod = "logprobs"  # where class probabilities come from
    top_logprobs: Annotated[int, Field(ge=1)] = 20  # tokens with log-probabilities, as many as the OpenAI API serves
    samples: Annotated[int, Field(ge=2)] = 5  # answers to a row, with confidence: votes or explanations
    vary: Literal["sampling", "demonstrations"] = "sampling"  # what differs between votes
    reasks: Annotated[int, Field(ge=0, le=1)] = 1  # 1: an answer that is no label is asked once more
    screening: Literal["none", "rules", "similarity", "canary"] = "none"  # flags texts that may instruct the model
    extra_body: dict[str, Any] = Field(default_factory=dict)  # has the last word in requests; null leaves a key out
    # how, and at what price
    timeout: Annotated[float, Field(gt=0, le=LONGEST)] | None = None  # seconds; null: that of annotate
    price: Price | None = None  # without it costs are unknown
    max_cost: Annotated[float, Field(gt=0)] | None = None  # hard cap over all runs
    max_requests: Count | None = None  # hard cap on requests over all runs
    requests_per_minute: Count | None = None  # the endpoint's limit, if you know it
    tokens_per_minute: Count | None = None  # the endpoint's limit, if you know it

    @model_validator(mode="after")
    def _can_be_sent(self) -> ChatSettings:
        """Before all else, and without a word of what may be a key."""
        for fault in faults_of_request(self.api_key_env, self.key_header, self.base_url, self.model):
            raise ValueError(fault)
        for fault in (*faults_of_query(self.extra_query), *faults_of_body(self.extra_body)):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> ChatSettings:
        sampled = self.confidence == "explanations" or (self.confidence == "votes" and self.vary == "sampling")
        if sampled and self.temperature == 0:
            raise ValueError(f"'confidence: {self.confidence}' at temperature 0 samples one answer; set 'temperature'")
        if self.confidence == "votes" and self.vary == "demonstrations" and not self.shots:
            raise ValueError("'vary: demonstrations' needs 'shots'")
        if self.answer == "guided_choice" and self.confidence in ("verbalised", "explanations"):
            raise ValueError(
                f"'confidence: {self.confidence}' needs more than a choice; set 'answer: code' or json_schema"
            )
        if self.max_cost is not None and self.price is None:
            raise ValueError("'max_cost' needs 'price': {input: ..., output: ...} per million tokens")
        unbounded = self.extra_body.get("max_tokens", 1) is None and not self.extra_body.get("max_completion_tokens")
        if self.max_cost is not None and unbounded:
            raise ValueError("'max_cost' needs a longest answer; set 'extra_body.max_completion_tokens'")
        if self.mode == "batch" and self.base_url == EMBEDDED:
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
