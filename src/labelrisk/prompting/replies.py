"""What a reply of an endpoint says, read strictly: a status, a label, and the probabilities that it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from labelrisk.cache.answer_json import is_completion
from labelrisk.errors import LabelRiskError
from labelrisk.labels.answer import Answer
from labelrisk.prompting.json_replies import labels_in_json, share_in_json
from labelrisk.prompting.reply_texts import after_thought, content_of, without_marks
from labelrisk.prompting.said_labels import SaidLabels, sure_of
from labelrisk.prompting.token_probabilities import class_probabilities, top_logprobs_of

LONGEST_REPLY = 10_000  # characters
REPEATED = 100  # characters of one that may come again
LONGEST_LINE = 2_000  # that may name a label
LAST_LINE = re.compile(r"^\W*Label:\W*(.+?)[\s*.]*\Z", re.IGNORECASE | re.MULTILINE)


class ReplyReader:
    """Reads Chat Completions responses strictly: what names one label, and could mean no other, is that label.

    labels: the codebook's names; codes: what stands for them; form: what was asked for, a key of answer_forms.FORMS;
    logprobs: whether to read those that an endpoint sends, for some send them unasked.
    """

    def __init__(
        self,
        labels: Sequence[str],
        codes: Sequence[str],
        form: tuple[str, str] = ("label", "code"),
        logprobs: bool = True,
    ) -> None:
        self._labels = labels
        self._logprobs = logprobs
        self._form = form
        self._one_token = form == ("label", "code") and all(len(code) == 1 for code in codes)
        self._codes = list(codes)
        self._said = SaidLabels(labels, codes)
        self._named_before = lru_cache(maxsize=4096)(self._named)  # most replies are a few short texts

    def read(self, response: dict[str, Any]) -> Answer:
        """The answer of one response, with the probabilities that it states or that its tokens have.

        Of a reply longer than any that was asked for, only the beginning is kept: re-asks quote it, files hold it.
        Raises LabelRiskError for what is no completion, which only a damaged call cache holds.
        """
        if not is_completion(response):
            raise LabelRiskError(
                "the call cache has an answer that is no chat completion; run `labelrisk cache verify`, which names it"
            )
        answer = self._read(response)
        if answer.reply is not None and len(answer.reply) > LONGEST_REPLY:
            return replace(answer, reply=answer.reply[:LONGEST_REPLY])
        return answer

    def _read(self, response: dict[str, Any]) -> Answer:
        choice = response["choices"][0]
        message = choice["message"]
        reply, text = _sendable(message.get("content")), _sendable(content_of(message))
        if choice.get("finish_reason") == "content_filter":
            return Answer("content_filter", reply=reply)
        if message.get("refusal"):
            return Answer("refusal", reply=_sendable(str(message["refusal"])))
        if reply is None or (isinstance(text, str) and not text.strip()):
            return Answer("empty", reply=reply if isinstance(reply, str) else None)
        place, stated = self._named_in(text) if isinstance(text, str) else (None, None)
        if place is None or (self._form[0] == "verbalised" and stated is None):
            cut_off = choice.get("finish_reason") == "length" and not self._one_token and isinstance(reply, str)
            return Answer("truncated" if cut_off else "off_list", reply=str(reply))
        label = self._labels[place]
        if stated is not None:
            return Answer("ok", label, "verbalised", self._spread(place, stated), reply=text)
        probabilities, outside = self._of_tokens(choice, place) if self._logprobs else (None, None)
        return Answer("ok", label, "logprobs" if probabilities else None, probabilities, outside, text)

    def _of_tokens(self, choice: dict[str, Any], place: int) -> tuple[tuple[float, ...] | None, float | None]:
        """Class probabilities and the mass outside; an endpoint's own idea of log-probabilities is none."""
        try:
            content = (choice.get("logprobs") or {}).get("content")
            top = top_logprobs_of(content, self._codes[place], self._labels[place], self._form[1])
            return class_probabilities(top, self._codes) if top is not None else (None, None)
        except (TypeError, LookupError, AttributeError, ValueError, OverflowError):
            return None, None

    def _named_in(self, reply: str) -> tuple[int | None, float | None]:
        return self._named_before(reply) if len(reply) <= REPEATED else self._named(reply)

    def _named(self, reply: str) -> tuple[int | None, float | None]:
        """The label that a reply names in the form that was asked for, and the stated confidence, if any."""
        asked, kind = self._form
        said = after_thought(reply)
        if said is None or (len(said) > LONGEST_LINE and asked != "explanations" and kind == "code"):
            return None, None
        said = without_marks(said)
        if kind == "json":
            return self._of_json(said)
        if asked == "verbalised":
            sure = sure_of(said)
            return (self._said.place(sure.named), sure.share) if sure else (None, None)
        if asked == "explanations":
            found = LAST_LINE.search(_end_of(said))
            return (self._said.place(found[1]) if found else None), None
        found_place = self._said.place(said)
        return self._of_json(said) if found_place is None else (found_place, None)

    def _of_json(self, said: str) -> tuple[int | None, float | None]:
        """Of several objects that name a label the first, if all of them say the same."""
        stated = [
            (self._said.place(label), share_in_json(sure) if self._form[0] == "verbalised" else None)
            for label, sure in labels_in_json(said)
        ]
        return stated[0] if len(set(stated)) == 1 else (None, None)

    def _spread(self, place: int, stated: float) -> tuple[float, ...]:
        """The stated probability for the label; the rest evenly over the others, of which nothing was said."""
        rest = (1 - stated) / (len(self._labels) - 1)
        return tuple(stated if other == place else rest for other in range(len(self._labels)))


def _sendable(text: Any) -> Any:
    """Text without half of an emoji, cut off by the token limit; anything else as it is."""
    if not isinstance(text, str) or text.isascii():
        return text
    return text.encode(errors="replace").decode()


def _end_of(reply: str) -> str:
    """The last lines of a reply: in a long one a pattern that may match anywhere takes forever."""
    return reply if len(reply) <= LONGEST_LINE else reply[-LONGEST_LINE:].partition("\n")[2]
