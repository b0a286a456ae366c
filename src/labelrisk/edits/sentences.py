"""Edits of sentences and words, by fixed rules for English, that add nothing to what a label could rest on."""

from __future__ import annotations

import re

import numpy as np

# about the text itself: no topic, no stance, no negation
NEUTRAL = ("That is all.", "The text ends here.", "This is the end of the text.", "This is the whole text.")
ENDS_A_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*\s*$")  # noqa: RUF001
BETWEEN = re.compile(r"(?<=[.!?])\s+(?=\S)")

# words that carry no content of their own; no negation, no quantity, no preposition, nothing that weakens or stresses
STOP_WORD = re.compile(r"(?<=\S)\s(?:the|an?|that)(?=\s+\S)", re.IGNORECASE)

_NOT = ("do", "does", "did", "is", "are", "was", "were", "would", "could", "should", "has", "have", "had")
CONTRACTED = {f"{verb} not": f"{verb}n't" for verb in _NOT} | {"cannot": "can't", "will not": "won't"}
EXPANDED = {short: long for long, short in CONTRACTED.items()}
# what is short for two things is only contracted: it's is "it is" or "it has"
CONTRACTED |= {"it is": "it's", "that is": "that's", "I am": "I'm", "we are": "we're", "they are": "they're"}
FORMS = {
    form[0].upper() + form[1:] if capital else form: other[0].upper() + other[1:] if capital else other
    for form, other in (CONTRACTED | EXPANDED).items()
    for capital in (False, True)
}
FORM = re.compile(rf"\b(?:{'|'.join(map(re.escape, FORMS))})\b(?!['’])")  # noqa: RUF001


def neutral_sentence(text: str, generator: np.random.Generator) -> str:
    """A sentence of NEUTRAL follows, after a full stop where the text ends without one.

    At the end, so that where a text is too long what is cut off is the sentence, and not the evidence.
    """
    stop = "" if ENDS_A_SENTENCE.search(text) else "."
    return f"{text.rstrip()}{stop} {NEUTRAL[int(generator.integers(len(NEUTRAL)))]}"


def sentence_order(text: str, generator: np.random.Generator) -> str:
    """Two neighbouring sentences change places; a sentence ends with . ! or ? before a capital letter."""
    gaps = [gap for gap in BETWEEN.finditer(text) if text[gap.end()].isupper()]
    if not gaps:
        return text
    chosen = int(generator.integers(len(gaps)))
    gap = gaps[chosen]
    start = gaps[chosen - 1].end() if chosen else 0
    end = gaps[chosen + 1].start() if chosen + 1 < len(gaps) else len(text)
    first, second, rest = text[start : gap.start()], text[gap.end() : end], text[end:]
    if not ENDS_A_SENTENCE.search(second):
        second += "."  # it no longer stands at the end
    return f"{text[:start]}{second.rstrip()}{gap[0]}{first}{rest}"


def stop_word(text: str, generator: np.random.Generator) -> str:
    """One of `the`, `a`, `an` and `that` is left out, never the first or the last word."""
    found = [word.span() for word in STOP_WORD.finditer(text)]
    if not found:
        return text
    start, end = found[int(generator.integers(len(found)))]
    return text[:start] + text[end:]


def contraction(text: str, generator: np.random.Generator) -> str:
    """One `do not` becomes `don't`, or the other way round, and so on for what stands in FORMS."""
    found = list(FORM.finditer(text))
    if not found:
        return text
    chosen = found[int(generator.integers(len(found)))]
    return text[: chosen.start()] + FORMS[chosen[0]] + text[chosen.end() :]
