"""What an annotator would send and what that would cost, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.annotators.chat.token_usage import TokenUsage, newest_usage
from labelrisk.cache.calls import CallCache, Stored
from labelrisk.cache.templates import RequestTemplate
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.labels.earlier_run import EarlierRun
from labelrisk.labels.other_revisions import OtherRevisions
from labelrisk.labels.row_chunks import Chunk
from labelrisk.prompting.confidence import confidence_of
from labelrisk.prompting.questions import row_key
from labelrisk.settings.chat import ChatSettings, Price
from labelrisk.spending.budget import Unanswered
from labelrisk.spending.caps import Spending
from labelrisk.spending.ledger import Ledger
from labelrisk.spending.prices import bound_of, output_bound, price_of

Call = tuple[bytes, RequestTemplate, str]  # key, template and text


@dataclass
class Plan:
    """Counts over the rows of one annotator.

    requests: to send for the rows that are not known; more: at most so many on top (re-asks, checks).
    input_tokens, output_tokens, cost: expected, from `measured` answers of the same model; None when there are none or
    no price is stated.  most: what they can cost without retries of requests that fail; None without a price.
    prompt: the messages of the first row to ask, or of the first row.
    """

    rows: int = 0
    cached: int = 0
    elsewhere: int = 0  # at other revisions
    requests: int = 0
    more: int = 0
    prompt_bytes: int = 0
    most: float | None = 0.0
    measured: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    spent: Spending = field(default_factory=Spending)
    prompt: list[dict[str, str]] | None = None
    unreadable: str | None = None  # why other revisions' labels can't be used


def plan_of(labeller: ChatLabeller, prepared: Prepared, call_cache: Path, out: Path) -> Plan:
    """Go through the rows as the stage would, asking nothing."""
    annotator, price, plan = labeller.annotator, price_of(labeller.annotator), Plan()
    cache, runner = CallCache(call_cache), asyncio.Runner()
    try:
        folder = cache.path.parent / "labels"
        revisions: OtherRevisions | None = OtherRevisions(
            labeller.name, annotator, out, folder / f"{labeller.name}.revisions"
        )
        earlier = EarlierRun(folder / labeller.name, labeller.signature())
        for chunk in labeller.prepared_chunks(earlier.chunks(prepared)):
            plan.rows += len(chunk.ids)
            plan.cached += len(chunk.ids) - len(chunk.asked)
            if plan.prompt is None and not labeller.demonstrations.needs_vectors:
                _, template, text = labeller.questions.calls(labeller.shown(chunk, 0), chunk.texts[0])[0]
                plan.prompt = template.request(text)["messages"]
            for place in chunk.asked:
                calls = labeller.questions.calls(labeller.shown(chunk, place), chunk.texts[place])
                missing = [call for call in calls if not cache.has(call[0])]
                if missing and not plan.requests:
                    plan.prompt = calls[0][1].request(calls[0][2])["messages"]
                try:
                    known = revisions.find(row_key([key for key, _, _ in calls])) if revisions and missing else None
                except LabelRiskError as error:
                    plan.unreadable, revisions, known = str(error), None, None
                if known and labeller.as_asked_now(known, chunk, place):
                    plan.elsewhere += 1
                elif missing:
                    _add(plan, annotator, missing, price, first=True)
                elif further := _further(labeller, cache, runner, chunk, place, calls):
                    _add(plan, annotator, further, price, first=False)
                else:
                    plan.cached += 1
        plan.spent = Ledger(cache).spending(labeller.name)
        _estimate(plan, newest_usage(cache, annotator.model), price)
    finally:
        runner.close()
        cache.close()
    return plan


def _further(
    labeller: ChatLabeller, cache: CallCache, runner: asyncio.Runner, chunk: Chunk, place: int, calls: Sequence[Call]
) -> list[Call]:
    """The requests that answers of the cache lead to and that it lacks: re-asks, checks, canaries."""
    lacking: list[Call] = []

    async def ask(key: bytes, template: RequestTemplate, text: str) -> Stored:
        if stored := cache.find(key):
            return stored
        lacking.append((key, template, text))
        raise Unanswered

    async def answer() -> None:
        canary = labeller.annotator.screening == "canary"
        shown = labeller.shown(chunk, place)
        with suppress(Unanswered):
            await labeller.questions.answer(ask, calls, shown, chunk.flags.get(place), canary)

    runner.run(answer())
    return lacking


def _add(plan: Plan, annotator: ChatSettings, calls: Sequence[Call], price: Price | None, first: bool) -> None:
    """Count the requests of one row, and at most how many follow from their answers.

    first: they are the row's first ones, so that re-asks and checks may follow.
    """
    plan.requests += len(calls)
    times = 1 + (annotator.reasks + confidence_of(annotator).entailed if first else 0)
    canaries = first and annotator.screening == "canary"
    plan.more += len(calls) * (times - 1) + canaries
    for _, template, text in calls:
        size, longest = template.size(text), output_bound(template.request(text))
        plan.prompt_bytes += size
        if price is not None and plan.most is not None:
            # a re-ask repeats the prompt and adds an answer, as the check of an explanation does
            again = bound_of(size + 8 * (longest or 0) + 1000, longest, price) * (times - 1)
            plan.most += bound_of(size, longest, price) * (1 + canaries) + again
        else:
            plan.most = None


def _estimate(plan: Plan, usage: TokenUsage, price: Price | None) -> None:
    """Tokens per byte and per answer of this model's newest answers, times what is to be sent."""
    plan.measured = usage.answers
    if price is not None and price.input == price.output == 0:
        plan.cost = 0.0
    if not usage.answers:
        return
    plan.input_tokens = round(plan.prompt_bytes * usage.input_tokens / usage.request_bytes)
    plan.output_tokens = round(plan.requests * usage.output_tokens / usage.answers)
    if price is not None:
        plan.cost = (plan.input_tokens * price.input + plan.output_tokens * price.output) / 1e6
