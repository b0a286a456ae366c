"""What an annotator would send and what that would cost, before anything is sent."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.cache.calls import CallCache, Spending, Stored
from labelrisk.cache.templates import RequestTemplate
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.labels.chunks import Chunk
from labelrisk.labels.earlier_run import EarlierRun
from labelrisk.labels.other_revisions import OtherRevisions
from labelrisk.prompting.questions import row_key
from labelrisk.settings.chat import Price
from labelrisk.spending.budget import Unanswered
from labelrisk.spending.prices import bound_of, output_bound, price_of

Asked = tuple[bytes, RequestTemplate, str]  # a call: key, template and text
MEASURED_ON = 200  # answers of the same model that an estimate is taken from, at most


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
    annotator, plan = labeller.annotator, Plan()
    price = price_of(annotator)
    cache, runner = CallCache(call_cache), asyncio.Runner()
    try:
        folder = cache.path.parent / "labels"
        revisions: OtherRevisions | None = OtherRevisions(
            labeller.name, annotator, out, folder / f"{labeller.name}.revisions"
        )
        for chunk in labeller.prepared_chunks(
            EarlierRun(folder / labeller.name, labeller.signature()).chunks(prepared)
        ):
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
                    _add(plan, annotator, missing, price, firsts=True)
                elif further := _further(labeller, cache, runner, chunk, place, calls):
                    _add(plan, annotator, further, price, firsts=False)
                else:
                    plan.cached += 1
        plan.spent = cache.spending(labeller.name)
        _estimate(plan, cache, annotator, price)
    finally:
        runner.close()
        cache.close()
    return plan


def _further(
    labeller: ChatLabeller, cache: CallCache, runner: asyncio.Runner, chunk: Chunk, place: int, calls: Sequence[Asked]
) -> list[Asked]:
    """The requests that answers of the cache lead to and that it lacks: re-asks, checks, canaries."""
    lacking: list[Asked] = []

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


def _add(plan: Plan, annotator: ChatAnnotator, asked: Sequence[Asked], price: Price | None, firsts: bool) -> None:
    """Count the requests of one row, and at most how many follow from their answers.

    firsts: they are the row's first ones, so that re-asks and checks may follow.
    """
    plan.requests += len(asked)
    times = 1 + (annotator.reasks + (annotator.confidence == "explanations") if firsts else 0)
    canaries = firsts and annotator.screening == "canary"
    plan.more += len(asked) * (times - 1) + canaries
    for _, template, text in asked:
        size, longest = template.size(text), output_bound(template.request(text))
        plan.prompt_bytes += size
        if price is not None and plan.most is not None:
            # a re-ask repeats the prompt and adds an answer, as the check of an explanation does
            again = bound_of(size + 8 * (longest or 0) + 1000, longest, price) * (times - 1)
            plan.most += bound_of(size, longest, price) * (1 + canaries) + again
        else:
            plan.most = None


def _estimate(plan: Plan, cache: CallCache, annotator: ChatAnnotator, price: Any) -> None:
    """Tokens per byte and per answer of this model's newest answers, times what is to be sent."""
    newest = cache.rows(
        "SELECT length(CAST(prefix AS BLOB)) + length(CAST(text AS BLOB)) + length(CAST(suffix AS BLOB)), "
        "input_tokens, output_tokens FROM calls JOIN templates ON template = templates.id "
        "WHERE model = ? AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL ORDER BY calls.id DESC LIMIT ?",
        (annotator.model, MEASURED_ON),
    )
    found = list(newest)
    plan.measured = len(found)
    if price is not None and price.input == price.output == 0:
        plan.cost = 0.0
    if not found:
        return
    size, read, written = (sum(one[place] for one in found) for place in (0, 1, 2))
    plan.input_tokens = round(plan.prompt_bytes * read / size)
    plan.output_tokens = round(plan.requests * written / len(found))
    if price is not None:
        plan.cost = (plan.input_tokens * price.input + plan.output_tokens * price.output) / 1e6


def plan_text(labeller: ChatLabeller, plan: Plan, validation: str) -> str:
    """The plan at 80 columns."""
    annotator = labeller.annotator
    price = price_of(annotator)
    lines = [("rows", f"{plan.rows:,}", ""), ("known already", f"{plan.cached:,}", "nothing to pay")]
    if plan.elsewhere:
        lines.append(("known elsewhere", f"{plan.elsewhere:,}", "at other revisions, nothing to pay"))
    more = f"and at most {plan.more:,} more: re-asks, checks" if plan.more else ""
    lines.append(("requests to send", f"{plan.requests:,}", more))
    if plan.requests:
        how = f"measured on {plan.measured:,} answers of this model" if plan.measured else "not measured yet"
        lines.append(("input tokens", _number(plan.input_tokens), how))
        lines.append(("output tokens", _number(plan.output_tokens), ""))
    share = f"batch: {annotator.price.batch:g} of the price" if annotator.price and annotator.mode == "batch" else ""
    if price is None:
        lines.append(("cost", "unknown", f"annotators.{labeller.name}.price is not set"))
    else:
        told = share or ("" if plan.cost is not None else "not measured yet: see the upper bound")
        cost = 0.0 if not plan.requests else plan.cost
        lines.append(("cost", "unknown" if cost is None else f"{cost:.4f}", told))
        lines.append(("cost at most", f"{plan.most or 0.0:.4f}", "a token a byte, every re-ask; no retries"))
    spent = plan.spent
    before = f"{spent.requests:,} requests, {spent.cost:.4f} at most" if price else f"{spent.requests:,} requests"
    lines.append(("spent here before", "", before + (f", {spent.lost:,} lost in flight" if spent.lost else "")))
    caps = [f"{name} {cap:g}" for name in ("max_cost", "max_requests") if (cap := getattr(annotator, name)) is not None]
    lines.append(("caps", "", ", ".join(caps) or "none (see max_cost, max_requests)"))
    head = f"{labeller.name}: {annotator.model} at {annotator.base_url}"
    body = "\n".join(f"  {name:<18}{number:>14}  {told}".rstrip() for name, number, told in lines)
    notes = [
        textwrap.fill(note, 80, initial_indent="  ", subsequent_indent="  ")
        for note in (validation, plan.unreadable)
        if note
    ]
    return "\n".join([head, body, *notes])


def prompt_text(plan: Plan) -> str:
    """The rendered prompt of one row."""
    return "\n".join(f"[{message['role']}]\n{message['content']}" for message in plan.prompt or [])


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
